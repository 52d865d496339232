package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/systemd"
)

const (
	unitName     = "etcd.service"
	asService    = "yum install etcd && systemctl enable etcd makes etcd a service here; then run the same command again"
	nodeByScript = "openshift-ansible's playbooks/openshift-node/scaleup.yml sets up a node, for a static pod; " + asService
)

// runtimeOf is what etcd is to be on a new host, by what the host has. Masters of 3.11 may have the package's unit beside the pod, for etcdctl's
// sake: there only the unit's state says what is meant.
func runtimeOf(ctx context.Context, h *host.Host) (string, error) {
	name := h.Runtime.Name()
	if name != facts.Systemd && name != facts.StaticPod && name != facts.None {
		return "", fault.New(fault.Unsupported, "etcd runs here as %s; this module cannot make a member of it", name).WithHint(byInstaller)
	}
	unit, err := systemd.Get(ctx, unitName)
	if err != nil {
		return "", err
	}
	node, there := host.NodeUnit(ctx), unit.Load == "loaded"
	switch {
	case there && node.Name == "" && name == facts.Systemd, there && unit.Enabled() && name == facts.Systemd:
		return facts.Systemd, nil
	case there:
		return "", fault.New(fault.Refused, "this host has %s and the node service, so etcd could be a service or a static pod here", unitName).
			WithHint("for a static pod: systemctl mask etcd; for a service: systemctl enable etcd; then run the same command again")
	case node.Name != "":
		return facts.StaticPod, nil
	case readfile.IsDir(h.ManifestDir):
		return "", fault.New(fault.Refused, "there is %s on this host, and neither a node service nor %s", h.ManifestDir, unitName).WithHint(nodeByScript)
	}
	return "", fault.New(fault.Refused, "there is neither %s nor a node service on this host", unitName).
		WithHint("for a service: yum install etcd; for a static pod: openshift-ansible's playbooks/openshift-node/scaleup.yml; then run the same command again")
}

// podReady refuses a host whose kubelet would not run etcd.
func podReady(ctx context.Context, h *host.Host) error {
	node := host.NodeUnit(ctx)
	switch {
	case node.Masked():
		return fault.New(fault.Refused, "%s is masked on this host", node.Name).WithHint("systemctl unmask %[1]s && systemctl enable %[1]s && systemctl start %[1]s; then run the same command again", node.Name)
	case !node.Runs() || !node.Enabled():
		return fault.New(fault.Refused, "%s is %s and %s on this host, so the kubelet would not run etcd's pod, or not after a reboot", node.Name, node.Active, node.FileText).
			WithHint("systemctl enable %[1]s && systemctl start %[1]s; then run the same command again", node.Name)
	}
	dir, file, err := host.PodPath()
	if err != nil {
		return err
	}
	if file != "" && root.Path(dir) != h.ManifestDir && dir != h.ManifestDir {
		found := "none"
		if dir != "" {
			found = dir
		}
		return fault.New(fault.Refused, "%s names %s as the directory of static pods; expected %s", file, found, h.ManifestDir).
			WithHint("set pod-manifest-path: [%s] below kubeletArguments there, then: systemctl restart %s; then run the same command again", h.ManifestDir, node.Name)
	}
	if !readfile.IsDir(h.ManifestDir) {
		return fault.New(fault.Refused, "there is no directory %s, from which the kubelet takes static pods", h.ManifestDir).
			WithHint("install -d -o root -g root -m 0700 %s && systemctl restart %s; then run the same command again", h.ManifestDir, node.Name)
	}
	live, err := h.LiveManifests()
	if err != nil || len(live) == 0 {
		return err
	}
	return fault.New(fault.Refused, "the kubelet has a manifest of etcd already, %s, and etcd.conf is no member's", live[0]).
		WithHint("look whose etcd that is; if nobody needs it: mv %s /root/etcd.yaml.old, then run the same command again", live[0])
}

// composePod is the manifest for this host: the one that waits here already, by an operator or a run that was killed, or the other host's.
func (p *placing) composePod(a args, h *host.Host, address string) error {
	text, err := edit.Read(h.StoppedManifest())
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.Manifest == "":
		return fault.New(fault.Refused, "no host that was reached has a manifest of etcd to take this one's from").
			WithHint("put another master's etcd.yaml, with this host's address in its liveness probe, to %s, or make etcd a service here: yum install etcd && systemctl enable etcd; "+
				"then run the same command again", h.StoppedManifest())
	case errors.Is(err, fs.ErrNotExist):
		text, err = decoded("manifest", a.Manifest)
	}
	if err != nil {
		return err
	}
	m, err := manifest.Parse(text)
	if err == nil {
		text, err = m.ForHost(address)
	}
	if err != nil {
		return fault.Wrap(fault.Refused, err, "etcd's manifest cannot be carried over to this host").
			WithHint("put a manifest for this host to %s by hand, and run the same command again", h.StoppedManifest())
	}
	conf, ok := m.HostPath(filepath.Dir(h.EtcdConf))
	data, ok2 := m.HostPath(p.dataDir)
	if !ok || !ok2 || conf != filepath.Dir(h.EtcdConf) {
		return fault.New(fault.Unsupported, "the manifest does not mount %s and %s of the host", filepath.Dir(h.EtcdConf), p.dataDir).
			WithHint("put a manifest for this host to %s by hand, and run the same command again", h.StoppedManifest())
	}
	p.dataDir, p.image = data, m.Image()
	p.manifest = &place{h.StoppedManifest(), text, 0o600}
	return nil
}

// hasImage refuses where a client of the container runtime knows that the image is not here. Where none can say so, the pod that is tried later
// shows it.
func (p *placing) hasImage(ctx context.Context) error {
	pull := ""
	for _, client := range []string{"docker", "crictl"} {
		ids, known := images(ctx, client, p.image)
		if len(ids) > 0 {
			return nil
		}
		if known && pull == "" {
			pull = client + " pull " + p.image
		}
	}
	if pull == "" {
		return nil
	}
	return fault.New(fault.Refused, "etcd's image %s is not on this host", p.image).WithHint("%s; then run the same command again", pull)
}

const clientLimit = 10 * time.Second

// images asks as the installer does, by `docker images -q IMAGE`.
func images(ctx context.Context, client, image string) (ids []byte, known bool) {
	ctx, cancel := context.WithTimeout(ctx, clientLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, root.Command(client), "images", "-q", image)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return bytes.TrimSpace(out), err == nil
}

// tryPod puts the manifest where it waits, and has the kubelet run etcd's image once, so that etcd is known to start here before the cluster counts
// on it: a member that was added and does not run takes a vote away.
func (p *placing) tryPod(ctx context.Context, call *ansible.Call, a args) (aside string, err error) {
	if err := os.MkdirAll(filepath.Dir(p.manifest.path), 0o700); err != nil {
		return "", err
	}
	if aside, err = p.manifest.write(call, 0, 0); err != nil {
		return aside, err
	}
	options, err := a.OfHost()
	if err != nil {
		return aside, err
	}
	h, err := host.Load(ctx, options)
	if err != nil {
		return aside, err
	}
	if _, err := h.Binary(ctx, "etcd"); err != nil {
		return aside, fault.Wrap(fault.Refused, err, "the kubelet did not run etcd's image %s from %s", p.image, h.ManifestDir).
			WithHint("journalctl -u %s -n 100 says why (an image that is missing: docker pull %s); then run the same command again", host.NodeUnit(ctx).Name, p.image)
	}
	return aside, h.DropBinaries()
}

// readManifest is for a host whose etcd is a static pod, whether it runs or not.
func readManifest(h *host.Host) (ansible.Result, error) {
	m, err := h.Manifest()
	if err != nil {
		return ansible.Result{}, err
	}
	if err := m.Portable(); err != nil {
		return ansible.Result{}, fault.Wrap(fault.Refused, err, "etcd's manifest on this host").
			WithHint("-e etcd_new_host_manifest_host=HOST takes another host's; or put one for the new host to %s there by hand, and run the same command with "+
				"-e etcd_new_host_manifest_host=", h.StoppedManifest())
	}
	return ansible.Result{Data: result{Manifest: base64.StdEncoding.EncodeToString(m.Bytes())}}, nil
}
