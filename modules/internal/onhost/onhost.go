// Package onhost is the front door of the modules that act on a host of etcd: they begin with the host that their arguments name. Time-out, panics,
// check mode and the journal are package ansible's, and how etcd runs there is package host's; neither knows the other.
package onhost

import (
	"context"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
)

// Arguments embed host.Options. A module whose other arguments can be wrong by themselves, or change the options, has an OfHost of its own.
type Arguments interface {
	OfHost() (host.Options, error)
}

// Module is what a module does on a host.
type Module[A Arguments] func(ctx context.Context, call *ansible.Call, args A, h *host.Host) (ansible.Result, error)

// Main is ansible.Main for a module that acts on a host.
func Main[A Arguments](doc []byte, rules ansible.Rules, run Module[A]) {
	ansible.Main(doc, rules, Loaded(run))
}

// Loaded loads the host first. It changes nothing, and what is wrong with the arguments comes before what is wrong with the host.
func Loaded[A Arguments](run Module[A]) ansible.Module[A] {
	return func(ctx context.Context, call *ansible.Call, args A) (ansible.Result, error) {
		options, err := args.OfHost()
		if err != nil {
			return ansible.Result{}, err
		}
		h, err := host.Load(ctx, options)
		if err != nil {
			return ansible.Result{}, err
		}
		return run(ctx, call, args, h)
	}
}
