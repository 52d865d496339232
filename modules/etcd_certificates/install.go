package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io/fs"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

type installation struct {
	Installed []standing `json:"present"`
	SetAside  []string   `json:"set_aside"`
}

// change is one certificate that is to be put in place.
type change struct {
	pair
	New    *x509.Certificate
	Key    []byte // the text that is to be in place
	Staged bool   // it comes from newKey
}

// installed looks at all certificates before it changes one.
func installed(call *ansible.Call, a args, pairs []pair, now time.Time) (ansible.Result, error) {
	data := installation{Installed: []standing{}, SetAside: []string{}}
	var changes []change
	for _, given := range a.Certificates {
		p, err := pairFor(pairs, given.Purpose)
		if err != nil {
			return ansible.Result{}, err
		}
		c, err := p.check(given, now)
		if err != nil {
			return ansible.Result{}, err
		}
		changes = append(changes, c)
	}
	result := ansible.Result{Data: data}
	for _, c := range changes {
		changed, aside, err := c.apply(call)
		data.SetAside = append(data.SetAside, aside...)
		result.Data = data
		if err != nil {
			return result, err
		}
		if changed {
			result.Changed = true
			result.Diff = append(result.Diff, ansible.Diff{Before: describe(c.Current), After: describe(c.New), BeforeHeader: c.Cert, AfterHeader: c.Cert})
		}
		data.Installed = append(data.Installed, standing{Purpose: c.Purpose, Path: c.Cert, SANs: opensslca.Names(c.New),
			NotAfter: c.New.NotAfter.UTC().Format(time.RFC3339), ExpiresDays: opensslca.DaysLeft(c.New, now)})
		result.Data = data
	}
	return result, nil
}

func pairFor(pairs []pair, purpose string) (pair, error) {
	for _, p := range pairs {
		if p.Purpose == purpose {
			return p, nil
		}
	}
	return pair{}, fault.New(fault.Invalid, "argument certificates: expected a purpose of this host (server, peer; with clients: master, flannel), found %.40q", purpose)
}

// check proves that etcd could use the certificate: with the key that is here, trusted by this host's CA file on both sides of a connection,
// and issued for this host's URLs.
func (p pair) check(given certificate, now time.Time) (change, error) {
	c := change{pair: p}
	der, err := decode(given.Certificate)
	if err == nil {
		c.New, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return c, fault.Wrap(fault.Invalid, err, "argument certificates: %s", p.Purpose)
	}
	if err := c.findKey(); err != nil {
		return c, err
	}
	roots, _, err := p.authorities()
	if err != nil {
		return c, err
	}
	for _, usage := range p.usages() {
		if _, err := c.New.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			return c, fault.Wrap(fault.Refused, err, "the new certificate for %s does not hold here (%s, by %s); nothing was changed", p.Cert, usage, p.CA).
				WithHint("%s must have the CA that signed it, and the clocks of this host and the CA's must agree", p.CA)
		}
	}
	for _, host := range p.Hosts {
		if c.New.VerifyHostname(host) != nil {
			return c, fault.New(fault.Refused, "the new certificate for %s is for %s, and not for %s, which is in this host's URLs; nothing was changed",
				p.Cert, strings.Join(opensslca.Names(c.New), ", "), host).WithHint("give all names of this host to state=requested and state=issued")
		}
	}
	return c, nil
}

// findKey takes the key of the request, or the one in place where an interrupted run has put it there already.
func (c *change) findKey() error {
	for _, path := range []string{c.newKey(), c.pair.Key} {
		text, err := edit.Read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		key, err := opensslca.ParseKey(text)
		if err == nil && opensslca.SameKey(key.Public(), c.New.PublicKey) {
			c.Key, c.Staged = text, path == c.newKey()
			return nil
		}
	}
	return fault.New(fault.Refused, "the new certificate for %s fits neither the key in %s nor the one in %s; nothing was changed", c.Cert, c.newKey(), c.pair.Key).
		WithHint("it was issued for another request: run state=requested and state=issued again")
}

// apply sets the old files aside, then puts key and certificate in place, and takes the request away last: until then a run that was killed at
// any point is finished by the next, with the same key and certificate.
func (c change) apply(call *ansible.Call) (changed bool, aside []string, err error) {
	steps, err := c.steps()
	if err != nil || len(steps) == 0 {
		return false, nil, err
	}
	for _, s := range steps {
		if s.aside != "" {
			aside = append(aside, s.aside)
		}
		if call.CheckMode {
			continue
		}
		if err := s.do(); err != nil {
			return changed, aside, fault.Wrap(fault.Internal, err, "%s: %s", c.Cert, s.name).WithHint("run the task again; it continues from here")
		}
		call.MarkChanged()
		changed = true
	}
	return true, aside, nil
}

type step struct {
	name, aside string
	do          func() error
}

func (c change) steps() ([]step, error) {
	var steps []step
	cert := opensslca.Encode(c.New)
	current, err := edit.Read(c.pair.Key)
	if errors.Is(err, fs.ErrNotExist) {
		current, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	keyInPlace, certInPlace := bytes.Equal(current, c.Key), c.New.Equal(c.Current)
	for _, old := range []struct {
		path string
		mode fs.FileMode
		skip bool
	}{{c.pair.Key, 0o600, keyInPlace}, {c.Cert, 0, certInPlace}} {
		if old.skip || !readfile.Exists(old.path) {
			continue
		}
		kept, already, err := edit.NameAside(old.path, ".before-"+opensslca.Serial(c.New))
		if err != nil {
			return nil, err
		}
		if !already {
			steps = append(steps, step{"set the old file aside", kept, func() error { return setAside(old.path, kept, old.mode) }})
		}
	}
	var files []file
	if !keyInPlace {
		files = append(files, file{c.pair.Key, c.Key, c.pair.Key, 0o600})
	}
	if !certInPlace {
		files = append(files, file{c.Cert, cert, c.Cert, 0})
	}
	if len(files) > 0 {
		// etcd, and a master, read both at each connection.
		steps = append(steps, step{"put key and certificate in place", "", func() error { return put(files...) }})
	}
	for _, path := range []string{c.newRequest(), c.newKey()} {
		if c.Staged && readfile.Exists(path) {
			steps = append(steps, step{"take the request away", "", func() error { return safefile.Remove(path) }})
		}
	}
	return steps, nil
}
