package main

import (
	"context"
	"crypto/x509"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/rotation"
)

// renewal is the answer of renewed: the new CA, and how far its rotation is.
type renewal struct {
	authority
	Stage string   `json:"stage"`
	Old   []string `json:"old"`
}

// renewed begins a rotation (reach=trust), or leaves a stage of the one that is under way.
func renewed(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	r, err := rotation.Read(a.CADir)
	switch {
	case err != nil:
		return ansible.Result{}, err
	case r == nil && a.Reach == rotation.Trust:
		return begin(ctx, call, a, conf, time.Now())
	case r == nil:
		return ansible.Result{Data: renewal{Stage: rotation.Done, Old: []string{}}}, nil
	}
	present, wanted := slices.Index(rotation.Stages, r.Stage), slices.Index(rotation.Stages, a.Reach)
	if wanted <= present {
		return ansible.Result{Data: standing(a, r)}, nil
	}
	if wanted > present+1 {
		return ansible.Result{Data: standing(a, r)}, fault.New(fault.Refused, "the CA's rotation is in stage %s, from which it cannot go to %s; nothing was changed", r.Stage, a.Reach).
			WithHint("it continues with: ansible-playbook playbooks/renew_certificates.yml")
	}
	return advance(ctx, call, a, r, time.Now())
}

func standing(a args, r *rotation.Rotation) renewal {
	return renewal{describe(filepath.Join(r.Dir, "ca.crt"), r.Cert, a, time.Now()), r.Stage, rotation.Encode(r.Old)}
}

// begin makes the new CA. One that was made a moment ago is not replaced again: the command may be run a second time.
func begin(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf, now time.Time) (ansible.Result, error) {
	old, err := leaving(a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	if len(old) == 0 {
		return ansible.Result{}, fault.New(fault.Refused, "neither %s nor etcd.conf's CA files have a CA that could be replaced; nothing was changed", a.CADir).
			WithHint("run it on a member of etcd")
	}
	if cacopy.There(a.CADir) && made(old[0], now) < time.Duration(a.OlderThan)*24*time.Hour {
		return ansible.Result{Data: renewal{describe(filepath.Join(a.CADir, "ca.crt"), old[0], a, now), rotation.Done, []string{}}}, nil
	}
	if call.CheckMode {
		return ansible.Result{Changed: true, Data: renewal{describe(filepath.Join(a.CADir, "ca.crt"), old[0], a, now), rotation.Trust, rotation.Encode(old)}}, nil
	}
	call.MarkChanged()
	r, err := rotation.Begin(ctx, a.CADir, old, now, a.Days)
	if err != nil {
		return ansible.Result{}, err
	}
	return ansible.Result{Changed: true, Data: standing(a, r), Diff: []ansible.Diff{{After: line(r.Cert), BeforeHeader: r.Dir, AfterHeader: r.Dir}}}, nil
}

// made is how long ago: a CA begins an hour before.
func made(c *x509.Certificate, now time.Time) time.Duration { return now.Sub(c.NotBefore) - time.Hour }

// leaving are the CAs that the new one replaces: those of the CA's own file, the signing one first, and the signers of this member's certificates.
func leaving(a args, conf etcdconf.Conf) (old []*x509.Certificate, err error) {
	own, err := authorities(filepath.Join(a.CADir, "ca.crt"))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", filepath.Join(a.CADir, "ca.crt"))
	}
	trusted, err := cacopy.Trusted(conf)
	if err != nil {
		return nil, err
	}
	shows, err := shown(a, conf)
	if err != nil {
		return nil, err
	}
	signed := func(c *x509.Certificate) bool {
		return slices.ContainsFunc(shows, func(s rotation.Certificate) bool { return s.CA == opensslca.Identity(c) })
	}
	for i, c := range append(own, trusted...) {
		known := slices.ContainsFunc(old, func(o *x509.Certificate) bool { return opensslca.SameCA(o, c) })
		if c.IsCA && !known && (i < len(own) || signed(c)) {
			old = append(old, c)
		}
	}
	return old, nil
}

func advance(ctx context.Context, call *ansible.Call, a args, r *rotation.Rotation, now time.Time) (ansible.Result, error) {
	data := standing(a, r)
	if err := mayLeave(ctx, call, a, r); err != nil {
		return ansible.Result{Data: data}, err
	}
	if call.CheckMode {
		return ansible.Result{Changed: true, Data: data}, nil
	}
	call.MarkChanged()
	aside, err := r.Advance(ctx, now)
	r.Stage = a.Reach
	data = standing(a, r)
	data.SetAside = append(data.SetAside, aside...)
	return ansible.Result{Changed: true, Data: data}, err
}

// mayLeave asks the running members last: it is the only proof of what they have loaded.
func mayLeave(ctx context.Context, call *ansible.Call, a args, r *rotation.Rotation) error {
	if len(a.Hosts) == 0 {
		return fault.New(fault.Invalid, "argument hosts: expected what state=readers returned on each host of etcd, master and node; got none")
	}
	blockers := r.Blockers(a.Hosts, a.Nodes, a.CalicoSecret)
	if len(blockers) == 0 {
		ports, err := ports(ctx, a)
		if err != nil {
			return err
		}
		if blockers, err = r.Refused(ctx, ports); err != nil {
			return err
		}
		if r.Stage == rotation.Members && len(blockers) == 0 {
			still, checked, err := r.StillAccepted(ctx, ports)
			if err != nil {
				return err
			}
			if blockers = still; !checked {
				call.Warn("whether a certificate of the old CA is refused was not tried: its key is not in %s.before-* any more", filepath.Clean(a.CADir))
			}
		}
	}
	if len(blockers) == 0 {
		return nil
	}
	return fault.New(fault.Refused, "the CA's rotation stays in stage %s: %s; nothing was changed", r.Stage, strings.Join(blockers, "; ")).
		WithHint("where a host is gone for good, take it out of the inventory. Mend what is named, then continue: ansible-playbook playbooks/renew_certificates.yml")
}

// ports are all URLs of the member list, of peers and of clients.
func ports(ctx context.Context, a args) (all []string, err error) {
	cfg, err := etcd.Access{}.Config(a.EtcdConf)
	if err != nil {
		return nil, err
	}
	c, err := etcd.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	members, err := c.MemberList(ctx)
	for _, m := range members {
		all = append(append(all, m.PeerURLs...), m.ClientURLs...)
	}
	return all, err
}

// dropped takes the old CAs out of the files of some readers. Each must show a certificate of the new one, or it would refuse itself.
func dropped(call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	c, err := given(a)
	if err != nil {
		return ansible.Result{}, err
	}
	old, err := rotation.Decode(a.Old)
	if err != nil || len(old) == 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "argument old: expected what state=renewed has returned, base64 of DER")
	}
	if len(a.Readers) == 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "argument readers: expected who stops trusting the old CA, some of etcd, master, flannel; got none")
	}
	all, err := readers(a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	if err := renewedAll(a, conf, c); err != nil {
		return ansible.Result{}, err
	}
	// Who reads a file that somebody else's turn changes has to be restarted for it, too.
	concerned := slices.DeleteFunc(slices.Clone(all), func(r reader) bool {
		return !slices.ContainsFunc(all, func(other reader) bool { return other.Path == r.Path && slices.Contains(a.Readers, other.Name) })
	})
	w := rewrite{c, true, func(text []byte) ([]byte, bool, bool, error) { return opensslca.Without(text, c, old) }}
	plan, err := w.changes(call, concerned)
	if err != nil {
		return ansible.Result{}, err
	}
	return w.put(call, concerned, plan)
}

func renewedAll(a args, conf etcdconf.Conf, c *x509.Certificate) error {
	shows, err := shown(a, conf)
	if err != nil {
		return err
	}
	for _, s := range shows {
		if s.CA != opensslca.Identity(c) {
			return fault.New(fault.Refused, "%s, the certificate of %s, is not signed by the new CA; nothing was changed", s.Path, s.Reader).
				WithHint("renew it first: ansible-playbook playbooks/renew_certificates.yml")
		}
	}
	return nil
}
