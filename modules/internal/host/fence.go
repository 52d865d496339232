package host

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.EBUSY)
}

// FenceRecord reads fenced.json; nil where there is none. A record that cannot be read still fences, so it is no error.
func (h *Host) FenceRecord() (*facts.Fence, error) {
	raw, err := os.ReadFile(h.FenceFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := &facts.Fence{}
	if err := json.Unmarshal(raw, record); err != nil {
		return &facts.Fence{Why: "the record " + h.FenceFile() + " cannot be read"}, nil
	}
	return record, nil
}

// Fence keeps etcd from running: unstartable first, stopped second, proven last. Killed at any point, the host is at least as safe as
// before, and a second call finishes. A failure puts nothing back.
func (h *Host) Fence(ctx context.Context, record facts.Fence) (Evidence, error) {
	if err := h.Runtime.Bar(ctx); err != nil {
		return Evidence{}, fault.Wrap(fault.Internal, err, "fence")
	}
	if err := h.writeRecord(record); err != nil {
		return Evidence{}, fault.Wrap(fault.Internal, err, "write %s", h.FenceFile())
	}
	holds, hole, err := h.Runtime.Barred(ctx)
	if err != nil {
		return Evidence{}, err
	}
	if !holds {
		return Evidence{}, fault.New(fault.Refused, "the fence does not hold: %s", hole).
			WithHint("look at `systemctl cat %s`, move that drop-in away, and run this again", unitName)
	}
	return h.stop(ctx)
}

func (h *Host) writeRecord(record facts.Fence) error {
	raw, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(h.FenceFile())
	if err := os.MkdirAll(dir, 0o700); err != nil { // a host whose /etc/etcd is lost
		return err
	}
	return safefile.Write(h.FenceFile(), append(raw, '\n'), 0o644)
}

// Unfence makes etcd startable again and does not start it. The record goes first: a drop-in without it bars nothing, while a record
// without the drop-in would claim a fence that does not hold.
func (h *Host) Unfence(ctx context.Context) error {
	if err := safefile.Remove(h.FenceFile()); err != nil {
		return err
	}
	return h.Runtime.Unbar(ctx)
}

// NewFence fills a record.
func NewFence(why, survivor string, member *facts.Member) facts.Fence {
	record := facts.Fence{When: time.Now().UTC().Format(time.RFC3339), Why: why, Survivor: survivor}
	if member != nil {
		record.MemberID, record.ClusterID = &member.ID, &member.ClusterID
	}
	return record
}

// IsForcing tells whether a forced start has begun here and is not proven yet.
func (h *Host) IsForcing() (bool, error) {
	_, err := os.Lstat(h.ForcingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
