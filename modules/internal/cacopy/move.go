package cacopy

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Move is the CA's way to another host, in steps that a run may leave at any point and the next one continues:
//
//	ask      the receiver makes a key for this journey
//	send     the host that has the CA encrypts its directory to it
//	receive  the receiver lays it beside the CA's place, and has it sign
//	leave    the old host sets its own aside, if nothing was issued there since
//	take     the receiver gives it its place
//
// Between the last two nobody has a CA, so no number is issued twice; both hosts have a copy that can be put back.
type Move struct{ At string } // the CA's directory, of the same name on both hosts

// Endings of names beside the CA's directory.
const (
	arriving = facts.CAArriving
	journey  = arriving + ".key" // the key that it is encrypted to
	gone     = ".moved-"         // and a time: the directory on the host that the CA has left
)

// Arriving is where what was received is.
func (m Move) Arriving() string { return m.beside(arriving) }

// Sum names the content of the CA's directory; "" where there is no key in it.
func (m Move) Sum() (string, error) { return sumAt(filepath.Clean(m.At)) }

// Arrived names the content of what was received; "" where there is nothing, or a part.
func (m Move) Arrived() (string, error) { return sumAt(m.beside(arriving)) }

// Ask returns the public key that the directory is to be encrypted to. One of a run that was killed is used again.
func (m Move) Ask() (public string, made bool, err error) {
	key, err := m.key()
	if made = errors.Is(err, fs.ErrNotExist); made {
		key, err = m.newKey()
	}
	if err != nil {
		return "", false, err
	}
	return base64.StdEncoding.EncodeToString(key.PublicKey().Bytes()), made, nil
}

// WillAsk is true where Ask would make a key.
func (m Move) WillAsk() bool { return !readfile.Exists(m.beside(journey)) }

// Send encrypts the directory. Skipped are entries that stay behind: links, and what is deeper than a CA's directory is.
func (m Move) Send(ctx context.Context, to string) (sealed string, skipped []string, err error) {
	public, err := publicKey(to)
	if err != nil {
		return "", nil, err
	}
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return "", nil, err
	}
	defer lock.Close()
	d, err := safefile.OpenDir(m.At)
	if err != nil {
		return "", nil, fault.Wrap(fault.Invalid, err, "the CA's directory")
	}
	defer d.Close()
	files, err := read(d)
	if err != nil {
		return "", nil, fault.Wrap(fault.Invalid, err, "%s", m.At)
	}
	text, err := packed(files)
	if err != nil {
		return "", nil, err
	}
	if skipped, err = behind(d); err != nil {
		return "", nil, err
	}
	raw, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), purpose, text)
	if len(raw) > mostSent {
		return "", nil, fault.New(fault.Unsupported, "%s is too large to be sent: %d MB packed; nothing was changed", m.At, len(raw)>>20).
			WithHint("set aside what is old there, such as certificates that have expired in certs")
	}
	return base64.StdEncoding.EncodeToString(raw), skipped, err
}

// Open decrypts what was sent. Only a CA that this host's etcd trusts is taken.
func (m Move) Open(sealed string, trusted []*x509.Certificate) (map[string][]byte, error) {
	files, err := m.open(sealed)
	if err != nil {
		return nil, err
	}
	if _, ok := judge(m.At, files, trusted); !ok {
		return nil, fault.New(fault.Refused, "what was sent is not the directory of a CA that etcd trusts here; nothing was changed").
			WithHint("look which host has the CA in use: ansible-playbook playbooks/verify.yml; remove_host.yml -e etcd_ca_moved=yes leaves this one where it is")
	}
	return files, nil
}

// Receive lays what was sent beside the CA's place, if it can sign. The key of the journey is removed then: whoever has kept what was sent cannot read it
// any more.
func (m Move) Receive(ctx context.Context, files map[string][]byte) error {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	above, err := m.above()
	if err != nil {
		return err
	}
	defer above.Close()
	name := filepath.Base(m.beside(arriving))
	if err := above.RemoveAll(name); err != nil { // of an earlier try, whose CA is still where it was
		return err
	}
	if err := Write(above, name, files); err != nil {
		return err
	}
	if err := m.Check(ctx, tree(files).sum()); err != nil {
		return err
	}
	return m.forget(above)
}

// Check reads what was received from the disk again, and has it sign a certificate, which is kept nowhere.
func (m Move) Check(ctx context.Context, sum string) error {
	path := m.beside(arriving)
	has, err := m.Arrived()
	if err != nil {
		return err
	}
	if has != sum {
		return fault.New(fault.Corrupt, "%s is not what was sent; the CA stays where it is", path).WithHint("run the same command again")
	}
	ca, err := opensslca.Open(ctx, path, false)
	if err != nil {
		return err
	}
	defer ca.Close()
	return ca.TrySign(time.Now())
}

// Leave sets the CA's directory aside, if it is what has arrived at the other host.
func (m Move) Leave(ctx context.Context, arrived string, now time.Time) (aside string, err error) {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	has, err := m.Sum()
	if err != nil {
		return "", err
	}
	if has != arrived {
		return "", fault.New(fault.Refused, "%s is not what has arrived at the other host: something was issued here since; nothing was changed", m.At).
			WithHint("run the same command again")
	}
	above, err := m.above()
	if err != nil {
		return "", err
	}
	defer above.Close()
	aside = m.LeavesTo(now)
	return aside, above.Rename(filepath.Base(m.beside("")), above, filepath.Base(aside))
}

// LeavesTo is where the directory is set aside.
func (m Move) LeavesTo(now time.Time) string { return m.beside(gone + stamp(now)) }

// Left names the content of what was set aside last; "" where nothing was.
func (m Move) Left() (string, error) {
	all, err := filepath.Glob(m.beside(gone + "*"))
	if err != nil || len(all) == 0 {
		return "", err
	}
	return sumAt(slices.Max(all))
}

// Take gives the CA its place. What is there is set aside, unless it is the empty directory that the installer makes on each member.
func (m Move) Take(ctx context.Context, now time.Time) (aside []string, err error) {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	return m.take(now)
}

func (m Move) take(now time.Time) ([]string, error) {
	above, err := m.above()
	if err != nil {
		return nil, err
	}
	defer above.Close()
	if err := m.forget(above); err != nil {
		return nil, err
	}
	name := filepath.Base(m.beside(""))
	if st, err := above.Lstat(name); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		_ = above.Remove(name) // works where it is empty
	}
	aside, err := SetAside(above, now, append(HandedOut(), name)...)
	if err != nil {
		return aside, err
	}
	return aside, above.Rename(name+arriving, above, name)
}

// HandedOut are names beside the CA's directory that openshift-ansible hands out again to a host of the same name. Where another CA comes, or the CA from
// another host, they are stale.
func HandedOut() []string { return []string{"generated_certs", "etcd_ca.tgz"} }

// SetAside renames what there is of these.
func SetAside(above *safefile.Dir, now time.Time, names ...string) (aside []string, err error) {
	for _, name := range names {
		if _, err := above.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		kept := name + ".before-" + stamp(now)
		if err := above.Rename(name, above, kept); err != nil {
			return aside, err
		}
		aside = append(aside, filepath.Join(above.Path, kept))
	}
	return aside, nil
}

func (m Move) forget(above *safefile.Dir) error {
	err := above.Remove(filepath.Base(m.beside(journey)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, above.Sync())
}

func (m Move) above() (*safefile.Dir, error) {
	d, err := safefile.OpenDir(filepath.Dir(filepath.Clean(m.At)))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no place for the CA's directory")
	}
	return d, nil
}

func (m Move) beside(ending string) string { return filepath.Clean(m.At) + ending }

func stamp(now time.Time) string { return now.UTC().Format("20060102T150405Z") }

// The form of what is sent: RFC 9180, with nothing of our own.
var (
	kem     = hpke.DHKEM(ecdh.X25519())
	purpose = []byte("etcd-quorum-restore: the directory of etcd's CA")
)

// mostSent fits into the arguments of a module as base64.
const mostSent = 11 << 20

func publicKey(text string) (hpke.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		var key hpke.PublicKey
		if key, err = kem.NewPublicKey(raw); err == nil {
			return key, nil
		}
	}
	return nil, fault.Wrap(fault.Invalid, err, "argument to: expected what step=ask has returned on the receiver")
}

func (m Move) key() (hpke.PrivateKey, error) {
	raw, err := safefile.Read(m.beside(journey), readfile.Text)
	if err != nil {
		return nil, err
	}
	key, err := kem.NewPrivateKey(raw)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", m.beside(journey)).WithHint("remove it, and run the same command again: rm %s", m.beside(journey))
	}
	return key, nil
}

func (m Move) newKey() (hpke.PrivateKey, error) {
	key, err := kem.GenerateKey()
	if err != nil {
		return nil, err
	}
	raw, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	return key, safefile.Write(m.beside(journey), raw, 0o600)
}

func (m Move) open(sealed string) (tree, error) {
	key, err := m.key()
	if errors.Is(err, fs.ErrNotExist) {
		err = fault.New(fault.Refused, "no key is here to read what was sent with; nothing was changed").WithHint("run the same command again")
	}
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fault.New(fault.Invalid, "argument sealed: expected what step=send has returned, base64")
	}
	text, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), purpose, raw)
	if err != nil {
		return nil, fault.New(fault.Refused, "what was sent was not encrypted to the key of this host, or was changed on its way; nothing was changed").
			WithHint("run the same command again")
	}
	return unpacked(text)
}

func packed(files tree) ([]byte, error) {
	text, err := json.Marshal(files)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err = z.Write(text)
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}

func unpacked(text []byte) (tree, error) {
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "what was sent")
	}
	raw, err := io.ReadAll(io.LimitReader(z, 2*mostKept))
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "what was sent")
	}
	files := tree{}
	if err := json.Unmarshal(raw, &files); err != nil {
		return nil, fault.New(fault.Corrupt, "what was sent is no CA's directory") // the error would quote it
	}
	for name := range files {
		if !fs.ValidPath(name) || strings.Count(name, "/") > 1 {
			return nil, fault.New(fault.Corrupt, "what was sent has a file of the name %.40q", name)
		}
	}
	return files, nil
}

// sum is that of all names and contents.
func (t tree) sum() string {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t)) {
		for _, part := range [][]byte{[]byte(name), t[name]} {
			all.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			all.Write(part)
		}
	}
	return hex.EncodeToString(all.Sum(nil))
}

func sumAt(path string) (string, error) {
	d, err := safefile.OpenDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer d.Close()
	files, err := read(d)
	if _, ok := files["ca.key"]; err != nil || !ok {
		return "", err
	}
	return files.sum(), nil
}

// behind are the entries that read leaves out.
func behind(d *safefile.Dir) (names []string, err error) {
	return names, filepath.WalkDir(d.At()+"/", func(path string, e fs.DirEntry, err error) error {
		name := strings.Trim(strings.TrimPrefix(path, d.At()), "/")
		switch {
		case err != nil || name == "":
			return err
		case e.IsDir() && strings.Contains(name, "/"):
			names = append(names, name)
			return fs.SkipDir
		case !e.IsDir() && !e.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	})
}
