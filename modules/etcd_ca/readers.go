package main

import (
	"crypto/x509"
	"errors"
	"io/fs"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/flannelconf"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/rotation"
)

// usage is the answer of state=readers.
type usage struct {
	Trusts  []rotation.Trusted     `json:"trusts"`
	Shows   []rotation.Certificate `json:"shows"`
	Restart []string               `json:"restart"`
	Others  rotation.Bystanders    `json:"others"`
}

// used says which CAs this host's readers have in their files, and whose certificates they show.
func used(a args, conf etcdconf.Conf) (ansible.Result, error) {
	data := usage{Trusts: []rotation.Trusted{}, Shows: []rotation.Certificate{}}
	all, err := readers(a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	data.Restart = due(all, nil)
	for _, r := range all {
		found, err := authorities(r.Path)
		if err != nil {
			return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s, the CA file of %s", r.Path, r.Name)
		}
		t := rotation.Trusted{Reader: r.Name, Path: r.Path, CAs: []string{}}
		for _, c := range found {
			t.CAs = append(t.CAs, opensslca.Identity(c))
		}
		data.Trusts = append(data.Trusts, t)
	}
	if data.Others, err = bystanders(a); err != nil {
		return ansible.Result{}, err
	}
	data.Shows, err = shown(a, conf)
	return ansible.Result{Data: data}, err
}

// authorities of a file that is missing are none.
func authorities(path string) ([]*x509.Certificate, error) {
	text, err := edit.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return opensslca.Certificates(text)
}

type pair struct {
	reader string
	files  clienttls.Files
}

// pairs are the certificates that this host's readers show, with their CA files.
func pairs(a args, conf etcdconf.Conf) ([]pair, error) {
	all := []pair{
		{"etcd", clienttls.Files{CA: conf.Get("ETCD_TRUSTED_CA_FILE"), Cert: conf.Get("ETCD_CERT_FILE")}},
		{"etcd", clienttls.Files{CA: conf.Get("ETCD_PEER_TRUSTED_CA_FILE"), Cert: conf.Get("ETCD_PEER_CERT_FILE")}},
	}
	master, err := masterconfig.Read(a.MasterConfig)
	switch {
	case err == nil && master.EtcdConfig == nil:
		all = append(all, pair{"master", master.TLS()})
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	flannel, err := flannelconf.Read(a.FlannelFile)
	return append(all, pair{"flannel", flannel}), err
}

func shown(a args, conf etcdconf.Conf) ([]rotation.Certificate, error) {
	out := []rotation.Certificate{}
	all, err := pairs(a, conf)
	if err != nil {
		return out, err
	}
	for _, p := range all {
		if p.files.Cert == "" || p.files.CA == "" {
			continue
		}
		signer, err := signerOf(p.files)
		if err != nil {
			return out, fault.Wrap(fault.Invalid, err, "%s, the certificate of %s", p.files.Cert, p.reader)
		}
		out = append(out, rotation.Certificate{Reader: p.reader, Path: p.files.Cert, CA: signer})
	}
	return out, nil
}

// signerOf is the identity of the CA that signed a certificate; "" where the CA file does not have it, or there is no certificate.
func signerOf(files clienttls.Files) (string, error) {
	text, err := readfile.Read(files.Cert, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	c, err := opensslca.FirstCertificate(text)
	if err != nil {
		return "", err
	}
	found, err := authorities(files.CA)
	for _, ca := range found {
		if c.CheckSignatureFrom(ca) == nil {
			return opensslca.Identity(ca), nil
		}
	}
	return "", err
}
