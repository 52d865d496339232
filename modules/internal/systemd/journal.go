package systemd

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// largestOutput limits memory: any process of the host may write to the journal.
const largestOutput = 64 << 20

// bounded keeps what fits, and ends a command that prints more. It does not embed the buffer, whose ReadFrom would bypass Write.
type bounded struct {
	buf  bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return b.buf.Write(p)
}

// Journalctl runs journalctl and returns what it printed.
func Journalctl(ctx context.Context, args ...string) ([]byte, error) {
	stdout, stderr := bounded{left: largestOutput}, bounded{left: 64 << 10}
	cmd := exec.CommandContext(ctx, root.Command("journalctl"), append([]string{"--no-pager", "-q"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	if err := cmd.Run(); stdout.left < 0 {
		return nil, fault.New(fault.Unsupported, "journalctl prints more than %d bytes", largestOutput).WithHint("ask for fewer lines: lines=100")
	} else if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "journalctl: %s", strings.TrimSpace(stderr.buf.String()))
	}
	return stdout.buf.Bytes(), nil
}
