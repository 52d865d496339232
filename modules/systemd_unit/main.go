// systemd_unit controls a unit without Python on the host.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/systemd"
)

//go:embed systemd_unit.yml
var documentation []byte

type args struct {
	Name         string `json:"name"`
	State        string `json:"state"`
	Enabled      *bool  `json:"enabled"`
	Masked       *bool  `json:"masked"`
	DaemonReload bool   `json:"daemon_reload"`
}

type result struct {
	systemd.Unit
	Seconds float64 `json:"seconds"`
}

var rules = ansible.Rules{RequiredOneOf: [][]string{{"state", "enabled", "masked", "daemon_reload"}}}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if strings.HasPrefix(a.Name, "-") || strings.ContainsAny(a.Name, " /*?[") {
		return ansible.Result{}, fault.New(fault.Invalid, "name is %q; expected the name of one unit, such as flanneld.service", a.Name)
	}
	begin := time.Now()
	if a.DaemonReload && !call.CheckMode {
		if err := systemd.Reload(ctx); err != nil {
			return ansible.Result{}, err
		}
	}
	unit, err := systemd.Get(ctx, systemd.FullName(a.Name))
	if err != nil {
		return ansible.Result{}, err
	}
	verbs := unit.Verbs(systemd.Wish{State: a.State, Enabled: a.Enabled, Masked: a.Masked})
	if err := possible(unit, a, verbs); err != nil {
		return ansible.Result{Data: result{Unit: unit}}, err
	}
	if !call.CheckMode {
		unit, err = carryOut(ctx, call, unit, verbs)
	}
	data := result{Unit: unit, Seconds: time.Since(begin).Seconds()}
	return ansible.Result{Changed: len(verbs) > 0, Msg: message(unit, verbs, call.CheckMode), Data: data}, err
}

// possible refuses before anything is changed.
func possible(u systemd.Unit, a args, verbs []string) error {
	if u.Load == "not-found" && len(verbs) > 0 {
		return fault.New(fault.Invalid, "there is no unit %s on this host", u.Name).WithHint("systemctl list-unit-files")
	}
	staysMasked := u.Masked() && (a.Masked == nil || *a.Masked)
	if staysMasked && (a.State == "started" || a.State == "restarted" || a.State == "reloaded") {
		return fault.New(fault.Refused, "%s is masked", u.Name).WithHint("masked=false unmasks it in the same task")
	}
	return nil
}

func carryOut(ctx context.Context, call *ansible.Call, before systemd.Unit, verbs []string) (systemd.Unit, error) {
	for _, verb := range verbs {
		waits := verb == "start" || verb == "restart" || verb == "stop"
		if waits {
			call.MarkChanged() // a verb that fails was tried, and may have stopped what ran before
		}
		if _, err := systemd.Run(ctx, verb, before.Name); err != nil {
			return before, err
		}
		call.MarkChanged()
		if !waits {
			continue
		}
		if _, err := systemd.Await(ctx, before, verb); err != nil {
			return before, err
		}
	}
	return systemd.Get(ctx, before.Name)
}

func message(u systemd.Unit, verbs []string, check bool) string {
	state := fmt.Sprintf("%s is %s (%s)", u.Name, u.Active, u.Sub)
	switch {
	case len(verbs) == 0:
		return state + " already"
	case check:
		return fmt.Sprintf("%s; would %s it", state, strings.Join(verbs, " and "))
	}
	return state
}
