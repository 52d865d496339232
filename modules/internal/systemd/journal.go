package systemd

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// Journalctl runs journalctl and returns what it printed.
func Journalctl(ctx context.Context, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, root.Command("journalctl"), append([]string{"--no-pager", "-q"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	if err := cmd.Run(); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "journalctl: %s", strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
