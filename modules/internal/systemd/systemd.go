// Package systemd calls systemctl and reads units' drop-ins. It uses only what systemd 219 (RHEL 7) has: no `show --value`, no `enable --now`.
package systemd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
)

// largestAnswer is more than systemctl says of any unit.
const largestAnswer = 1 << 20

// Run runs systemctl and returns what it printed on stdout.
func Run(ctx context.Context, args ...string) (string, error) {
	stdout, stderr := readfile.Output{Limit: largestAnswer}, readfile.Output{Limit: 64 << 10}
	cmd := exec.CommandContext(ctx, root.Command("systemctl"), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // a child that keeps the pipes open must not hold us beyond the deadline
	err := cmd.Run()
	said := strings.TrimSpace(stderr.String())
	command := "systemctl " + strings.Join(args, " ")
	switch {
	case err == nil:
		return stdout.String(), nil
	case ctx.Err() != nil:
		return "", fault.Wrap(fault.Timeout, ctx.Err(), "%s did not return", command)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return "", fault.New(fault.Unsupported, "there is no systemctl on this host")
	case said != "":
		return stdout.String(), fault.New(fault.Internal, "%s: %s", command, strings.ReplaceAll(said, "\n", "; "))
	}
	return stdout.String(), fault.Wrap(fault.Internal, err, "%s", command)
}

// Show is `systemctl show -p A,B UNIT`; a property that this systemd does not know is missing in the answer.
func Show(ctx context.Context, unit string, properties ...string) (map[string]string, error) {
	out, err := Run(ctx, "show", "-p", strings.Join(properties, ","), unit)
	if err != nil {
		return nil, err
	}
	return parseProperties(out), nil
}

func parseProperties(text string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if key, value, ok := strings.Cut(line, "="); ok {
			out[key] = value
		}
	}
	return out
}

// Reload makes systemd read its unit files again.
func Reload(ctx context.Context) error {
	_, err := Run(ctx, "daemon-reload")
	return err
}
