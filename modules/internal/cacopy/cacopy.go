// Package cacopy finds copies of the CA's directory on a host, and makes the directory of one again. openshift-ansible leaves some itself: whole
// directories on every host of etcd, and archives in /etc/etcd [openshift-ansible release-3.11, roles/etcd/tasks/certificates]. Keys stay in memory.
package cacopy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"path"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Copy is a CA's directory with its key, which is that of a CA that this host trusts.
type Copy struct {
	Path string            // a directory, or an archive
	Cert *x509.Certificate // the CA's, the newest that is known
	rank int               // in the file of trusted certificates, where the CA in use comes first
	tree tree
}

// tree is the content of files, by their names relative to the CA's directory.
type tree map[string][]byte

// Trusted are the certificates that etcd on this host accepts as a CA's.
func Trusted(conf etcdconf.Conf) (all []*x509.Certificate, err error) {
	for _, setting := range []string{"ETCD_PEER_TRUSTED_CA_FILE", "ETCD_TRUSTED_CA_FILE"} {
		file := conf.Get(setting)
		if file == "" {
			continue
		}
		text, err := edit.Read(file)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s", file)
		}
		found, err := opensslca.Certificates(text)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%s", file)
		}
		all = append(all, found...)
	}
	return all, nil
}

// Find looks for copies below directories, the best one first. Missed names what was too large, or could not be read.
func Find(ctx context.Context, trusted []*x509.Certificate, dirs ...string) (found []Copy, missed []string, err error) {
	type answer struct {
		found  []Copy
		missed []string
	}
	if len(trusted) == 0 {
		return nil, nil, nil
	}
	a, err := readfile.Await(ctx, strings.Join(dirs, ", "), func() (answer, error) {
		s := search{ctx: ctx, trusted: trusted, names: mostNames, bytes: mostBytes}
		for _, dir := range dirs {
			s.below(dir)
		}
		return answer{s.found, s.missed}, ctx.Err()
	})
	slices.SortStableFunc(a.found, func(x, y Copy) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), -cmp.Compare(x.issued(), y.issued()))
	})
	return a.found, a.missed, err
}

// issued is how many certificates the copy knows of: the one that knows most is the latest.
func (c Copy) issued() int { return bytes.Count(c.tree["index.txt"], []byte("\n")) }

// judge makes a copy of files, if they hold the key of a CA that is trusted here.
func judge(at string, files tree, trusted []*x509.Certificate) (Copy, bool) {
	key, err := opensslca.ParseKey(files["ca.key"])
	if err != nil {
		return Copy{}, false
	}
	c := Copy{Path: at, tree: files}
	for i, cert := range trusted {
		if !cert.IsCA || !opensslca.SameKey(key.Public(), cert.PublicKey) {
			continue
		}
		if c.Cert == nil {
			c.Cert, c.rank = cert, i
		}
		if cert.NotAfter.After(c.Cert.NotAfter) {
			c.Cert = cert
		}
	}
	if c.Cert == nil {
		return c, false
	}
	own, err := opensslca.FirstCertificate(files["ca.crt"])
	if err == nil && opensslca.SameCA(own, c.Cert) && own.NotAfter.After(c.Cert.NotAfter) {
		c.Cert = own
	}
	return c, true
}

// under are the files of one directory of an archive, at most one level deeper, as certs/01.pem.
func (t tree) under(dir string) tree {
	files := tree{}
	for name, content := range t {
		rest, ok := strings.CutPrefix(name, dir)
		if ok && strings.Count(rest, "/") < 2 && path.Clean(rest) == rest && !strings.HasPrefix(rest, "..") {
			files[rest] = content
		}
	}
	return files
}
