// Package rotation replaces the CA of etcd's certificates by another one with a key of its own, in stages that a run may leave at any point and the
// next one continues:
//
//	trust    the new CA is in a directory beside the old one's, which still signs; it is made known to all who trust the old one
//	issue    it signs; every certificate of the old one is renewed
//	clients  all are renewed; masters and flannel stop trusting the old one
//	members  so do the members
//
// A stage is left only where each host shows that it is done with it, and where each running member accepts what the new CA signs: it reads its CA
// file only when it starts, and /health stays true beside peers that are refused.
package rotation

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/record"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Stages, in their order. Done is the end of the last one.
const (
	Trust   = "trust"
	Issue   = "issue"
	Clients = "clients"
	Members = "members"
	Done    = "done"
)

// Stages are all of them.
var Stages = []string{Trust, Issue, Clients, Members, Done}

// recordName is the file in the new CA's directory that says how far its rotation is.
const recordName = "renewal.json"

// written is that file. Old are the CAs that leave, base64 of DER.
type written struct {
	Stage string   `json:"stage"`
	Began string   `json:"began"`
	Old   []string `json:"old"`
}

// Rotation is one that is under way.
type Rotation struct {
	Stage string
	Cert  *x509.Certificate // the new CA's
	Old   []*x509.Certificate
	Dir   string // where the new CA is now
	at    string // the CA's directory
	began string
}

func staged(at string) string { return filepath.Clean(at) + ".renewal" }

// StageOf is the stage of the rotation on this host; "" where there is none.
func StageOf(at string) string {
	r, err := Read(at)
	switch {
	case err != nil:
		return "unknown"
	case r == nil:
		return ""
	}
	return r.Stage
}

// Read returns nil where no rotation is under way. One without its key was killed before anybody knew of it.
func Read(at string) (*Rotation, error) {
	if dir := staged(at); cacopy.There(dir) {
		r, err := readIn(dir, at)
		if err == nil && r == nil {
			err = fault.New(fault.Invalid, "%s has a CA's key, and no %s", dir, recordName).WithHint("look whose it is; where nothing uses it, set it aside: mv %[1]s %[1]s.old", dir)
		}
		if r != nil {
			r.Stage = Trust // until the directory has its place, whatever the record says
		}
		return r, err
	}
	return readIn(at, at)
}

func readIn(dir, at string) (*Rotation, error) {
	w, err := record.Read[written](filepath.Join(dir, recordName))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "how far the CA's rotation is")
	}
	if w == nil {
		return nil, nil
	}
	r := &Rotation{Stage: w.Stage, Dir: dir, at: filepath.Clean(at), began: w.Began}
	if !slices.Contains(Stages[:4], w.Stage) {
		return nil, fault.New(fault.Invalid, "%s: stage is %.40q", filepath.Join(dir, recordName), w.Stage)
	}
	if r.Old, err = Decode(w.Old); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", filepath.Join(dir, recordName))
	}
	text, err := readfile.Read(filepath.Join(dir, "ca.crt"), readfile.Text)
	if err == nil {
		r.Cert, err = opensslca.FirstCertificate(text)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", filepath.Join(dir, "ca.crt"))
	}
	return r, nil
}

// Decode reads certificates of CAs, base64 of DER.
func Decode(texts []string) (all []*x509.Certificate, err error) {
	for _, text := range texts {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("expected a certificate, base64 of DER")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil || !c.IsCA {
			return nil, errors.New("expected a CA's certificate, base64 of DER")
		}
		all = append(all, c)
	}
	return all, nil
}

// Encode is the reverse of Decode.
func Encode(all []*x509.Certificate) []string {
	texts := []string{}
	for _, c := range all {
		texts = append(texts, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return texts
}

// Begin makes the new CA in a directory beside the old one's, under the installer's lock. Nobody trusts it yet, and openshift-ansible does not see it.
func Begin(ctx context.Context, at string, old []*x509.Certificate, now time.Time, days int) (*Rotation, error) {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	files, err := content(at, old, now, days)
	if err != nil {
		return nil, err
	}
	above, err := safefile.OpenDir(filepath.Dir(filepath.Clean(at)))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no place for the CA's directory")
	}
	defer above.Close()
	if err := cacopy.Write(above, filepath.Base(staged(at)), files); err != nil {
		return nil, err
	}
	return Read(at)
}

// content are the files of the new CA's directory. The first certificate of ca.crt signs, so the new one comes first.
func content(at string, old []*x509.Certificate, now time.Time, days int) (map[string][]byte, error) {
	files, err := cacopy.Settings(at)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", at)
	}
	if files == nil {
		files = map[string][]byte{}
	}
	cert, key, err := opensslca.New(now, days)
	if err != nil {
		return nil, err
	}
	serial, err := opensslca.RandomSerial()
	if err != nil {
		return nil, err
	}
	files["ca.crt"], files["ca.key"] = opensslca.Encode(cert), key
	for _, c := range old {
		files["ca.crt"] = append(files["ca.crt"], opensslca.Encode(c)...)
	}
	files["serial"], files["index.txt"], files["index.txt.attr"] = fmt.Appendf(nil, "%016X\n", serial), nil, []byte("unique_subject = no\n")
	files[recordName], err = record.Bytes(written{Trust, now.UTC().Format(time.RFC3339), Encode(old)})
	return files, err
}

func (r *Rotation) note(stage string) error {
	return record.Write(filepath.Join(r.Dir, recordName), written{stage, r.began, Encode(r.Old)})
}

// Advance leaves the present stage for the next one, and returns what was set aside.
func (r *Rotation) Advance(ctx context.Context, now time.Time) (aside []string, err error) {
	switch next := r.next(); next {
	case Issue:
		return r.swap(ctx, now)
	case Done:
		return r.finish()
	default:
		return nil, r.note(next)
	}
}

// swap puts the new CA in the place of the old one. What openshift-ansible keeps of the old one's certificates leaves its place, too: it hands them out
// again to a host of the same name.
func (r *Rotation) swap(ctx context.Context, now time.Time) (aside []string, err error) {
	lock, err := opensslca.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := r.note(Issue); err != nil {
		return nil, err
	}
	above, err := safefile.OpenDir(filepath.Dir(r.at))
	if err != nil {
		return nil, err
	}
	defer above.Close()
	if aside, err = cacopy.SetAside(above, now, append(cacopy.HandedOut(), filepath.Base(r.at))...); err != nil {
		return aside, err
	}
	if err := above.Rename(filepath.Base(r.Dir), above, filepath.Base(r.at)); err != nil {
		return aside, err
	}
	r.Dir = r.at
	return aside, above.Sync()
}

// finish takes the old CAs out of the CA's own file, then the record away.
func (r *Rotation) finish() ([]string, error) {
	file := filepath.Join(r.at, "ca.crt")
	text, err := edit.Read(file)
	if err != nil {
		return nil, err
	}
	left, _, same, err := opensslca.Without(text, r.Cert, r.Old)
	if err == nil && !same {
		_, err = edit.Save(file, text, left, false)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "%s", file)
	}
	return nil, safefile.Remove(filepath.Join(r.at, recordName))
}
