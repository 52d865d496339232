package host

import (
	"context"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/procfs"
)

// unsupported is a runtime that is recognized and cannot be driven yet; looking at it works, so that there are facts.
type unsupported struct{ name string }

func (u unsupported) Name() string { return u.name }

func (u unsupported) Owns(procfs.Process) bool { return false }

func (u unsupported) Look(context.Context) (View, error) {
	return View{State: facts.Stopped, Detail: u.name}, nil
}

func (u unsupported) no() error {
	switch u.name {
	case facts.AllInOne:
		return errAllInOne()
	case facts.Container:
		return errContainer()
	}
	return fault.New(fault.Unsupported, "etcd runs here as %s, which cannot be driven yet", u.name)
}

func (u unsupported) Start(context.Context) error        { return u.no() }
func (u unsupported) Stop(context.Context) error         { return u.no() }
func (u unsupported) Undo(context.Context) (bool, error) { return false, nil }
func (u unsupported) Words() Words                       { return Words{Starter: "the master"} }
func (u unsupported) Block(context.Context) error        { return u.no() }
func (u unsupported) Unblock(context.Context) error      { return u.no() }

func (u unsupported) Blocked(context.Context) (bool, string, error) { return false, u.name, nil }
func (u unsupported) IsBlocked() bool                               { return false }
func (u unsupported) SetForce(context.Context, bool) error          { return u.no() }

func (u unsupported) ForceFlags(context.Context) ([]facts.ForceFlag, error) { return nil, nil }

func (u unsupported) RemoveForceFlag(context.Context, facts.ForceFlag) (string, error) {
	return "", u.no()
}
func (u unsupported) Log(context.Context, int) ([]string, error) { return nil, u.no() }

func (u unsupported) Entries(context.Context, string, int) ([]etcdlog.Entry, error) {
	return nil, u.no()
}
