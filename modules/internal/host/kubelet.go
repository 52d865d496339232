package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/systemd"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// node is the service that runs the kubelet. It is asked rarely: each question starts a process.
type node struct {
	unit systemd.Unit
	when time.Time
}

var nodeServices = []string{"atomic-openshift-node.service", "origin-node.service"} // OpenShift's and OKD's

const nodeAskEvery = 2 * time.Second

func (n *node) look(ctx context.Context) systemd.Unit {
	if time.Since(n.when) < nodeAskEvery {
		return n.unit
	}
	n.unit, n.when = systemd.Unit{}, time.Now()
	for _, name := range nodeServices {
		if u, err := systemd.Get(ctx, name); err == nil && u.Load != "not-found" {
			n.unit = u
			break
		}
	}
	return n.unit
}

// down is true only of a service that exists and does not run: then nobody starts or stops pods. An unknown state counts as up, so that no signal
// is sent to an etcd that the kubelet would start again.
func (n *node) down(ctx context.Context) bool {
	u := n.look(ctx)
	return u.Name != "" && !u.Runs() && u.Active != "deactivating"
}

// start starts a kubelet that was found down. By then etcd's manifest is out, or etcd runs, so no etcd is started.
func (n *node) start(ctx context.Context) error {
	u := n.look(ctx)
	if u.Masked() {
		return fault.New(fault.Refused, "%s is down and masked, so nothing can start etcd", u.Name).WithHint("systemctl unmask %s, then run this again", u.Name)
	}
	_, err := systemd.Run(ctx, "start", "--no-block", u.Name)
	if err == nil {
		n.when = time.Time{}
		_, err = systemd.Await(ctx, u, "start")
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "start the node service, which runs the kubelet")
	}
	return nil
}

// NodeUnit is the service that runs the kubelet; without a name where there is none.
func NodeUnit(ctx context.Context) systemd.Unit { return (&node{}).look(ctx) }

// nodeConfigs are the kubelet's configuration, and the one that it has until the cluster gives it the other.
var nodeConfigs = []string{"/etc/origin/node/node-config.yaml", "/etc/origin/node/bootstrap-node-config.yaml"}

// PodPath is the directory of static pods in the kubelet's configuration, and the file that says so; both "" where no such file is here, so that it
// is not known.
func PodPath() (dir, file string, err error) {
	for _, name := range nodeConfigs {
		file = root.Path(name)
		text, err := readfile.Read(file, readfile.Text)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var conf struct {
			Arguments struct {
				Path []string `yaml:"pod-manifest-path"`
			} `yaml:"kubeletArguments"` // of OpenShift
			Upstream string                `yaml:"staticPodPath"`
			Old      struct{ Path string } `yaml:"podManifestConfig"`
		}
		if err == nil {
			if err = yaml.Unmarshal(text, &conf); err != nil {
				err = yamlfile.Problem(err)
			}
		}
		if err != nil {
			return "", file, fault.Wrap(fault.Invalid, err, "%s, the kubelet's configuration", file)
		}
		for _, dir := range append(conf.Arguments.Path, conf.Upstream, conf.Old.Path) {
			if dir != "" {
				return filepath.Clean(dir), file, nil
			}
		}
		return "", file, nil
	}
	return "", "", nil
}

// NodeDown tells whether the host's kubelet is down, so that none of its static pods can be restarted. It refuses where starting the kubelet
// would also start an etcd, whatever its data.
func (h *Host) NodeDown(ctx context.Context) (bool, error) {
	n := node{}
	if !n.down(ctx) {
		return false, nil
	}
	p, ok := h.Runtime.(*pod)
	if !ok {
		return true, nil
	}
	live, err := p.live()
	if err != nil {
		return true, err
	}
	found, err := h.Processes()
	if err != nil || len(live) == 0 || p.own(found) != nil {
		return true, err
	}
	return true, fault.New(fault.Refused, "%s is down, and with it etcd would start, whose manifest %s is in place", n.look(ctx).Name, live[0]).
		WithHint("fence etcd there first: ansible-playbook playbooks/fence.yml -e etcd_host=HOST; or, where it is to run with the data it has: systemctl start %s", n.look(ctx).Name)
}

// StartNode starts a kubelet that NodeDown found down.
func (h *Host) StartNode(ctx context.Context) error {
	n := node{}
	return n.start(ctx)
}

// kubeletDirs are the kubelet's own directories: its default, and OpenShift's volumeDirectory.
var kubeletDirs = []string{"/var/lib/kubelet", "/var/lib/origin/openshift.local.volumes"}

// staticUID is a hash. Pods of the API have UIDs with dashes; some of them have a container called etcd, too.
var staticUID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// podDirs are the kubelet's directories of static pods with a container called etcd. They go 0.3 to 2.5 seconds after the process, and show that
// the kubelet has noticed that the manifest is out.
func podDirs() []string { return podDirsOf("etcd") }

func podDirsOf(container string) []string {
	var out []string
	for _, dir := range kubeletDirs {
		found, _ := filepath.Glob(filepath.Join(root.Path(dir), "pods", "*", "containers", container)) // the pattern is always valid
		for _, path := range found {
			if uid := filepath.Base(filepath.Dir(filepath.Dir(path))); staticUID.MatchString(uid) {
				out = append(out, strings.TrimSuffix(path, "/containers/"+container))
			}
		}
	}
	return out
}

// settle is how long to wait after the pod's directory is gone: a manifest that comes back later than this is a new pod at once, an earlier one
// only after 14 seconds.
const settle = time.Second

// settled waits until the kubelet has cleaned up after the last etcd, and for settle after that. The directory was removed when the one above it
// last changed.
func settled(ctx context.Context) error {
	for {
		dirs := podDirs()
		if len(dirs) == 0 {
			break
		}
		if !pause(ctx, lookEvery) {
			return fault.New(fault.Timeout, "the kubelet did not clear up after the last etcd; expected %s to go", dirs[0]).
				WithHint("look at systemctl status %s, and journalctl -u it, for that pod", nodeServices[0])
		}
	}
	if !pause(ctx, untilSettled(time.Now())) {
		return fault.Wrap(fault.Timeout, ctx.Err(), "wait for the kubelet")
	}
	return nil
}

// untilSettled is never longer than settle, even if the clock was changed meanwhile.
func untilSettled(now time.Time) time.Duration {
	var left time.Duration
	for _, dir := range kubeletDirs {
		if info, err := os.Stat(filepath.Join(root.Path(dir), "pods")); err == nil {
			left = max(left, settle-now.Sub(info.ModTime()).Abs())
		}
	}
	return left
}
