package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var writerActions = map[string]action{
	"start":  (*Lab).writerStart,
	"run":    (*Lab).writerRun,
	"stop":   (*Lab).writerStop,
	"check":  (*Lab).writerCheck,
	"report": (*Lab).writerReport,
}

// writerOptions say how hard the writer works.
type writerOptions struct {
	Clients int
	Rate    int
	V2      bool
	Timeout time.Duration
	Size    int
	Hosts   string
	NoWait  bool
}

func (o *writerOptions) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.IntVar(&o.Clients, "clients", 4, "writers at once")
	f.IntVar(&o.Rate, "rate", 100, "writes a second in all; 0: as fast as etcd answers")
	f.BoolVar(&o.V2, "v2", false, "every second write goes to the v2 store")
	f.DurationVar(&o.Timeout, "timeout", time.Second, "limit of one write")
	f.IntVar(&o.Size, "size", 64, "bytes of a value")
	f.StringVar(&o.Hosts, "hosts", "", "write through these only (a,b); default: all members")
	f.BoolVar(&o.NoWait, "no-wait", false, "do not wait for the first acknowledged write")
	return f
}

func (o *writerOptions) parse(name string, args []string) error {
	f := o.flags(name)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.Clients < 1 || o.Rate < 0 || o.Timeout <= 0 {
		return fmt.Errorf("writer %s: unusable options %q", name, args)
	}
	return nil
}

func (l *Lab) ackedLog() string { return l.path("writer/acked.log") }
func (l *Lab) pidFile() string  { return l.path("writer/pid") }

// writerStart runs `writer run` in a session of its own, so that it outlives
// the play that started it.
func (l *Lab) writerStart(ctx context.Context, args []string) error {
	var o writerOptions
	if err := o.parse("start", args); err != nil {
		return err
	}
	if pid := l.writerPID(); pid != 0 {
		return fmt.Errorf("the writer of %s runs already (pid %d); `lab writer stop %s` ends it", l.Name, pid, l.Name)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(l.path("writer/writer.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	before := fileSize(l.ackedLog())
	cmd := exec.Command(self, append([]string{"writer", "run", l.Name}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	if err := os.WriteFile(l.pidFile(), []byte(pid), 0o600); err != nil || o.NoWait {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return poll(ctx, func() error {
		if fileSize(l.ackedLog()) > before {
			return nil
		}
		return errors.New("no write was acknowledged; see " + l.path("writer/writer.log"))
	})
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (l *Lab) writerStop(_ context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("what is %q?", args[0])
	}
	return l.stopWriter()
}

// stopWriter ends the writer if there is one and waits until it is gone, so
// that nothing is added to its log any more.
func (l *Lab) stopWriter() error {
	pid := l.writerPID()
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	err := poll(ctx, func() error {
		if l.writerPID() != 0 {
			return fmt.Errorf("the writer (pid %d) does not end", pid)
		}
		return nil
	})
	if err == nil {
		err = os.Remove(l.pidFile())
	}
	return err
}

// writerPID is the running writer's process, 0 without one. The command line
// is compared: a pid in a file may belong to somebody else by now.
func (l *Lab) writerPID() int {
	b, err := os.ReadFile(l.pidFile())
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(line, []byte("\x00writer\x00run\x00"+l.Name+"\x00")) && !bytes.HasSuffix(line, []byte("\x00writer\x00run\x00"+l.Name)) {
		return 0
	}
	return pid
}

// writerReport says what was acknowledged and the longest time without any.
func (l *Lab) writerReport(_ context.Context, args []string) error {
	acks, err := readAcks(l.ackedLog())
	if err != nil {
		return err
	}
	gap := longestGap(acks)
	fmt.Printf("acknowledged: %d v3, %d v2\n", countStore(acks, "v3"), countStore(acks, "v2"))
	if len(acks) > 1 {
		fmt.Printf("longest time without an acknowledged write: %.3f s, from %s\n",
			gap.length.Seconds(), gap.from.UTC().Format("15:04:05.000"))
		fmt.Printf("last acknowledged: %s\n", acks[len(acks)-1].At.UTC().Format("15:04:05.000"))
	}
	return nil
}
