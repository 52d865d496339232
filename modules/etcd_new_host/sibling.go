package main

import (
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/url"
	"slices"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
)

// info reads what a new host needs of this member.
func info(h *host.Host) (ansible.Result, error) {
	if !h.Configured() {
		return ansible.Result{}, fault.New(fault.Refused, "%s is not a member's configuration", h.EtcdConf).WithHint("ask a host that is a member")
	}
	conf, err := edit.Read(h.EtcdConf)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", h.EtcdConf)
	}
	out := &sibling{Conf: base64.StdEncoding.EncodeToString(conf), CAFiles: []caFile{}}
	for _, path := range caPaths(h.Conf.Get) {
		text, err := edit.Read(path)
		if err == nil {
			_, err = opensslca.FirstCertificate(text) // so that no key is taken for a certificate
		}
		if err != nil {
			return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s, a CA file of %s", path, h.EtcdConf)
		}
		out.CAFiles = append(out.CAFiles, caFile{Path: path, Content: base64.StdEncoding.EncodeToString(certificatesOf(text))})
	}
	return ansible.Result{Data: result{Sibling: out, Names: namesOf(h), PeerURLs: h.Config.PeerURLs}}, nil
}

// certificatesOf is a CA file without anything else that may be in it: keys never leave a host.
func certificatesOf(text []byte) []byte {
	var out []byte
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return out
		}
		if block.Type == "CERTIFICATE" {
			out = append(out, pem.EncodeToMemory(block)...)
		}
	}
}

// caPaths are the CA files of an etcd.conf; those of both ports are mostly one.
func caPaths(get func(string) string) []string {
	var paths []string
	for _, key := range []string{"ETCD_TRUSTED_CA_FILE", "ETCD_PEER_TRUSTED_CA_FILE"} {
		if path := get(key); path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// pairFiles are the certificates and keys that an etcd.conf names.
func pairFiles(get func(string) string) []string {
	var paths []string
	for _, key := range []string{"ETCD_CERT_FILE", "ETCD_KEY_FILE", "ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE"} {
		if path := get(key); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

func missing(get func(string) string) []string {
	return slices.DeleteFunc(pairFiles(get), readfile.Exists)
}

// namesOf are the names for a host's certificates: its own, then the addresses of its peer URLs.
func namesOf(h *host.Host) []string {
	names := []string{h.Config.Name}
	for _, raw := range h.Config.PeerURLs {
		if u, err := url.Parse(raw); err == nil && net.ParseIP(u.Hostname()) != nil && !slices.Contains(names, u.Hostname()) {
			names = append(names, u.Hostname())
		}
	}
	return names
}
