package cacopy

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Lacks are files that openshift-ansible's playbooks need to issue a certificate, and the copy does not have.
func (c Copy) Lacks() []string {
	var names []string
	for _, name := range []string{"openssl.cnf"} {
		if _, ok := c.tree[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// PutBack makes the CA's directory at a path. What is there without a key is set aside, unless it is this copy's, from a run that was killed. The
// key comes last: a directory without one counts as no CA's.
func (c Copy) PutBack(ctx context.Context, at string, now time.Time) (aside []string, err error) {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	files, err := c.content()
	if err != nil {
		return nil, err
	}
	above, err := safefile.OpenDir(filepath.Dir(at))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no place for the CA's directory")
	}
	defer above.Close()
	name := filepath.Base(at)
	old, err := present(above, name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", at)
	}
	if _, ok := old["ca.key"]; ok {
		return nil, fault.New(fault.Refused, "%s has a ca.key, which is not that of the CA in use; nothing was changed", at).
			WithHint("look at it, then set it aside: mv %[1]s %[1]s.old", at)
	}
	if m := (Move{at}); c.Path == m.beside(arriving) { // its way here was cut off; nothing of it is left beside its place
		if err := Write(above, name+arriving, files); err != nil {
			return nil, err
		}
		return m.take(now)
	}
	if !partOf(old, files) {
		if aside, err = SetAside(above, now, name); err != nil {
			return nil, err
		}
	}
	return aside, Write(above, name, files)
}

// content is the copy's, with the newest certificate of the CA, and with what an incomplete copy lacks. The next serial number is a random one:
// numbers that were issued after the copy was made are in no index, and must not be issued again.
func (c Copy) content() (tree, error) {
	files := tree{"index.txt": nil, "index.txt.attr": []byte("unique_subject = no\n")}
	maps.Copy(files, c.tree)
	files["ca.crt"] = c.certificates()
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 61))
	if err != nil {
		return nil, err
	}
	files["serial"] = fmt.Appendf(nil, "%016X\n", number.Uint64()|1<<61)
	return files, nil
}

// certificates are the copy's ca.crt, in which the newest certificate of the CA comes first, since it signs.
func (c Copy) certificates() []byte {
	text := c.tree["ca.crt"]
	if own, err := opensslca.FirstCertificate(text); err == nil && own.Equal(c.Cert) {
		return text
	}
	replaced, _, _, err := opensslca.Replaced(text, c.Cert)
	if own, ferr := opensslca.FirstCertificate(replaced); err == nil && ferr == nil && own.Equal(c.Cert) {
		return replaced
	}
	return opensslca.Encode(c.Cert)
}

// present is what is in the directory now; nil where there is none.
func present(above *safefile.Dir, name string) (tree, error) {
	d, err := above.OpenDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return read(d)
}

func partOf(old, files tree) bool {
	for name, content := range old {
		if will, ok := files[name]; !ok || name != "serial" && !bytes.Equal(content, will) {
			return false
		}
	}
	return true
}

// Write makes the files of a CA's directory, in a directory that may be there in part. The key comes last: a directory without one counts as no CA's.
func Write(above *safefile.Dir, name string, files map[string][]byte) error {
	d, err := openOrMake(above, name)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, sub := range []string{"certs", "crl"} {
		made, err := openOrMake(d, sub)
		if err != nil {
			return err
		}
		made.Close()
	}
	names := slices.Sorted(maps.Keys(files))
	last := func(name string) bool { return name == "ca.key" }
	for _, name := range append(slices.DeleteFunc(slices.Clone(names), last), "ca.key") {
		if err := place(d, name, files[name]); err != nil {
			return err
		}
	}
	return above.Sync()
}

func place(d *safefile.Dir, name string, content []byte) error {
	perm := fs.FileMode(0o644)
	if name == "ca.key" || bytes.Contains(content, []byte("PRIVATE KEY")) || strings.HasSuffix(name, "tgz") {
		perm = 0o600
	}
	dir, file := path.Split(name)
	if dir == "" {
		return d.Write(file, content, perm)
	}
	sub, err := openOrMake(d, path.Clean(dir))
	if err != nil {
		return err
	}
	defer sub.Close()
	return sub.Write(file, content, perm)
}

func openOrMake(d *safefile.Dir, name string) (*safefile.Dir, error) {
	sub, err := d.OpenDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return d.Mkdir(name)
	}
	return sub, err
}

// There is true where the directory has a key already, whoever's it is.
func There(at string) bool { return readfile.Exists(filepath.Join(at, "ca.key")) }
