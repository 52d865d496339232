package restore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Phases of restoring.json.
const (
	phaseLaid   = "laid"   // the member lies beside its place, or is in it: the IDs tell
	phaseServes = "serves" // proven; what is left is the platform's: masters that hold watches of the old cluster
)

// ReadRecord reads restoring.json; nil where there is none. It is written atomically, so one that cannot be read was not written here.
func ReadRecord(path string) (*facts.Restoring, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &facts.Restoring{}
	if err := json.Unmarshal(raw, r); err != nil || r.Phase == "" {
		return nil, fault.New(fault.Corrupt, "%s cannot be read; expected the record of a restore that is under way", path).
			WithHint("look at it, and move it away; then run this again")
	}
	return r, nil
}

func (r *Restorer) write(rec facts.Restoring) error {
	rec.When = time.Now().UTC().Format(time.RFC3339)
	raw, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	if err := safefile.Write(r.Host.RestoringFile(), append(raw, '\n'), 0o644); err != nil {
		return fault.Wrap(fault.Internal, err, "write %s", r.Host.RestoringFile())
	}
	return nil
}
