package force

import (
	"context"
	"fmt"
)

// Would is what a run would do.
type Would struct {
	Changed     bool     `json:"-"`
	TailEntries uint64   `json:"tail_entries"` // beyond the commit index on disk: kept with keep_log_tail, else given up
	Lines       []string `json:"lines"`
}

// Preview makes the refusals of a run, and touches nothing. The other members are asked, etcd here is not.
func (f *Forcer) Preview(ctx context.Context) (Would, error) {
	s, next, err := f.decide(ctx)
	if err != nil {
		return Would{}, err
	}
	switch next {
	case proveOnly:
		return Would{Lines: []string{"etcd runs here as the only member, without the flag: nothing to do."}}, nil
	case releaseIt:
		return Would{Changed: true, Lines: []string{fmt.Sprintf("Would start member %x without the force flag: its forced start is proven already.", s.state.ID)}}, nil
	}
	w := Would{Changed: true, TailEntries: s.state.TailEntries()}
	fate := "given up"
	if f.KeepTail {
		fate = "kept"
	}
	w.Lines = []string{fmt.Sprintf("Would force a new cluster of member %x alone; its log holds %d entries beyond the commit index on disk, to be %s.", s.state.ID, w.TailEntries, fate)}
	return w, nil
}
