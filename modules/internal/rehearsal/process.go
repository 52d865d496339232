package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
)

// process is an etcd without privileges, in a network namespace of its own, reachable only through unix sockets in dir. At its start etcd opens
// streams to every old peer under the survivor's identity, before the removals apply, so loopback addresses alone do not isolate it.
type process struct {
	cmd    *exec.Cmd
	dir    string // working directory; short, since a socket's path is limited to 107 bytes
	output *tail
	exited chan struct{}
	err    error
}

// Sockets are files of these names in the working directory: etcd 3.2 accepts names like "unix://localhost:1".
const (
	clientSocket = "localhost:1"
	peerSocket   = "localhost:2"
)

// start runs etcd on a member's copy that belongs to the account.
func start(binary string, as program.Account, name, copied string, extra []string) (*process, error) {
	etcd, _, err := readfile.Open(binary)
	if err != nil {
		return nil, err
	}
	defer etcd.Close()
	data, err := os.Open(copied)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	dir, err := os.MkdirTemp("/run", "etcd-rehearsal-")
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, output: &tail{limit: 1 << 20}, exited: make(chan struct{})}
	p.cmd = program.Command(context.Background(), etcd, as, []*os.File{data}, append([]string{
		"--name", name, "--data-dir", program.Path(0),
		"--listen-client-urls", "unix://" + clientSocket, "--advertise-client-urls", "http://127.0.0.1:1",
		"--listen-peer-urls", "unix://" + peerSocket, "--initial-advertise-peer-urls", "http://127.0.0.1:2",
		"--initial-cluster", name + "=http://127.0.0.1:2",
	}, extra...)...)
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	if err = os.Chown(dir, int(as.UID), int(as.GID)); err == nil {
		err = p.launch()
	}
	if err != nil {
		os.RemoveAll(dir)
		if errors.Is(err, syscall.EPERM) {
			return nil, fault.Wrap(fault.Unsupported, err, "no network namespace can be made here, or no other user taken on, so the rehearsal cannot be isolated").
				WithHint("run as root with CAP_SYS_ADMIN, or skip the rehearsal with -e etcd_rehearse=no")
		}
		return nil, err
	}
	return p, nil
}

// launch starts the process from a thread that lives as long as the process: Pdeathsig fires when the starting THREAD ends.
func (p *process) launch() error {
	started := make(chan error, 1)
	go func() {
		err := program.Unprivileged(func() error {
			err := p.cmd.Start()
			started <- err
			if err == nil {
				p.err = p.cmd.Wait()
				close(p.exited)
			}
			return nil
		})
		if err != nil {
			started <- err
		}
	}()
	return <-started
}

func (p *process) clientEndpoint() string { return "unix://" + filepath.Join(p.dir, clientSocket) }

// stop ends etcd by SIGTERM, or by SIGKILL after the limit, and removes its working directory.
func (p *process) stop(limit time.Duration) error {
	defer os.RemoveAll(p.dir)
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
	case <-time.After(limit):
		if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-p.exited
	}
	return nil
}

// tail keeps the last bytes that etcd printed.
type tail struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	limit int
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if over := t.buf.Len() + len(b) - t.limit; over > 0 {
		t.buf.Next(over)
	}
	return t.buf.Write(b)
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Split(strings.TrimSpace(t.buf.String()), "\n")
}
