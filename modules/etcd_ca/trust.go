package main

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/flannelconf"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/rotation"
	"etcd-quorum-restore/modules/internal/safefile"
)

// reader is a program that trusts the CA by a file on this host, and reads that file only when it starts.
type reader struct{ Name, Path string }

// trust is the answer of trusted and loaded.
type trust struct {
	Files    []trustFile `json:"files"`
	Restart  []string    `json:"restart"`
	SetAside []string    `json:"set_aside"`
}

type trustFile struct {
	Reader   string `json:"reader"`
	Path     string `json:"path"`
	NotAfter string `json:"not_after"`
}

// pending is a mark beside the CA's file. It is there from before the file is changed until the reader was restarted, so that a run after a kill
// knows which restarts are left.
func (r reader) pending() string { return facts.RestartMark(r.Path, r.Name) }

func trusted(call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	c, err := given(a)
	if err != nil {
		return ansible.Result{}, err
	}
	beside, err := rotation.Decode(a.Old)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "argument old")
	}
	all, err := readers(a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	warnOfClient(call, a, time.Now())
	r := rewrite{c, len(beside) > 0, func(text []byte) ([]byte, bool, bool, error) { return opensslca.Joined(text, c, beside) }}
	plan, err := r.changes(call, all)
	if err != nil {
		return ansible.Result{}, err
	}
	return r.put(call, all, plan)
}

// given is argument certificate.
func given(a args) (*x509.Certificate, error) {
	all, err := rotation.Decode([]string{a.Certificate})
	if err != nil || a.Certificate == "" {
		return nil, fault.New(fault.Invalid, "argument certificate: expected what state=extended has returned, base64 of DER")
	}
	if all[0].CheckSignatureFrom(all[0]) != nil {
		return nil, fault.New(fault.Invalid, "argument certificate: it is no CA's that has signed itself").WithHint("give what state=extended has returned")
	}
	return all[0], nil
}

// rewrite is how the content of a CA file changes, and the certificate that the change is about.
type rewrite struct {
	Cert *x509.Certificate
	New  bool // of a new CA, or the end of an old one
	edit func(text []byte) (content []byte, found, same bool, err error)
}

// warnOfClient: with an expired certificate of its own the API reaches no etcd, whatever it trusts.
func warnOfClient(call *ansible.Call, a args, now time.Time) {
	master, err := masterconfig.Read(a.MasterConfig)
	if err != nil || master.EtcdConfig != nil {
		return
	}
	text, err := readfile.Read(master.TLS().Cert, readfile.Text)
	if err != nil {
		return
	}
	if c, err := opensslca.FirstCertificate(text); err == nil && now.After(c.NotAfter) {
		call.Warn("%s, the API's own certificate for etcd, expired on %s, and is not renewed here. When etcd serves again, renew it by openshift-ansible's "+
			"playbooks/openshift-etcd/redeploy-certificates.yml, then run renew_certificates.yml again", master.TLS().Cert, utc(c.NotAfter))
	}
}

// changes looks at all files before the first one is changed.
func (w rewrite) changes(call *ansible.Call, all []reader) (plan []reader, err error) {
	for _, r := range all {
		text, err := edit.Read(r.Path)
		if errors.Is(err, fs.ErrNotExist) {
			call.Warn("%s, the CA file of %s, does not exist: whoever needs it cannot speak to etcd", r.Path, r.Name)
			continue
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s, the CA file of %s; nothing was changed", r.Path, r.Name)
		}
		_, found, same, err := w.edit(text)
		switch {
		case err != nil:
			return nil, fault.Wrap(fault.Invalid, err, "%s, the CA file of %s; nothing was changed", r.Path, r.Name)
		case !found:
			call.Warn("%s, the CA file of %s, does not trust %s: it stays as it is", r.Path, r.Name, w.Cert.Subject)
		case !same:
			plan = append(plan, r)
		}
	}
	return plan, nil
}

// put marks the restarts before it changes a file. Two readers may have one file.
func (w rewrite) put(call *ansible.Call, all, plan []reader) (ansible.Result, error) {
	data := trust{Files: []trustFile{}, Restart: due(all, plan), SetAside: []string{}}
	result := ansible.Result{Changed: len(plan) > 0, Data: data}
	for _, r := range plan {
		data.Files = append(data.Files, trustFile{r.Name, r.Path, utc(w.Cert.NotAfter)})
		if call.CheckMode {
			continue
		}
		if err := w.mark(r); err != nil {
			return result, err
		}
		call.MarkChanged()
	}
	for _, r := range plan {
		diff, aside, err := w.replaceIn(r.Path, call.CheckMode)
		if data.SetAside = append(data.SetAside, aside...); diff.Before != diff.After {
			result.Diff = append(result.Diff, diff)
		}
		result.Data = data
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

// mark keeps one that is there: its cause may be the graver one.
func (w rewrite) mark(r reader) error {
	text := "A restart of " + r.Name + " is due: " + r.Path + " was changed.\n"
	if w.New {
		text = facts.MarkOfANewCA
	}
	if w.New && readfile.Exists(r.pending()) {
		return nil
	}
	return safefile.Write(r.pending(), []byte(text), 0o600)
}

// due are the readers whose restart is left, from this run or from one that was killed.
func due(all, plan []reader) []string {
	names := []string{}
	for _, r := range all {
		if (readfile.Exists(r.pending()) || slices.Contains(plan, r)) && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// loaded removes the marks: the readers were restarted.
func loaded(call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	if len(a.Readers) == 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "argument readers: expected who was restarted, some of etcd, master, flannel; got none")
	}
	all, err := readers(a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	changed := false
	for _, r := range all {
		if !slices.Contains(a.Readers, r.Name) || !readfile.Exists(r.pending()) {
			continue
		}
		changed = true
		if call.CheckMode {
			continue
		}
		if err := safefile.Remove(r.pending()); err != nil {
			return ansible.Result{}, err
		}
		call.MarkChanged()
	}
	left := slices.DeleteFunc(slices.Clone(all), func(r reader) bool { return slices.Contains(a.Readers, r.Name) })
	return ansible.Result{Changed: changed, Data: trust{Files: []trustFile{}, Restart: due(left, nil), SetAside: []string{}}}, nil
}

// readers are those that are on this host.
func readers(a args, conf etcdconf.Conf) ([]reader, error) {
	all := []reader{{"etcd", conf.Get("ETCD_TRUSTED_CA_FILE")}, {"etcd", conf.Get("ETCD_PEER_TRUSTED_CA_FILE")}}
	master, err := masterconfig.Read(a.MasterConfig)
	switch {
	case err == nil && master.EtcdConfig == nil:
		all = append(all, reader{"master", master.TLS().CA})
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	flannel, err := flannelFile(a.FlannelFile)
	if err != nil {
		return nil, err
	}
	all = append(all, reader{"flannel", flannel})
	var there []reader
	for _, r := range all {
		// A master on a host of etcd may read etcd's own file: both are restarted then, and each needs its mark.
		if r.Path != "" && !slices.Contains(there, r) {
			there = append(there, r)
		}
	}
	return there, nil
}

// flannelFile is the CA file of flanneld; "" where it has none.
func flannelFile(path string) (string, error) {
	files, err := flannelconf.Read(path)
	return files.CA, err
}
