// Package runlock keeps two runs of ansible-playbook from changing one cluster at the same time from one control node.
//
// A module ends with its task, so it cannot hold a lock for the run. The lock is a record that names the process of ansible-playbook: it holds as
// long as that process lives, so a run that was killed leaves nothing to remove.
package runlock

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Holder is a run of ansible-playbook, and the content of a lock's file.
type Holder struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"` // clock ticks after boot; with Boot and PID it identifies a process for ever
	Boot    string `json:"boot"`
	Command string `json:"command"`
	User    string `json:"user"`
	Node    string `json:"node"`             // the control node's own name
	Since   string `json:"since"`            // RFC 3339, UTC
	Beside  []int  `json:"beside,omitempty"` // process IDs of other runs that lived on the control node when this one began, for other inventories
}

// Path is this user's lock file for an inventory, given as Ansible's list of sources.
func Path(directory string, inventory []string) string {
	return filepath.Join(directory, fmt.Sprintf("etcd-quorum-restore-%s-%d.lock", key(inventory), os.Geteuid()))
}

func key(inventory []string) string {
	var sources []string
	for _, source := range inventory {
		if real, err := filepath.EvalSymlinks(source); err == nil {
			source = real
		}
		sources = append(sources, source)
	}
	slices.Sort(sources)
	sum := sha256.Sum256([]byte(strings.Join(sources, "\n")))
	return hex.EncodeToString(sum[:8])
}

// This is the run that the calling process belongs to: the nearest ansible-playbook above it, or else its parent.
func This() (Holder, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Holder{}, err
	}
	p, err := playbookAbove(os.Getppid())
	if err != nil {
		return Holder{}, err
	}
	began, err := p.StartedAt()
	if err != nil {
		return Holder{}, err
	}
	node, err := os.Hostname()
	if err != nil {
		return Holder{}, err
	}
	return Holder{PID: p.PID, Started: p.Started, Boot: strings.TrimSpace(string(boot)), Command: command(p.Args), User: userName(), Node: node,
		Since: began.UTC().Format(time.RFC3339)}, nil
}

func userName() string {
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return fmt.Sprint(os.Geteuid()) // a user without a name
}

// playbookAbove finds ansible-playbook's main process: Ansible's workers are forks of it, with the same arguments.
func playbookAbove(pid int) (procfs.Process, error) {
	parent, err := procfs.Read(pid)
	if err != nil {
		return procfs.Process{}, err
	}
	found := procfs.Process{}
	for p := parent; err == nil; p, err = procfs.Read(p.Parent) { // on an error it is another user's process, or there is none; nothing above it counts
		same := isPlaybook(p.Args) && (found.PID == 0 || slices.Equal(found.Args, p.Args))
		if !same && found.PID != 0 {
			break
		}
		if same {
			found = p
		}
		if p.Parent == 0 {
			break
		}
	}
	if found.PID == 0 {
		return parent, nil
	}
	return found, nil
}

// isPlaybook is true for the program itself, or an interpreter that runs it.
func isPlaybook(args []string) bool {
	return slices.ContainsFunc(args[:min(len(args), 3)], func(word string) bool { return filepath.Base(word) == "ansible-playbook" })
}

// command is the name of the playbook only: extra variables may hold secrets.
func command(args []string) string {
	for i, word := range args {
		if strings.HasPrefix(word, "-") || i > 0 && slices.Contains(withValue, args[i-1]) {
			continue
		}
		if name := filepath.Base(word); strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml") {
			return name
		}
		if name, ours := strings.CutPrefix(word, "quorum.etcd."); ours { // a playbook of the collection
			return name + ".yml"
		}
	}
	return "ansible-playbook"
}

// withValue are the options of ansible-playbook of which the next word is the value, which may be the name of a file, too.
var withValue = strings.Fields("-i --inventory --inventory-file -e --extra-vars -l --limit --subset -t --tags --skip-tags --start-at-task -f --forks " +
	"-M --module-path -u --user -c --connection -T --timeout --private-key --key-file --vault-id --vault-password-file --vault-pass-file " +
	"--become-method --become-user --become-password-file --become-pass-file --connection-password-file --conn-pass-file " +
	"--ssh-common-args --sftp-extra-args --scp-extra-args --ssh-extra-args")

func (h Holder) String() string {
	return fmt.Sprintf("%s of %s (process %d, since %s)", h.Command, h.User, h.PID, h.Since)
}

func (h Holder) same(o Holder) bool {
	return h.PID == o.PID && h.Started == o.Started && h.Boot == o.Boot
}

// Take records the run in the user's own file, then looks at those of other users: if two start at the same instant, each sees the other. A run
// that holds the lock already takes it again.
func Take(path string, me Holder) error {
	f, err := openOwn(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := hold(f); err != nil {
		return err
	}
	if other, err := Other(path, me); err != nil || other != nil {
		return refusal(other, err)
	}
	if err := record(f, me); err != nil {
		return err
	}
	other, err := Other(path, me)
	if other != nil {
		return errors.Join(f.Truncate(0), refusal(other, err))
	}
	return err
}

func record(f *os.File, me Holder) error {
	me.Beside = nil
	text, err := json.Marshal(me)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}

// parse is the run that a lock's file names; nil where it is no record: empty, or half written by a run that was killed then.
func parse(f *os.File) *Holder {
	text, err := io.ReadAll(io.LimitReader(f, maxRecord))
	var h Holder
	if err != nil || json.Unmarshal(text, &h) != nil || h.PID <= 0 {
		return nil
	}
	return &h
}

// patience is far longer than a run holds the lock of its file. Any user who can read the file can hold it for ever.
const patience = 5 * time.Second

func hold(f *os.File) error {
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return fault.Wrap(fault.Internal, err, "lock %s", f.Name())
		case time.Now().After(until):
			return fault.New(fault.Refused, "a process holds the lock on %s, and no run of this user holds it for so long", f.Name()).
				WithHint("see which: fuser -v %s; end it, or say another directory: -e etcd_lock_dir=PATH", f.Name())
		}
	}
}

func refusal(other *Holder, err error) error {
	if other == nil {
		return err
	}
	return fault.New(fault.Refused, "%s runs on this control node, for the same inventory; two runs at a time would work against each other", other).
		WithHint("wait until it ends, or stop it (kill %d) and run this again: the new run continues the interrupted one", other.PID)
}

// openOwn follows no link, and refuses a file of another user or with a second name: that file would be overwritten. The directory may be open to
// all.
func openOwn(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "argument directory: the lock of this run cannot be written").WithHint("say another directory: -e etcd_lock_dir=PATH")
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || owner(info) != uint32(os.Geteuid()) || names(info) > 1 {
		f.Close()
		return nil, fault.New(fault.Refused, "%s is not this user's own file", path).WithHint("see who made it (ls -l %[1]s), and take it away: rm %[1]s", path)
	}
	return f, nil
}

// Other is a living run for the same inventory that is not me, of any user; nil where there is none.
func Other(path string, me Holder) (*Holder, error) {
	mine := filepath.Base(path)
	found, err := living(path, mine[:strings.LastIndexByte(mine, '-')+1], me)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Beside are the process IDs of all living runs that are not me, for any inventory: another inventory may name the same hosts.
func Beside(path string, me Holder) ([]int, error) {
	found, err := living(path, "etcd-quorum-restore-", me)
	var pids []int
	for _, h := range found {
		pids = append(pids, h.PID)
	}
	return pids, err
}

func living(path, prefix string, me Holder) ([]Holder, error) {
	files, err := readfile.Dir(filepath.Dir(path)) // no glob pattern: the directory's name may hold special characters
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "argument directory").WithHint("say another directory: -e etcd_lock_dir=PATH")
	}
	var found []Holder
	for _, file := range files {
		if !strings.HasPrefix(file.Name(), prefix) || !strings.HasSuffix(file.Name(), ".lock") {
			continue
		}
		h, err := read(filepath.Join(filepath.Dir(path), file.Name()))
		if err != nil {
			return nil, err
		}
		if h != nil && !h.same(me) && h.Boot == me.Boot {
			found = append(found, *h)
		}
	}
	return found, nil
}

const maxRecord = 4096

// read returns a file's holder if that process lives and belongs to the file's owner. A file that is no record holds nothing.
func read(path string) (*Holder, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) { // a link; a socket
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	h := parse(f)
	if h == nil {
		return nil, nil
	}
	p, err := procfs.Look(h.PID) // not its settings: it can be any user's
	if err != nil || p.Zombie() || p.Started != h.Started {
		return nil, nil
	}
	process, err := os.Stat(filepath.Join("/proc", fmt.Sprint(h.PID)))
	if err != nil || owner(process) != owner(info) {
		return nil, nil
	}
	return h, nil
}

func names(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

func owner(info fs.FileInfo) uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return ^uint32(0)
}
