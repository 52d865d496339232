package host

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

type change = manifest.Change

// stamp makes the next start another pod than the last. It has milliseconds, since two starts within one second would be the same pod.
func stamp(c change) change {
	c.Started = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return c
}

// SetForce edits the manifest that is out: it removes the probe and sets the variable, or removes the variable again. The probe stays out until
// InstallProbe, since it would kill a survivor that waits for its members.
func (p *pod) SetForce(_ context.Context, on bool) error {
	m, err := p.editable()
	if err != nil {
		return err
	}
	if _, ours := m.Forces(); !on && !ours {
		return nil
	}
	if on {
		if err := p.keepInstalled(m); err != nil {
			return err
		}
	}
	return p.derive(change{Started: m.Started(), DropProbe: true, Force: on})
}

// DropProbe removes the liveness probe from a pod's manifest that is out, until InstallProbe puts it back: it would kill a member that waits for
// others. It does nothing on a unit's host, or while the manifest is in.
func (h *Host) DropProbe() error {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return nil
	}
	if live, err := p.one(); err != nil || live != "" {
		return err
	}
	m, err := p.editable()
	if err != nil || !m.HasProbe() {
		return err
	}
	if err := p.keepInstalled(m); err != nil {
		return err
	}
	return p.derive(change{Started: m.Started(), DropProbe: true})
}

// editable is the manifest, provided that it is out of the kubelet's directory.
func (p *pod) editable() (*manifest.Manifest, error) {
	live, err := p.one()
	if err != nil {
		return nil, err
	}
	if live != "" {
		return nil, fault.New(fault.Refused, "etcd's manifest %s is in the kubelet's directory; it is edited only while it is out", live).
			WithHint("stop etcd first: etcd_service state=stopped")
	}
	if err := p.adopt(); err != nil {
		return nil, err
	}
	_, m, err := p.parsed()
	return m, err
}

// derive writes the manifest that is out again, from the installer's.
func (p *pod) derive(c change) error {
	base, err := p.base()
	if err != nil {
		return err
	}
	text, err := base.Edit(c)
	if err != nil {
		return err
	}
	if err := p.write(text); err != nil || !manifest.Same(text, base.Bytes()) {
		return err
	}
	return safefile.Remove(p.installed()) // it never had a probe: the installer's manifest is whole again
}

// base is the installer's manifest, where a recovery has changed the manifest.
func (p *pod) base() (*manifest.Manifest, error) {
	data, err := readfile.Read(p.installed(), readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Refused, "the manifest asks for a forced start, and this suite did not write it: %s is missing", p.installed()).
			WithHint("take %s out of the manifest with an editor (outside of the kubelet's directory), then run this again", manifest.ForceKey)
	}
	if err != nil {
		return nil, err
	}
	return parseManifest(p.installed(), data)
}

// keepInstalled saves the installer's bytes before the first change. Where bytes are saved already and the manifest is what an earlier run made
// of them, they stay. A manifest that somebody has written since then replaces them, and the older bytes are kept under a dated name.
func (p *pod) keepInstalled(now *manifest.Manifest) error {
	base, err := p.base()
	if err == nil && derived(now, base) {
		return nil
	}
	if exists(p.installed()) {
		if err := safefile.Rename(p.installed(), dated(p.installed(), "old")); err != nil {
			return err
		}
	}
	return safefile.Write(p.installed(), now.Bytes(), 0o600)
}

// derived tells whether now is what a recovery made of base.
func derived(now, base *manifest.Manifest) bool {
	_, force := now.Forces()
	want, err := base.Edit(change{Started: now.Started(), DropProbe: !now.HasProbe(), Force: force})
	return err == nil && manifest.Same(want, now.Bytes())
}

// forStart is the text for the next start. A force flag without a forced start under way (its record was removed) is left out.
func (p *pod) forStart() ([]byte, error) {
	_, m, err := p.parsed()
	if err != nil {
		return nil, err
	}
	forcing, err := p.host.IsForcing()
	if err != nil {
		return nil, err
	}
	if _, ours := m.Forces(); !ours || forcing {
		return m.Edit(stamp(change{}))
	}
	base, err := p.base()
	if err != nil {
		return nil, err
	}
	return base.Edit(stamp(change{DropProbe: true}))
}

// tidy removes the saved installer's bytes that a killed run has left, if the manifest equals them.
func (p *pod) tidy(text []byte) error {
	if kept, err := readfile.Read(p.installed(), readfile.Text); err != nil || !manifest.Same(kept, text) {
		return nil
	}
	return safefile.Remove(p.installed())
}

// ForceFlags finds the manifest that asks for a forced start, in any place.
func (p *pod) ForceFlags(context.Context) ([]facts.ForceFlag, error) {
	path, m, err := p.parsed()
	if err != nil {
		return nil, nil // facts are needed of a host whose manifest cannot be read; a start reports the error
	}
	if asks, _ := m.Forces(); asks {
		return []facts.ForceFlag{{Where: InManifest, Path: path}}, nil
	}
	return nil, nil
}

// RemoveForceFlag removes what this project put in, if it is still there. A manifest is never edited in place: the kubelet would start the new
// pod beside the old one.
func (p *pod) RemoveForceFlag(ctx context.Context, flag facts.ForceFlag) (string, error) {
	_, m, err := p.parsed()
	if err != nil {
		return "", err
	}
	if asks, _ := m.Forces(); !asks {
		return "", nil // SetForce has removed it already
	}
	if _, err := p.base(); err != nil {
		return "", err
	}
	return "", p.SetForce(ctx, false)
}
