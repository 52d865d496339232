package force

import (
	"errors"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/record"
)

// Phases of forcing.json, see facts.
const (
	phaseBegun  = facts.ForcingBegun
	phaseStart  = facts.ForcingStart
	phaseProven = facts.ForcingProven
)

// record writes forcing.json durably, before the step that it announces. Until it says proven, only a forced start can start this host's etcd:
// the fence's assertion stands in the permanent drop-in, and the forced start's drop-in is in /run and needs forcing.json. A reboot in any phase
// leaves etcd stopped. The commit index is that of before the first change, also in a later run.
func (f *Forcer) record(s situation, phase string) error {
	r := facts.Forcing{When: time.Now().UTC().Format(time.RFC3339), Phase: phase, MemberID: s.state.ID, ClusterID: s.state.ClusterID,
		Method: s.method, Commit: s.state.KnownCommitted()}
	if s.record != nil {
		r.Commit = s.record.Commit
	}
	return record.Write(f.Host.ForcingFile(), r)
}

// readRecord takes a record that it cannot read for a start that has begun: to repeat all steps is safe.
func readRecord(path string) (*facts.Forcing, error) {
	r, err := record.Read[facts.Forcing](path)
	if errors.Is(err, record.ErrMalformed) {
		return &facts.Forcing{Phase: facts.ForcingStart}, nil
	}
	return r, err
}
