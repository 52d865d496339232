package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/record"
	"etcd-quorum-restore/modules/internal/safefile"
)

func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.EBUSY)
}

// FenceRecord reads fenced.json; nil where there is none. A record that cannot be read still fences, so that is no error.
func (h *Host) FenceRecord() (*facts.Fence, error) {
	fence, err := record.Read[facts.Fence](h.FenceFile())
	if errors.Is(err, record.ErrMalformed) {
		return &facts.Fence{Why: "the record " + h.FenceFile() + " cannot be read"}, nil
	}
	return fence, err
}

// Fence keeps etcd from running: first no start is possible, then etcd is stopped, last both are proven. Killed at any point, the host is at
// least as safe as before, and a second call finishes. A failure undoes nothing.
func (h *Host) Fence(ctx context.Context, fence facts.Fence) (Evidence, error) {
	if err := h.Runtime.Block(ctx); err != nil {
		return Evidence{}, fault.Wrap(fault.Internal, err, "fence")
	}
	if err := h.writeFence(fence); err != nil {
		return Evidence{}, err
	}
	if err := safefile.Remove(h.PutBackFile()); err != nil { // the new record has all of it
		return Evidence{}, err
	}
	holds, hole, err := h.Runtime.Blocked(ctx)
	if err != nil {
		return Evidence{}, err
	}
	if !holds {
		return Evidence{}, fault.New(fault.Refused, "the fence does not hold: %s", hole).
			WithHint("look at `systemctl cat %s`, move that drop-in away, and run this again", unitName)
	}
	return h.stop(ctx)
}

func (h *Host) writeFence(fence facts.Fence) error {
	if err := os.MkdirAll(filepath.Dir(h.FenceFile()), 0o700); err != nil { // a host whose /etc/etcd is lost
		return fault.Wrap(fault.Internal, err, "write %s", h.FenceFile())
	}
	return record.Write(h.FenceFile(), fence)
}

// MayUnfence refuses where an old member could come back with its data: two of them are a majority of the old cluster, and serve.
func (h *Host) MayUnfence(keepData bool) error {
	if forcing, err := h.IsForcing(); err != nil || forcing {
		return fault.New(fault.Refused, "a forced start has begun on this host and is not proven yet (%s); only etcd_force_new_cluster takes this fence away", h.ForcingFile()).
			WithHint("finish what was begun: ansible-playbook playbooks/restore_quorum.yml")
	}
	data, err := h.HasMember()
	if err != nil {
		return err
	}
	if !data || keepData {
		return nil
	}
	return fault.New(fault.Refused, "%s holds the data of %s; started with it, etcd could form the old cluster again with another old member", h.DataDir, h.whose()).
		WithHint("move it aside by etcd_data_dir state=set_aside, then run this again; keep_data=yes is only for a member that is to start with this very data")
}

func (h *Host) whose() string {
	m, err := h.Member()
	if err != nil || m == nil {
		return "a member whose log cannot be read"
	}
	return fmt.Sprintf("member %s of cluster %s", m.ID, m.ClusterID)
}

// Unfence makes etcd startable again and does not start it. The record is removed first: a drop-in without it blocks nothing, while a record
// without the drop-in would claim a fence that does not hold.
func (h *Host) Unfence(ctx context.Context) error {
	if err := safefile.Remove(h.FenceFile()); err != nil {
		return err
	}
	return h.Runtime.Unblock(ctx)
}

// UnfenceToStart is Unfence where etcd is started next. It renames the record, so that a run after a kill knows that the start is left.
func (h *Host) UnfenceToStart(ctx context.Context) error {
	if err := safefile.Rename(h.FenceFile(), h.PutBackFile()); err != nil {
		return err
	}
	return h.Runtime.Unblock(ctx)
}

// PutBackRecord reads unfenced.json; nil where there is none. One that cannot be read says only that etcd ran.
func (h *Host) PutBackRecord() (*facts.Fence, error) {
	fence, err := record.Read[facts.Fence](h.PutBackFile())
	if errors.Is(err, record.ErrMalformed) {
		return &facts.Fence{Why: "the record " + h.PutBackFile() + " cannot be read", Ran: true}, nil
	}
	return fence, err
}

// IsToRun is true where etcd runs, or its runtime is about to start it. The kubelet retries without end to run a manifest that is in its
// directory.
func (h *Host) IsToRun(ctx context.Context, s Status) (bool, error) {
	if s.State == facts.Running || s.State == facts.Starting || h.Runtime.Name() != facts.StaticPod {
		return s.State == facts.Running || s.State == facts.Starting, nil
	}
	out, _, err := h.Runtime.Blocked(ctx)
	return !out, err
}

// Stamp completes a record: the time, and whose data is here.
func Stamp(fence facts.Fence, member *facts.Member) facts.Fence {
	fence.When = time.Now().UTC().Format(time.RFC3339)
	if member != nil {
		fence.MemberID, fence.ClusterID = &member.ID, &member.ClusterID
	}
	return fence
}

// IsForcing tells whether a forced start has begun here and is not proven yet.
func (h *Host) IsForcing() (bool, error) {
	_, err := os.Lstat(h.ForcingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
