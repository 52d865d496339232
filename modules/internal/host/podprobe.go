package host

import (
	"context"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/safefile"
)

// States of the liveness probe, as facts.Host.Probe has them.
const (
	ProbePresent = "present"
	ProbeRemoved = "removed" // by a recovery; the installer's manifest has one
	ProbeNone    = "none"
)

// Probe tells whether the kubelet asks etcd for its health; "" for a unit, and where the manifest cannot be read.
func (h *Host) Probe() string {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return ""
	}
	_, m, err := p.parsed()
	if err != nil {
		return ""
	}
	if m.HasProbe() {
		return ProbePresent
	}
	if base, err := p.base(); err == nil && base.HasProbe() {
		return ProbeRemoved
	}
	return ProbeNone
}

// InstallProbe makes the manifest that is out the installer's again; the next start adds only its annotation. Nothing else can change it: the
// saved bytes are removed only when these are in place.
func (h *Host) InstallProbe(_ context.Context) error {
	p, ok := h.Runtime.(*pod)
	if !ok || h.Probe() != ProbeRemoved {
		return nil
	}
	base, err := p.untouched()
	if err != nil {
		return err
	}
	if path, _, err := p.current(); err != nil || path != p.out() {
		return fault.New(fault.Refused, "etcd's manifest %s is not out; it is edited only while etcd is stopped", path)
	}
	if err := p.write(base.Bytes()); err != nil {
		return err
	}
	return safefile.Remove(p.installed())
}

// MayInstallProbe makes the refusals of InstallProbe before anything is stopped for it.
func (h *Host) MayInstallProbe() error {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return nil
	}
	_, err := p.untouched()
	return err
}

// untouched is the installer's manifest, provided that the present one is what a recovery made of it.
func (p *pod) untouched() (*manifest.Manifest, error) {
	path, m, err := p.parsed()
	if err != nil {
		return nil, err
	}
	base, err := p.base()
	if err == nil && !derived(m, base) {
		err = fault.New(fault.Refused, "%s was changed by somebody since its liveness probe was taken out", path).
			WithHint("put the livenessProbe of %s back into it by hand, then remove that file", p.installed())
	}
	return base, err
}

// NodeService is the kubelet's service in systemd's words, such as "atomic-openshift-node.service active"; "" for a unit.
func (h *Host) NodeService(ctx context.Context) string {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return ""
	}
	u := p.node.look(ctx)
	if u.Name == "" {
		return ""
	}
	return u.Name + " " + u.Active
}

// dataDirOf is the host's path of a data directory in the container.
func (p *pod) dataDirOf(inside string) (string, bool) {
	_, data, err := p.current()
	if err != nil {
		return "", false
	}
	m, err := manifest.Parse(data)
	if err != nil {
		return "", false
	}
	outside, ok := m.HostPath(inside)
	if _, err := os.Stat(outside); err != nil {
		return "", false
	}
	return outside, ok
}

// CheckManifest says why a pod's manifest cannot be edited, before anything is stopped for it. The line is in the message.
func (h *Host) CheckManifest() error {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return nil
	}
	_, m, err := p.parsed()
	if err != nil {
		return err
	}
	asks, ours := m.Forces()
	if asks && !ours {
		return fault.New(fault.Refused, "etcd's manifest asks for a forced start on its command line").
			WithHint("take --force-new-cluster out of it: move it out of the kubelet's directory, edit it there, move it back")
	}
	_, err = m.Edit(stamp(change{DropProbe: true, Force: !asks}))
	if err == nil && asks {
		_, err = p.base()
	}
	return err
}

// MovedAside are manifests of the master's other pods that were moved out together with etcd's, as the chapter's `mv pods/*` does.
func (h *Host) MovedAside() []string {
	if _, ok := h.Runtime.(*pod); !ok {
		return nil
	}
	var out []string
	for _, name := range []string{"apiserver.yaml", "controller.yaml"} {
		if path := filepath.Join(h.stoppedDir(), name); exists(path) && !exists(filepath.Join(h.ManifestDir, name)) {
			out = append(out, path)
		}
	}
	return out
}
