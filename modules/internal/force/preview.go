package force

import (
	"context"
	"fmt"
)

// Would is what a run would do.
type Would struct {
	Changed     bool     `json:"-"`
	TailEntries uint64   `json:"tail_entries"` // beyond the commit index on disk: kept with keep_log_tail, else given up
	Method      string   `json:"method"`       // log or flag
	Lines       []string `json:"lines"`
}

// Preview makes the refusals of a run, and changes nothing. It asks the other members, but not this host's etcd.
func (f *Forcer) Preview(ctx context.Context) (Would, error) {
	s, next, err := f.decide(ctx)
	if err != nil {
		return Would{}, err
	}
	switch next {
	case proveOnly:
		return Would{Lines: []string{"etcd runs here as the only member, without the flag: nothing to do."}}, nil
	case releaseIt:
		return Would{Changed: true, Lines: []string{fmt.Sprintf("Would start member %s without the force flag: its forced start is proven already.", s.state.ID)}}, nil
	}
	w := Would{Changed: true, TailEntries: s.state.TailEntries(), Method: s.method}
	tail := "given up"
	if f.KeepTail {
		tail = "kept"
	}
	w.Lines = []string{fmt.Sprintf("Would force a new cluster of member %s alone, by the %s; its log holds %d entries beyond the commit index on disk, to be %s.", s.state.ID, s.method, w.TailEntries, tail)}
	return w, nil
}
