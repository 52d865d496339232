package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Evidence is what was seen after a stop. Left names what is still there.
type Evidence struct {
	WasRunning  bool     `json:"was_running"`
	Graceful    bool     `json:"graceful"` // it had served clients, and was not killed: etcd 3.2 ends in good order only then
	ProcessGone bool     `json:"process_gone"`
	PortsClosed bool     `json:"ports_closed"`
	LocksFree   bool     `json:"locks_free"`
	Left        []string `json:"left,omitempty"`
}

func (e Evidence) gone() bool { return e.ProcessGone && e.PortsClosed && e.LocksFree }

// Gone looks once for anything that is left of etcd. One look can be wrong (a held lock can be missing from the kernel's list for 50 ms): Stop
// looks several times.
func (h *Host) Gone() (Evidence, error) { return h.gone(true) }

// Left looks until it finds something of etcd, and names that; several looks in a row that find nothing are the proof that nothing is left.
func (h *Host) Left(ctx context.Context) ([]string, error) {
	for range cleanLooks {
		e, err := h.Gone()
		if err != nil || !e.gone() {
			return e.Left, err
		}
		if !pause(ctx, lookEvery) {
			return nil, fault.Wrap(fault.Timeout, ctx.Err(), "look for etcd")
		}
	}
	return nil, nil
}

// gone with names also says who holds a port. That reads every open file of the host, too much for each look of a wait.
func (h *Host) gone(names bool) (Evidence, error) {
	var e Evidence
	found, err := h.Processes()
	if err != nil {
		return e, err
	}
	for _, p := range found {
		e.Left = append(e.Left, describe(p))
	}
	e.ProcessGone = len(found) == 0
	ports, err := h.listening(names)
	if err != nil {
		return e, err
	}
	e.PortsClosed = len(ports) == 0
	e.Left = append(e.Left, ports...)
	if !e.ProcessGone {
		return e, nil // testing the locks could disturb an etcd that starts
	}
	held, err := h.locked()
	e.LocksFree = len(held) == 0
	e.Left = append(e.Left, held...)
	return e, err
}

// EndBy is the command that ends an etcd which the runtime did not start: beside a pod, the package's unit would start it again.
func (h *Host) EndBy(p procfs.Process) string {
	if unitGroup.MatchString(p.CGroup) {
		return "systemctl disable --now etcd"
	}
	return fmt.Sprintf("kill -TERM %d", p.PID)
}

func describe(p procfs.Process) string {
	dir, known := DataDirOf(p)
	if !known {
		dir = "an unknown data directory"
	}
	if p.EnvErr != nil {
		return fmt.Sprintf("etcd process %d, whose settings cannot be read (run as root)", p.PID)
	}
	return fmt.Sprintf("etcd process %d on %s%s", p.PID, dir, map[string]string{
		"T": ", which is frozen (SIGSTOP)", "D": ", which waits for its disk", "t": ", which is being traced",
	}[p.State])
}

// listening names the listening sockets at etcd.conf's addresses. A socket of a user who is neither root nor the data's owner does not count: no
// etcd with this host's data and keys runs as that user, the ports are above 1024, and any user of the host could keep it from being fenced.
func (h *Host) listening(names bool) ([]string, error) {
	all, err := procfs.Listeners()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, each := range append(append([]string{}, h.Config.ListenPeerURLs...), h.Config.ListenClientURLs...) {
		addr, ok := addressOf(each)
		if !ok {
			continue
		}
		for _, l := range all {
			if !l.Covers(addr) || !h.mayServe(l.UID) {
				continue
			}
			line := fmt.Sprintf("port %d is listened on", addr.Port())
			if names {
				line += heldBy(l)
			}
			out = append(out, line)
		}
	}
	return out, nil
}

func (h *Host) mayServe(uid uint32) bool {
	var st unix.Stat_t
	return uid == 0 || int(uid) == os.Geteuid() || unix.Stat(h.DataDir, &st) != nil || st.Uid == uid
}

func heldBy(l procfs.Listener) string {
	var names []string
	for _, pid := range procfs.Owners(l.Inode) {
		if p, err := procfs.Look(pid); err == nil {
			names = append(names, fmt.Sprintf("%s, process %d", p.Comm, pid))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " by " + strings.Join(names, " and ")
}

// addressOf is the address in a URL; for a host name it is the port with an invalid address, which means any.
func addressOf(text string) (netip.AddrPort, bool) {
	u, err := url.Parse(text)
	if err != nil {
		return netip.AddrPort{}, false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	addr, _ := netip.ParseAddr(u.Hostname())
	return netip.AddrPortFrom(addr, uint16(port)), true
}

// locked names the files of the member that some process holds a lock on.
func (h *Host) locked() ([]string, error) {
	entries, err := readfile.Dir(h.WALDir()) // no glob pattern: the directory's name may hold special characters
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) {
		return nil, err
	}
	var files, out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wal") {
			files = append(files, filepath.Join(h.WALDir(), e.Name()))
		}
	}
	for _, file := range append(files, filepath.Join(h.MemberDir(), "snap", "db")) {
		held, err := procfs.Locked(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if held {
			out = append(out, file+" is locked")
		}
	}
	return out, nil
}
