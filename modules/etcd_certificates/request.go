package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/safefile"
)

// keyBits is RHEL 7's default, which the installer takes.
const keyBits = 2048

type standing struct {
	Purpose     string   `json:"purpose"`
	Path        string   `json:"path"`
	SANs        []string `json:"sans"`
	NotAfter    string   `json:"not_after"`
	ExpiresDays int      `json:"expires_days"`
	Due         bool     `json:"due"`
}

type standings struct {
	Present    []standing `json:"present"`
	CANotAfter string     `json:"ca_not_after"`
	Requests   []request  `json:"requests"`
	Files      []string   `json:"files"`
}

// info says which certificates are due.
func info(call *ansible.Call, a args, pairs []pair, now time.Time) (ansible.Result, error) {
	_, data, err := look(call, a, pairs, now)
	return ansible.Result{Data: data}, err
}

func look(call *ansible.Call, a args, pairs []pair, now time.Time) (due []pair, data standings, err error) {
	data.Requests, data.Files = []request{}, []string{}
	for _, p := range pairs {
		_, ca, err := p.authorities()
		if err != nil {
			return nil, data, err
		}
		s := p.standing(now)
		s.Due = p.due(a, ca, now)
		data.CANotAfter = ca.NotAfter.UTC().Format(time.RFC3339)
		if data.Present = append(data.Present, s); s.Due {
			due = append(due, p)
		} else if s.ExpiresDays < a.BelowDays {
			call.Warn("%s ends on %s, and the CA on %s: no certificate lives longer than its CA, so a new one would gain nothing. Renew the CA first: "+
				"etcd_ca state=extended on the CA's host, then state=trusted on all", p.Cert, s.NotAfter, data.CANotAfter)
		}
	}
	return due, data, nil
}

func (p pair) standing(now time.Time) standing {
	if p.Current == nil {
		return standing{Purpose: p.Purpose, Path: p.Cert, SANs: []string{}}
	}
	return standing{Purpose: p.Purpose, Path: p.Cert, SANs: opensslca.Names(p.Current), NotAfter: p.Current.NotAfter.UTC().Format(time.RFC3339),
		ExpiresDays: opensslca.DaysLeft(p.Current, now)}
}

// requested makes a key and a request for each certificate that is due. The key stays on this host.
func requested(call *ansible.Call, a args, pairs []pair, now time.Time) (ansible.Result, error) {
	names, err := subjectNames(a.Names)
	if err != nil {
		return ansible.Result{}, err
	}
	due, data, err := look(call, a, pairs, now)
	if err != nil {
		return ansible.Result{}, err
	}
	for _, p := range due {
		if err := p.covers(names, a.New); err != nil {
			return ansible.Result{Data: data}, err
		}
	}
	changed, err := tidy(call, pairs, due)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	for _, p := range due {
		made, text, err := p.request(call, names)
		changed = changed || made
		if err != nil {
			return ansible.Result{Data: data}, err
		}
		if text != "" {
			data.Requests = append(data.Requests, request{Purpose: p.Purpose, Request: text})
		}
		data.Files = append(data.Files, p.newKey(), p.newRequest())
	}
	return ansible.Result{Changed: changed, Data: data}, nil
}

// tidy removes what is left of a renewal that was killed after everything was in place: the key in it is the one in use.
func tidy(call *ansible.Call, pairs, due []pair) (changed bool, err error) {
	for _, p := range pairs {
		if slices.ContainsFunc(due, func(d pair) bool { return d.Cert == p.Cert }) {
			continue
		}
		key, err := readKey(p.newKey())
		if err != nil || !opensslca.SameKey(key.Public(), p.Current.PublicKey) {
			continue // none, or of a renewal that is not finished
		}
		changed = true
		if call.CheckMode {
			continue
		}
		for _, path := range []string{p.newRequest(), p.newKey()} {
			if err := safefile.Remove(path); err != nil {
				return changed, err
			}
			call.MarkChanged()
		}
	}
	return changed, nil
}

// request takes the key that an interrupted run has made. In check mode there is no request without such a key.
func (p pair) request(call *ansible.Call, names []string) (changed bool, text string, err error) {
	key, err := readKey(p.newKey())
	if errors.Is(err, fs.ErrNotExist) {
		if call.CheckMode {
			return true, "", nil
		}
		key, err = p.makeKey()
		if err == nil {
			call.MarkChanged()
			changed = true
		}
	}
	if err != nil {
		return changed, "", err
	}
	der, err := requestFor(key, names)
	if err != nil {
		return changed, "", err
	}
	text = base64.StdEncoding.EncodeToString(der)
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	if old, err := edit.Read(p.newRequest()); err == nil && bytes.Equal(old, encoded) {
		return changed, text, nil
	}
	if call.CheckMode {
		return true, text, nil
	}
	if err := put(file{p.newRequest(), encoded, p.Cert, 0}); err != nil {
		return changed, "", err
	}
	call.MarkChanged()
	return true, text, nil
}

func (p pair) makeKey() (crypto.Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, put(file{p.newKey(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), p.Key, 0o600})
}

func readKey(path string) (crypto.Signer, error) {
	text, err := edit.Read(path)
	if err != nil {
		return nil, err
	}
	key, err := opensslca.ParseKey(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", path).WithHint("look at it, and take it away; the next run makes a new one")
	}
	return key, nil
}

// requestFor returns the same request for the same key and names: RSA's signature (PKCS #1 v1.5) is deterministic.
func requestFor(key crypto.Signer, names []string) ([]byte, error) {
	t := &x509.CertificateRequest{Subject: pkix.Name{CommonName: names[0]}}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	return x509.CreateCertificateRequest(rand.Reader, t, key)
}
