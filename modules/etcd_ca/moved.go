package main

import (
	"context"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/rotation"
)

// journey is the answer of moved: each field is the argument of the same name of a later step, and empty where that has nothing to do.
type journey struct {
	Offer    string   `json:"offer"`
	To       string   `json:"to"`
	Sealed   string   `json:"sealed"`
	Arrived  string   `json:"arrived"`
	Left     string   `json:"left"`
	SetAside []string `json:"set_aside"`
}

// moved is one step of the CA's way to another host. A step whose work is done already, or that the earlier ones leave nothing to do, changes nothing.
func moved(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	m := cacopy.Move{At: a.CADir}
	switch a.Step {
	case "offer":
		return offer(m)
	case "ask":
		return ask(ctx, call, a, m)
	case "send":
		return send(ctx, call, a, m)
	case "receive":
		return receive(ctx, call, a, m, conf)
	case "leave":
		return leave(ctx, call, a, m)
	case "take":
		return take(ctx, call, a, m)
	}
	return ansible.Result{}, fault.New(fault.Invalid, "argument step: expected one of offer, ask, send, receive, leave, take; got none")
}

func step(changed bool, j journey) ansible.Result {
	j.SetAside = append([]string{}, j.SetAside...)
	return ansible.Result{Changed: changed, Data: j}
}

// offer refuses while a new CA is being rolled out: what knows how far that is stays beside the CA's directory.
func offer(m cacopy.Move) (ansible.Result, error) {
	switch r, err := rotation.Read(m.At); {
	case err != nil:
		return ansible.Result{}, err
	case r != nil:
		return ansible.Result{}, fault.New(fault.Refused, "a new CA is being rolled out from this host (stage %s): it cannot move before that is finished; nothing was changed", r.Stage).
			WithHint("finish it: ansible-playbook playbooks/renew_certificates.yml")
	}
	sum, err := m.Sum()
	return step(false, journey{Offer: sum}), err
}

// ask needs no key where what is offered has arrived already, in a run that was killed.
func ask(ctx context.Context, call *ansible.Call, a args, m cacopy.Move) (ansible.Result, error) {
	arrived, err := m.Arrived()
	if err != nil || a.Offer == "" {
		return step(false, journey{}), err
	}
	if a.Offer == arrived && m.Check(ctx, arrived) == nil {
		return step(false, journey{}), nil
	}
	if call.CheckMode {
		return step(m.WillAsk(), journey{}), nil
	}
	to, made, err := m.Ask()
	if made {
		call.MarkChanged()
	}
	return step(made, journey{To: to}), err
}

func send(ctx context.Context, call *ansible.Call, a args, m cacopy.Move) (ansible.Result, error) {
	if a.To == "" {
		return step(false, journey{}), nil
	}
	sealed, skipped, err := m.Send(ctx, a.To)
	if len(skipped) > 0 {
		call.Warn("not sent, since openssl's CA directory has no such things; it is set aside with the rest: %s", strings.Join(skipped, ", "))
	}
	return step(false, journey{Sealed: sealed}), err
}

func receive(ctx context.Context, call *ansible.Call, a args, m cacopy.Move, conf etcdconf.Conf) (ansible.Result, error) {
	if a.Sealed != "" {
		trusted, err := cacopy.Trusted(conf)
		if err != nil {
			return ansible.Result{}, err
		}
		files, err := m.Open(a.Sealed, trusted)
		if err != nil {
			return ansible.Result{}, err
		}
		if call.CheckMode {
			return step(true, journey{}), nil
		}
		call.MarkChanged()
		if err := m.Receive(ctx, files); err != nil {
			return step(true, journey{}), err
		}
	}
	arrived, err := m.Arrived()
	return step(a.Sealed != "", journey{Arrived: arrived}), err
}

// leave compares once more: what was issued here since it was sent is not lost.
func leave(ctx context.Context, call *ansible.Call, a args, m cacopy.Move) (ansible.Result, error) {
	now := time.Now()
	has, err := m.Sum()
	if err != nil {
		return ansible.Result{}, err
	}
	if has == "" {
		left, err := m.Left()
		return step(false, journey{Left: left}), err
	}
	aside, diff := m.LeavesTo(now), signer(ctx, m.At)
	if !call.CheckMode {
		if a.Arrived == "" {
			return ansible.Result{}, fault.New(fault.Refused, "the CA has not arrived at another host; nothing was changed").
				WithHint("give what step=receive has returned there as arrived")
		}
		if aside, err = m.Leave(ctx, a.Arrived, now); err != nil {
			return ansible.Result{}, err
		}
		call.MarkChanged()
	}
	result := step(true, journey{Left: has, SetAside: []string{aside}})
	result.Diff = []ansible.Diff{{Before: diff, BeforeHeader: m.At, AfterHeader: m.At}}
	return result, nil
}

// take changes nothing before the old host has set aside what is here.
func take(ctx context.Context, call *ansible.Call, a args, m cacopy.Move) (ansible.Result, error) {
	arrived, err := m.Arrived()
	if err != nil {
		return ansible.Result{}, err
	}
	has, err := m.Sum()
	switch {
	case err != nil:
		return ansible.Result{}, err
	case arrived == "" && has != "" && !(call.CheckMode && a.Left != has):
		return step(false, journey{}), nil
	case !call.CheckMode && (arrived == "" || arrived != a.Left):
		return ansible.Result{}, fault.New(fault.Refused, "what the old host has set aside has not arrived here; nothing was changed").WithHint("run the same command again")
	}
	diff := []ansible.Diff{{After: signer(ctx, m.Arriving()), BeforeHeader: m.At, AfterHeader: m.At}}
	var aside []string
	if !call.CheckMode {
		call.MarkChanged()
		aside, err = m.Take(ctx, time.Now())
	}
	result := step(true, journey{SetAside: aside})
	result.Diff = diff
	return result, err
}

// signer is a line about the CA of a directory, for the diff.
func signer(ctx context.Context, path string) string {
	ca, err := opensslca.Open(ctx, path, false)
	if err != nil {
		return ""
	}
	defer ca.Close()
	return line(ca.Cert)
}
