package systemd

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// Journal is the text of the last lines that a unit logged.
func Journal(ctx context.Context, unit string, lines int) ([]string, error) {
	out, err := Journalctl(ctx, "-u", unit, "-n", strconv.Itoa(lines), "-o", "cat")
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(string(out))
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

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
