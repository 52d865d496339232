package runlock

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Stale is the age from which on a host's lock holds nobody up: whether a process of another control node lives cannot be seen from here.
const Stale = 2 * time.Hour

// HostPath is the lock of a host of etcd, for runs of all control nodes.
func HostPath(directory string) string { return filepath.Join(directory, "etcd-quorum-restore.lock") }

// TakeHost records the run on this host, where no process of it can be seen. It refuses where a run of another control node has the lock, or one of
// this control node that may live. One whose lock is stale has ended, as far as anybody can tell. It returns the run whose lock was taken over.
// The refusal gives back the locks of hosts, those of the whole run.
func TakeHost(path string, me Holder, hosts []string, write bool) (*Holder, error) {
	f, other, age, err := openHost(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	foreign := other != nil && me.meets(*other)
	if foreign && !stale(age) {
		return nil, fault.New(fault.Refused, "%s on %s has this host's lock, which is %s old; two runs at a time would work against each other",
			other, other.Node, age.Round(time.Second)).
			WithHint("wait until it ends. If it has ended (no process %d on %s), release the lock: ansible %s -m etcd_run_lock -a 'state=absent directory=%s'; "+
				"then the same command again; after %s the lock is ignored", other.PID, other.Node, pattern(hosts), filepath.Dir(path), (Stale - age).Round(time.Minute))
	}
	if write {
		err = record(f, me)
	}
	if !foreign {
		other = nil
	}
	return other, err
}

// HeldHost is a run of another control node that has the host's lock; nil where there is none. It writes nothing.
func HeldHost(path string, me Holder) (*Holder, error) {
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return nil, nil
	}
	f, other, age, err := openHost(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if other == nil || !me.meets(*other) || stale(age) {
		return nil, nil
	}
	return other, nil
}

// meets is false for a run of this control node that has ended: it began before me, and did not live when I began. For one inventory, Take keeps runs
// apart; two inventories may name the same hosts.
func (h Holder) meets(o Holder) bool {
	return o.Boot != h.Boot || o.Started > h.Started || slices.Contains(h.Beside, o.PID)
}

// A lock of the future is one of a clock that was wrong.
func stale(age time.Duration) bool { return age < 0 || age >= Stale }

func pattern(hosts []string) string {
	if len(hosts) == 0 {
		return "HOST"
	}
	return strings.Join(hosts, ",")
}

// GiveBack empties the host's lock, if this run has it; of whomever, where me is nil.
func GiveBack(path string, me *Holder) error {
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return nil
	}
	f, other, _, err := openHost(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if other == nil || me != nil && !me.same(*other) {
		return nil
	}
	return f.Truncate(0)
}

// openHost is the lock's file, held, with its holder and how long ago it was written. A file that is no record holds nothing.
func openHost(path string) (*os.File, *Holder, time.Duration, error) {
	f, err := openOwn(path)
	if err != nil {
		return nil, nil, 0, err
	}
	if err := hold(f); err != nil {
		f.Close()
		return nil, nil, 0, err
	}
	h := parse(f)
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return f, h, time.Since(info.ModTime()), nil
}
