package host

import (
	"context"
	"os"

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

// InstallProbe makes the manifest that is out the installer's again; the next start adds its annotation and nothing else. Nothing else could
// change it: the saved bytes go only when these are in place.
func (h *Host) InstallProbe(_ context.Context) error {
	p, ok := h.Runtime.(*pod)
	if !ok || h.Probe() != ProbeRemoved {
		return nil
	}
	path, m, err := p.parsed()
	if err != nil {
		return err
	}
	base, err := p.base()
	if err != nil {
		return err
	}
	switch {
	case path != p.out():
		return fault.New(fault.Refused, "etcd's manifest %s is not out; it is edited only while etcd is stopped", path)
	case !derived(m, base):
		return fault.New(fault.Refused, "%s was changed by somebody since its liveness probe was taken out", path).
			WithHint("put the livenessProbe of %s back into it by hand, then remove that file", p.installed())
	}
	if err := p.write(base.Bytes()); err != nil {
		return err
	}
	return safefile.Remove(p.installed())
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

// dataDirOf is where the data directory of the container is on the host.
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
