// Package procfs reads /proc: processes, listening sockets, and locks on files. It only reads; it sends no signal and keeps no lock.
package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/timelimit"
)

// Process is what /proc says about one process.
type Process struct {
	PID     int
	Parent  int
	Comm    string
	Args    []string
	Env     map[string]string // nil where EnvErr is set
	EnvErr  error             // another user's process, without CAP_SYS_PTRACE, or settings without an end
	State   string            // R, S, D, T, Z … as in /proc/PID/stat
	Threads int               // those that have not ended yet
	Started uint64            // clock ticks after boot; with the PID it identifies a process for ever
	CGroup  string            // the whole of /proc/PID/cgroup
}

// Processes lists the processes for whose comm keep is true, as Look sees them. One that ends while it is being read is left out.
func Processes(keep func(comm string) bool) ([]Process, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []Process
	for _, n := range names {
		pid, err := strconv.Atoi(n.Name())
		if err != nil {
			continue
		}
		comm, err := os.ReadFile(file(pid, "comm"))
		if err != nil || !keep(strings.TrimSpace(string(comm))) {
			continue
		}
		p, err := Look(pid)
		if Gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Gone tells whether an error of this package means that the process has ended.
func Gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// Read is Look with ReadSettings.
func Read(pid int) (Process, error) {
	p, err := Look(pid)
	if err == nil {
		err = p.ReadSettings()
	}
	return p, err
}

// Look reads what the kernel itself knows of a process: all but its arguments and its environment. The process has no influence on how long that
// takes.
func Look(pid int) (Process, error) {
	p := Process{PID: pid}
	stat, err := os.ReadFile(file(pid, "stat"))
	if err != nil {
		return p, err
	}
	if err := p.stat(string(stat)); err != nil {
		return p, err
	}
	if cgroup, err := os.ReadFile(root.Path(file(pid, "cgroup"))); err == nil { // a test cannot put a process into a kubelet's cgroup
		p.CGroup = string(cgroup)
	}
	return p, nil
}

// ReadSettings reads the arguments and the environment; an error means that the process is gone. What cannot be read is EnvErr, and the arguments
// are then the name alone.
func (p *Process) ReadSettings() error {
	args, err := ofMemory(file(p.PID, "cmdline"))
	if Gone(err) {
		return err
	}
	if err != nil {
		p.Args, p.EnvErr = []string{p.Comm}, err
		return nil
	}
	p.Args = words(args)
	env, err := ofMemory(file(p.PID, "environ"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) && !p.firstThreadEnded() {
		return err // it began to end after the first file was read: that is not the same as a process whose settings may not be read
	}
	if err != nil {
		p.EnvErr = err
		return nil
	}
	p.Env = map[string]string{}
	for _, pair := range words(env) {
		key, value, _ := strings.Cut(pair, "=")
		p.Env[key] = value
	}
	return nil
}

const mostSettings = 1 << 20 // of arguments, or of an environment; etcd's have some kB

// patience is how long such a read may take. It is a matter of microseconds, unless the process makes it one of its own.
var patience = time.Second

var errTooLong = fmt.Errorf("more than %d bytes", mostSettings)

// ofMemory reads a file of /proc that shows the process's own memory. By prctl(PR_SET_MM) any process makes that as long as its address space,
// and a part of its memory can be a file whose server does not answer.
func ofMemory(path string) ([]byte, error) {
	type answer struct {
		raw []byte
		err error
	}
	got := timelimit.Collect(patience, func(add func(answer)) {
		f, err := os.Open(path)
		if err != nil {
			add(answer{nil, err})
			return
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, mostSettings+1))
		if err == nil && len(raw) > mostSettings {
			err = errTooLong
		}
		add(answer{raw, err})
	})
	if len(got) == 0 {
		return nil, os.ErrDeadlineExceeded
	}
	return got[0].raw, got[0].err
}

// stat takes the fields behind the last ')': a comm may itself hold blanks and parentheses.
func (p *Process) stat(text string) error {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return errors.New("/proc/PID/stat has no command name")
	}
	p.Comm = text[open+1 : end]
	fields := strings.Fields(text[end+1:])
	if len(fields) < 20 {
		return errors.New("/proc/PID/stat is too short")
	}
	p.State = fields[0]
	var err, err2, err3 error
	p.Parent, err = strconv.Atoi(fields[1])
	p.Threads, err2 = strconv.Atoi(fields[17])
	p.Started, err3 = strconv.ParseUint(fields[19], 10, 64)
	return errors.Join(err, err2, err3)
}

// Zombie tells whether the process has ended and only waits for its parent: it no longer holds locks or ports. A process of which only the first
// thread has ended shows the same state and lives on; so does, for a moment, a process with several threads in the middle of an exec.
func (p Process) Zombie() bool { return p.firstThreadEnded() && p.Threads <= 1 }

func (p Process) firstThreadEnded() bool { return p.State == "Z" || p.State == "X" }

// Exiting tells whether the process has released its memory already, or, in the middle of an exec, has none yet. It may still hold files and
// ports for a moment.
func (p Process) Exiting() bool { return len(p.Args) == 0 }

// StartedAt is the wall-clock time of the start. USER_HZ is 100 on every Linux that Go runs on.
func (p Process) StartedAt() (time.Time, error) {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{}, err
	}
	boot := time.Now().Add(-time.Duration(up.Nano()))
	return boot.Add(time.Duration(p.Started) * time.Second / 100), nil
}

// Flag is the value of --name=value, -name value and the like, and whether it is there. The last one counts, as for Go's flag package.
func (p Process) Flag(name string) (value string, ok bool) {
	for i := 1; i < len(p.Args); i++ {
		bare := strings.TrimPrefix(strings.TrimPrefix(p.Args[i], "-"), "-")
		if bare == p.Args[i] {
			continue
		}
		switch {
		case strings.HasPrefix(bare, name+"="):
			value, ok = bare[len(name)+1:], true
		case bare == name:
			value, ok = "", true
			if i+1 < len(p.Args) && !strings.HasPrefix(p.Args[i+1], "-") {
				value = p.Args[i+1]
			}
		}
	}
	return value, ok
}

// SameFile tells whether path, in the process's own mount namespace, is the directory that is called local here.
func (p Process) SameFile(path, local string) (bool, error) {
	inside, err := os.Stat(filepath.Join(file(p.PID, "root"), path))
	if err != nil {
		return false, err
	}
	outside, err := os.Stat(local)
	if err != nil {
		return false, err
	}
	return os.SameFile(inside, outside), nil
}

// Opens tells whether the process has one of these files open. A process that is gone, or whose files may not be read, is an error.
func (p Process) Opens(files []os.FileInfo) (bool, error) {
	dir := file(p.PID, "fd")
	list, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer list.Close()
	names, err := list.Readdirnames(-1)
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name)) // of the file itself, whatever its path in that process's mount namespace
		if err == nil && slices.ContainsFunc(files, func(f os.FileInfo) bool { return os.SameFile(f, info) }) {
			return true, nil
		}
	}
	return false, err
}

func file(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

func words(raw []byte) []string {
	raw = bytes.TrimRight(raw, "\x00")
	if len(raw) == 0 {
		return nil
	}
	var out []string
	for _, w := range bytes.Split(raw, []byte{0}) {
		out = append(out, string(w))
	}
	return out
}
