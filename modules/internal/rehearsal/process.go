package rehearsal

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// process is an etcd in a network namespace of its own, reachable only through unix sockets in dir: at its start etcd opens
// streams to every old peer under the survivor's identity, before the removals apply, so loopback addresses alone do not isolate.
type process struct {
	cmd    *exec.Cmd
	dir    string // working directory; short, since a socket's path is limited to 107 bytes
	output *tail
	exited chan struct{}
	err    error
}

// Sockets are files of these names in the working directory: "unix://localhost:1" is the name etcd 3.2 accepts.
const (
	clientSocket = "localhost:1"
	peerSocket   = "localhost:2"
)

func start(etcd string, name, dataDir string, extra []string) (*process, error) {
	dir, err := os.MkdirTemp("/run", "etcd-rehearsal-")
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, output: &tail{limit: 1 << 20}, exited: make(chan struct{})}
	p.cmd = exec.Command(etcd, append([]string{
		"--name", name, "--data-dir", dataDir, "--force-new-cluster",
		"--listen-client-urls", "unix://" + clientSocket, "--advertise-client-urls", "http://127.0.0.1:1",
		"--listen-peer-urls", "unix://" + peerSocket, "--initial-advertise-peer-urls", "http://127.0.0.1:2",
		"--initial-cluster", name + "=http://127.0.0.1:2",
	}, extra...)...)
	p.cmd.Dir = dir
	p.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"} // no ETCD_* of ours may reach it
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := p.launch(); err != nil {
		os.RemoveAll(dir)
		if errors.Is(err, syscall.EPERM) {
			return nil, fault.Wrap(fault.Unsupported, err, "no network namespace can be made here, so the rehearsal cannot be isolated").
				WithHint("run as root with CAP_SYS_ADMIN, or skip the rehearsal with -e etcd_rehearse=no")
		}
		return nil, err
	}
	return p, nil
}

// launch starts the process from a locked thread that lives as long as the process: Pdeathsig fires when the starting THREAD ends.
func (p *process) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
		runtime.UnlockOSThread()
	}()
	return <-started
}

func (p *process) clientEndpoint() string { return "unix://" + filepath.Join(p.dir, clientSocket) }

// stop ends etcd in good order, or by force after the limit, and removes its working directory.
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
