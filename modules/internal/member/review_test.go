package member

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/membertest"
)

// TestDamagedFrameSwallowsNothing: with a flipped bit a frame can claim what follows it, up to the zeros behind the log; etcd then takes the
// record for torn and drops whole, acknowledged records.
func TestDamagedFrameSwallowsNothing(t *testing.T) {
	for bit := range 56 {
		for back := 1; back <= 4; back++ {
			b := membertest.Good().Entry(2, 11, strings.Repeat("x", 900)).Hard(2, membertest.SelfID, 9)
			b.At(b.Frame(-back)+bit/8, func(rest []byte) { rest[0] ^= 1 << (bit % 8) })
			b.Room = 1 << 20
			if got := codes(read(t, membertest.AMember(b).Write(t))); got == "" {
				t.Errorf("bit %d of the frame of record -%d: no damage", bit, back)
			}
		}
	}
}

// TestRefusedMembershipChanges: such changes are in the log and committed, but etcd refused them when it applied them.
func TestRefusedMembershipChanges(t *testing.T) {
	const a, b, c = 0xA, 0xB, 0xC
	url := func(id facts.ID) string { return map[facts.ID]string{a: "http://a", b: "http://b", c: "http://c"}[id] }
	add := func(id facts.ID, at string) ConfChange {
		return ConfChange{Type: ChangeAdd, MemberID: id, PeerURLs: []string{at}}
	}
	base := []Peer{{ID: a, PeerURLs: []string{url(a)}}}
	for name, tc := range map[string]struct {
		removed []facts.ID
		changes []ConfChange
		want    []facts.ID
	}{
		"add":                        {nil, []ConfChange{add(b, url(b))}, []facts.ID{a, b}},
		"peer URL of another member": {nil, []ConfChange{add(b, url(a))}, []facts.ID{a}},
		"the same add again":         {nil, []ConfChange{add(b, url(b)), add(c, url(b))}, []facts.ID{a, b}},
		"removed before":             {[]facts.ID{b}, []ConfChange{add(b, url(b))}, []facts.ID{a}},
		"removed in the log":         {nil, []ConfChange{add(b, url(b)), {Type: ChangeRemove, MemberID: b}, add(b, url(b))}, []facts.ID{a}},
		"update of a stranger":       {nil, []ConfChange{{Type: ChangeUpdate, MemberID: b, PeerURLs: []string{url(b)}}}, []facts.ID{a}},
		"update to a taken URL":      {nil, []ConfChange{add(b, url(b)), {Type: ChangeUpdate, MemberID: b, PeerURLs: []string{url(a)}}, add(c, url(b))}, []facts.ID{a, b}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []facts.ID
			for _, p := range membership(base, tc.removed, tc.changes, nil, 9) {
				got = append(got, p.ID)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDatabaseCutShort: etcd maps the whole file, and crashes when it touches what is missing; the facts need only a few pages.
func TestDatabaseCutShort(t *testing.T) {
	m := membertest.AMember(membertest.Good())
	membertest.PutMeta(m.DB, 0, 11, 3, uint64(len(m.DB)/membertest.PageSize)+1)
	membertest.PutMeta(m.DB, 1, 12, 3, uint64(len(m.DB)/membertest.PageSize)+1)
	if got := codes(read(t, m.Write(t))); got != "broken_database" {
		t.Errorf("got %q", got)
	}
}
