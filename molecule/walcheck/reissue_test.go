package walcheck

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"etcd-quorum-restore/modules/internal/member"
)

// TestReissued: etcd's own reader finds the same entries, snapshot and state under another cluster's ID, and opens the log for writing; KeepTail
// works on it.
func TestReissued(t *testing.T) {
	made := withTail(t)
	made["several segments"] = newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 900).save(900, 2, entry(2, 901, "tail")).done()
	withDatabase(t, made["several segments"])
	for name, dir := range made {
		t.Run(name, func(t *testing.T) {
			before, err := official(t, dir)
			if err != nil {
				t.Fatal(err)
			}
			s, err := member.Read(t.Context(), dir, "")
			if err != nil {
				t.Fatal(err)
			}
			wal := filepath.Join(dir, "member", "wal")
			if err := s.Reissue(wal, wal+".new", selfID, 0xFEED); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(wal); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(wal+".new", wal); err != nil {
				t.Fatal(err)
			}
			want := before
			want.Cluster, want.Repaired = 0xFEED, false
			after, err := official(t, dir)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(want, after) {
				t.Fatalf("etcd reads cluster %x, %d entries, state %v; expected %d entries, state %v", after.Cluster, len(after.Entries), after.State, len(want.Entries), want.State)
			}
			check(t, dir)
			if _, err := member.KeepTail(t.Context(), dir, ""); err != nil {
				t.Fatal(err)
			}
			saveByEtcd(t, dir)
			check(t, dir)
		})
	}
}
