package restore

import (
	"errors"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/record"
)

// Phases of restoring.json.
const (
	phaseLaid   = "laid"   // the member is beside its place, or in it: the IDs decide
	phaseServes = "serves" // proven; what is left is the platform's part: masters that hold watches of the old cluster
)

// ReadRecord reads restoring.json; nil where there is none. It is written atomically, so one that cannot be read was not written by this project.
func ReadRecord(path string) (*facts.Restoring, error) {
	r, err := record.Read[facts.Restoring](path)
	if errors.Is(err, record.ErrMalformed) || r != nil && r.Phase == "" {
		return nil, fault.New(fault.Corrupt, "%s cannot be read; expected the record of a restore that is under way", path).
			WithHint("look at it, and move it away; then run this again")
	}
	return r, err
}

func (r *Restorer) write(rec facts.Restoring) error {
	rec.When = time.Now().UTC().Format(time.RFC3339)
	return record.Write(r.Host.RestoringFile(), rec)
}
