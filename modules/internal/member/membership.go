package member

import (
	"cmp"
	"maps"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// roster is the membership while the log's changes are applied to it. A change in the log is committed, but etcd may have refused it when it
// applied it (RaftCluster.ValidateConfigurationChange): for example, a `member add` with a peer URL that is already there leaves an entry and no
// member.
type roster struct {
	byID    map[facts.ID]Peer
	removed map[facts.ID]bool // such an ID is never accepted again
}

// membership applies the changes, and the names that members published, up to an index.
func membership(base []Peer, removed []facts.ID, changes []ConfChange, names []published, upTo uint64) []Peer {
	r := roster{byID: map[facts.ID]Peer{}, removed: map[facts.ID]bool{}}
	for _, p := range base {
		r.byID[p.ID] = p
	}
	for _, id := range removed {
		r.removed[id] = true
	}
	for _, c := range changes {
		if c.Index > upTo {
			break
		}
		r.apply(c)
	}
	for _, a := range names {
		if p, ok := r.byID[a.id]; ok && a.index <= upTo {
			p.Name, p.ClientURLs = a.Name, a.ClientURLs
			r.byID[a.id] = p
		}
	}
	return slices.SortedFunc(maps.Values(r.byID), func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
}

func (r roster) apply(c ConfChange) {
	old, listed := r.byID[c.MemberID]
	if r.removed[c.MemberID] {
		return
	}
	switch c.Type {
	case ChangeAdd, ChangeLearner:
		if !listed && !r.taken(c) {
			r.byID[c.MemberID] = Peer{ID: c.MemberID, Name: c.Name, PeerURLs: c.PeerURLs}
		}
	case ChangeUpdate:
		if listed && !r.taken(c) {
			old.PeerURLs = c.PeerURLs
			r.byID[c.MemberID] = old
		}
	case ChangeRemove:
		if listed {
			delete(r.byID, c.MemberID)
			r.removed[c.MemberID] = true
		}
	}
}

// taken is true where another member has one of the peer URLs.
func (r roster) taken(c ConfChange) bool {
	for id, p := range r.byID {
		if id != c.MemberID && slices.ContainsFunc(c.PeerURLs, func(url string) bool { return slices.Contains(p.PeerURLs, url) }) {
			return true
		}
	}
	return false
}
