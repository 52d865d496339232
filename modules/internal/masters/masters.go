// Package masters restarts the API and the controllers of a master, and proves it. The exit status of master-restart says nothing: it stops a
// container and leaves the rest to the kubelet. Health alone proves nothing either: the old process may still be answering.
package masters

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Component is a part of a master that serves /healthz on a port of the host's network.
type Component struct {
	Name string
	Port uint16
}

// controllersPort is fixed in the controllers' pod [openshift-ansible release-3.11, roles/openshift_control_plane/files/controller.yaml].
const controllersPort = 8444

// defaultAddress is where the API listens if its configuration does not say.
const defaultAddress = "0.0.0.0:8443"

// Components reads the API's port from master-config.yaml.
func Components(config string, names []string) ([]Component, error) {
	var out []Component
	for _, name := range []string{"api", "controllers"} { // in this order: the controllers need the API
		if !slices.Contains(names, name) {
			continue
		}
		c := Component{Name: name, Port: controllersPort}
		if name == "api" {
			port, err := apiPort(config)
			if err != nil {
				return nil, err
			}
			c.Port = port
		}
		out = append(out, c)
	}
	return out, nil
}

func apiPort(path string) (uint16, error) {
	conf, err := masterconfig.Read(path)
	if err != nil {
		return 0, fault.Wrap(fault.Invalid, err, "this is no master").WithHint("run it on hosts of [masters], or name the file: path=…")
	}
	_, port, err := net.SplitHostPort(cmp.Or(conf.ServingInfo.BindAddress, defaultAddress))
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || n == 0 {
		return 0, fault.New(fault.Invalid, "%s: servingInfo.bindAddress is %q; expected address:port", path, conf.ServingInfo.BindAddress)
	}
	return uint16(n), nil
}

// Seen is the evidence of a restart.
type Seen struct {
	Health  string  `json:"health"`
	Was     bool    `json:"was_listening"` // something listened on the port before
	Seconds float64 `json:"seconds"`
}

// Restart runs the command for one component and waits until another socket than before listens on its port, and /healthz says ok.
func Restart(ctx context.Context, command string, c Component) (Seen, error) {
	begin := time.Now()
	old, err := c.sockets()
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{Was: len(old) > 0}
	if err := run(ctx, command, c.Name); err != nil {
		return seen, err
	}
	for {
		fresh, err := c.renewed(old)
		if err != nil {
			return seen, err
		}
		if said := c.look(ctx, fresh, len(old) > 0); ctx.Err() == nil {
			seen.Health = said // at the deadline the answer is only ctx's error, and the one before says more
		}
		seen.Seconds = time.Since(begin).Seconds()
		if seen.Health == "ok" || onlyEtcdFails(seen.Health) {
			return seen, nil
		}
		select {
		case <-ctx.Done():
			return seen, fault.New(fault.Timeout, "%s was restarted; expected a new process on port %d whose /healthz says ok, found: %s", c.Name, c.Port, seen.Health).
				WithHint("master-logs %s %s", c.Name, c.Name)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// onlyEtcdFails is true where the check of etcd is the only one that fails. /healthz dials ONE URL of etcd by TCP. In a recovery that may be a
// host that is not a member again yet, while etcd has the quorum that the caller has proven; to wait for it would block the very steps that bring
// the host back.
func onlyEtcdFails(health string) bool {
	failing := 0
	for _, line := range strings.Split(health, "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "[-]")
		switch {
		case strings.HasPrefix(line, "etcd failed"):
			failing++
		case line == "", strings.HasPrefix(line, "[+]"), line == "healthz check failed":
		default:
			return false
		}
	}
	return failing > 0
}

func (c Component) look(ctx context.Context, fresh, was bool) string {
	switch {
	case fresh:
		return c.Health(ctx)
	case was:
		return "the old process still listens, or none does"
	}
	return "nothing listens"
}

func run(ctx context.Context, command, component string) error {
	said := readfile.Output{Limit: 4096}
	cmd := exec.CommandContext(ctx, command, component)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, time.Second
	err := cmd.Run()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return fault.New(fault.Unsupported, "there is no %s on this host", command).WithHint("it comes with OpenShift 3.10 and 3.11; run this on masters only")
	}
	if err != nil && ctx.Err() != nil {
		return fault.New(fault.Timeout, "%s %s did not return in time", command, component).
			WithHint("see whether the container runtime answers on this host (timeout 10 docker ps); if it does not, restart it: systemctl restart docker")
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s %s: %s", command, component, strings.TrimSpace(said.String()))
	}
	return nil
}

// sockets are the inodes of the sockets that listen on the port; a new process has a new one.
func (c Component) sockets() ([]uint64, error) {
	all, err := procfs.Listeners()
	var out []uint64
	for _, l := range all {
		if l.Addr.Port() == c.Port {
			out = append(out, l.Inode)
		}
	}
	return out, err
}

// renewed is true when something listens on the port, and all of it is new.
func (c Component) renewed(old []uint64) (bool, error) {
	now, err := c.sockets()
	for _, inode := range now {
		if slices.Contains(old, inode) {
			return false, err
		}
	}
	return len(now) > 0, err
}

// Health is the text of /healthz, or why there is none. The certificate is issued for other names than localhost, and is not checked: nothing
// secret is sent, and the answer comes from this host.
func (c Component) Health(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://localhost:%d/healthz", c.Port), nil)
	if err != nil {
		return err.Error()
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(req) // follows no redirect: while the API is down, any process may have its port
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(body))
}
