package member

import "sort"

// membership applies the changes, and the names that members published, up to an index.
func membership(base []Peer, changes []ConfChange, names []published, upTo uint64) []Peer {
	byID := map[uint64]Peer{}
	for _, p := range base {
		byID[p.ID] = p
	}
	for _, c := range changes {
		if c.Index > upTo {
			break
		}
		switch c.Type {
		case ChangeAdd, ChangeLearner:
			byID[c.MemberID] = Peer{ID: c.MemberID, Name: c.Name, PeerURLs: c.PeerURLs}
		case ChangeUpdate:
			p := byID[c.MemberID]
			p.ID, p.PeerURLs = c.MemberID, c.PeerURLs
			byID[c.MemberID] = p
		case ChangeRemove:
			delete(byID, c.MemberID)
		}
	}
	for _, a := range names {
		if p, ok := byID[a.id]; ok && a.index <= upTo {
			p.Name, p.ClientURLs = a.Name, a.ClientURLs
			byID[a.id] = p
		}
	}
	out := make([]Peer, 0, len(byID))
	for _, p := range byID {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}
