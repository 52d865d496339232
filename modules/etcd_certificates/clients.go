package main

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/flannelconf"
	"etcd-quorum-restore/modules/internal/masterconfig"
)

// isClient is true for certificates that show only who asks.
func isClient(purpose string) bool { return purpose == "master" || purpose == "flannel" }

func pairsFor(conf etcdconf.Conf, a args) ([]pair, error) {
	if a.Clients {
		return clientPairs(conf, a)
	}
	return pairsOf(conf, a.New)
}

// clientPairs are those of the API and of flannel on this host. A file that etcd or the API uses as well is renewed there.
func clientPairs(conf etcdconf.Conf, a args) ([]pair, error) {
	all, err := clientFiles(a)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{"": true, conf.Get("ETCD_CERT_FILE"): true, conf.Get("ETCD_PEER_CERT_FILE"): true}
	var pairs []pair
	for _, p := range all {
		if taken[p.Cert] {
			continue
		}
		taken[p.Cert] = true
		if p.Key == "" || p.CA == "" || !filepath.IsAbs(p.Cert) || !filepath.IsAbs(p.Key) {
			return nil, fault.New(fault.Unsupported, "expected absolute paths of certificate, key and CA file of %s, found %q, %q and %q", p.Purpose, p.Cert, p.Key, p.CA)
		}
		if p.Current, err = readCertificate(p.Cert); err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func clientFiles(a args) ([]pair, error) {
	var all []pair
	add := func(purpose string, f clienttls.Files) {
		all = append(all, pair{Purpose: purpose, Cert: f.Cert, Key: f.Key, CA: f.CA})
	}
	master, err := masterconfig.Read(a.MasterConfig)
	switch {
	case err == nil && master.EtcdConfig == nil:
		add("master", master.TLS())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	flannel, err := flannelconf.Read(a.FlannelFile)
	add("flannel", flannel)
	return all, err
}

// issuerOf is argument issuer; nil where none is given.
func issuerOf(text string) (*x509.Certificate, error) {
	if text == "" {
		return nil, nil
	}
	der, err := decode(text)
	var c *x509.Certificate
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil || !c.IsCA {
		return nil, fault.New(fault.Invalid, "argument issuer: expected what etcd_ca state=renewed has returned, base64 of DER")
	}
	return c, nil
}
