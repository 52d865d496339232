package force

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Phases of forcing.json. Until `proven`, only a forced start can start this host's etcd: the fence's assertion stands in the
// permanent drop-in, and the forced start's drop-in is in /run and needs forcing.json. A reboot in any phase leaves etcd stopped.
const (
	phaseBegun  = "begun"  // nothing is changed yet, or the log's tail is being kept
	phaseStart  = "start"  // the forced start was asked for
	phaseProven = "proven" // the data are those of a single member; what is left is to start it without the flag
)

// record writes forcing.json durably, before what it announces.
func (f *Forcer) record(s *member.State, phase string) error {
	r := facts.Forcing{When: time.Now().UTC().Format(time.RFC3339), Phase: phase, MemberID: etcd.FormatID(s.ID), ClusterID: etcd.FormatID(s.ClusterID)}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := safefile.Write(f.Host.ForcingFile(), append(raw, '\n'), 0o644); err != nil {
		return fault.Wrap(fault.Internal, err, "write %s", f.Host.ForcingFile())
	}
	return nil
}

// readRecord takes a record that it cannot read for a start that has begun: to go through it all again is safe.
func readRecord(path string) (*facts.Forcing, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &facts.Forcing{}
	if err := json.Unmarshal(raw, r); err != nil {
		return &facts.Forcing{Phase: phaseStart}, nil
	}
	return r, nil
}
