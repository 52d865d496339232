package member

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/membertest"
)

func mkfifo(path string) error { return unix.Mkfifo(path, 0o600) }

// TestDamage: each kind of damage of a log, by itself.
func TestDamage(t *testing.T) {
	kindOf := func(n int, kind byte) *membertest.Log { // the type is behind the frame and its tag; no checksum covers it
		b := membertest.Good()
		return b.At(b.Frame(n)+9, func(rest []byte) { rest[0] = kind })
	}
	for name, c := range map[string]struct {
		log  *membertest.Log
		want string
	}{
		"healthy":                      {membertest.Good(), ""},
		"flipped bit in an entry":      {membertest.Good().At(-20, membertest.Flip), "crc_mismatch"},
		"flipped bit in the middle":    {func() *membertest.Log { b := membertest.Good(); return b.At(b.Frame(6)+20, membertest.Flip) }(), "crc_mismatch"},
		"entry turned HardState":       {kindOf(-1, 3), "undecodable_record"},
		"HardState turned entry":       {kindOf(-3, 2), "unknown_conf_change term_falls"},
		"HardState turned metadata":    {kindOf(-3, 1), "undecodable_record"},
		"entry of unknown record type": {kindOf(-1, 6), "undecodable_record"},
		"record without a type":        {membertest.Good().Append(membertest.Number(membertest.Number(nil, 2, 0), 9, 1)), "crc_mismatch"},
		"record of wrong wire type":    {membertest.Good().Append(membertest.BytesField(nil, 1, []byte("x"))), "undecodable_record"},
		"frame without length":         {membertest.Good().Append(nil).At(-8, membertest.Claim(1<<56)), "crc_mismatch"},
		"frame that claims 10 MB":      {membertest.Good().Append(nil).At(-8, membertest.Claim(10<<20)), "record_too_large"},
		"frame that claims 2^56 bytes": {membertest.Good().Append(nil).At(-8, membertest.Claim(1<<56-1)), "record_too_large"},
		"hole in the entries":          {membertest.Good().Entry(2, 12, "x"), "entry_hole"},
		"hole at the beginning":        {membertest.NewLog().Hard(1, 0, 1).Entry(1, 2, "x"), "entry_hole"},
		"term falls":                   {membertest.Good().Entry(1, 11, "x"), "term_falls"},
		"HardState's term falls":       {membertest.Good().Hard(1, 0, 8), "hard_state_falls"},
		"HardState's commit falls":     {membertest.Good().Hard(2, membertest.SelfID, 7), "hard_state_falls"},
		"committed entry rewritten":    {membertest.Good().Entry(2, 8, "x"), "committed_rewritten"},
		"two identities":               {membertest.Good().Raw(1, membertest.Numbers(membertest.SelfID, 1)), "two_identities"},
		"no identity":                  {&membertest.Log{Names: []string{"0000000000000000-0000000000000000.wal"}, Files: [][]byte{nil}, Room: 4096}, "no_identity snapshot_not_in_log no_hard_state database_beyond_log"},
		"no HardState":                 {membertest.NewLog().Change(1, 1, 0, membertest.SelfID, "http://x").Entry(1, 2, "x"), "no_hard_state database_beyond_log"},
		"commit beyond the log":        {membertest.Good().Hard(2, membertest.SelfID, 11), "commit_beyond_log"},
		"database beyond the log":      {membertest.Start().Entry(1, 2, "x"), "database_beyond_log"},
		"unknown entry type":           {membertest.Good().EntryOf(3, 2, 11, nil), "undecodable_record"},
		"learner":                      {membertest.Good().Change(2, 11, 3, 0xDD, "http://x"), "unknown_conf_change"},
		"unknown membership change":    {membertest.Good().Change(2, 11, 4, 0xDD, "http://x"), "unknown_conf_change"},
		"change of version 2":          {membertest.Good().EntryOf(2, 2, 11, nil), "unknown_conf_change"},
		"membership change not JSON":   {membertest.Good().EntryOf(1, 2, 11, membertest.BytesField(membertest.Number(nil, 3, 1), 4, []byte("{"))), "undecodable_record"},
		"checksum record broken":       {func() *membertest.Log { b := membertest.Good(); b.CRC ^= 1; return b.Segment(11).Entry(2, 11, "x") }(), "crc_chain"},
		"segment lost":                 {func() *membertest.Log { b := membertest.Good(); b.Seq++; return b.Segment(11).Entry(2, 11, "x") }(), "missing_segment"},
		"first segment lost": {func() *membertest.Log {
			b := membertest.Good().Segment(11).Entry(2, 11, "x")
			b.Names, b.Files = b.Names[1:], b.Files[1:]
			return b
		}(), "missing_segment"},
		"middle segment cut short": {func() *membertest.Log {
			b := membertest.Good().Segment(11).Entry(2, 11, "x")
			b.Files[0] = b.Files[0][:len(b.Files[0])-9]
			return b
		}(), "short_record"},
		"zeros in a middle segment": {func() *membertest.Log {
			b := membertest.Good()
			b.At(b.Frame(-1), func(rest []byte) { clear(rest) })
			return b.Segment(11).Entry(2, 11, "x")
		}(), "crc_chain"},
		"frame lost, record behind it": {func() *membertest.Log { b := membertest.Good(); return b.At(b.Frame(-2), membertest.ZeroFrame) }(), "good_bytes_after_end"},
		"torn, and a record behind it": {func() *membertest.Log {
			b := membertest.Good().Entry(2, 11, strings.Repeat("x", 2000)).Entry(2, 12, "y")
			return b.At(b.Frame(-2)+512, func(rest []byte) { clear(rest[:1024]) })
		}(), "good_bytes_after_torn"},
		"empty file": {&membertest.Log{Names: []string{"0000000000000000-0000000000000000.wal"}, Files: [][]byte{nil}}, "no_identity snapshot_not_in_log no_hard_state database_beyond_log"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := membertest.AMember(c.log).Write(t)
			if got := codes(read(t, dir)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			before := treeSum(t, dir)
			if _, err := KeepTail(t.Context(), dir, ""); (err != nil) != (c.want != "") {
				t.Errorf("KeepTail: %v", err)
			}
			if c.want != "" && treeSum(t, dir) != before {
				t.Error("KeepTail refused, and wrote nevertheless")
			}
		})
	}
}

// TestDamageOfTheRest: snapshots and database.
func TestDamageOfTheRest(t *testing.T) {
	const newest = "0000000000000002-0000000000000005.snap"
	withSnap := func(content []byte) *membertest.Member {
		m := membertest.AMember(membertest.Good().Snap(5, 2))
		m.Snaps[newest] = content
		return m
	}
	withDB := func(db []byte) *membertest.Member {
		m := membertest.AMember(membertest.Good())
		m.DB = db
		return m
	}
	changed := func(b []byte, at int, with ...byte) []byte {
		copy(b[at:], with)
		return b
	}
	metaLost := membertest.DatabaseFile(8, 5)
	clear(metaLost[membertest.PageSize+16 : membertest.PageSize+80])
	bothLost := append([]byte{}, metaLost...)
	clear(bothLost[16:80])
	for name, c := range map[string]struct {
		m      *membertest.Member
		want   string
		broken int
	}{
		"good snapshot":             {withSnap(membertest.SnapFile(5, 2, "")), "", 0},
		"empty snapshot":            {withSnap(nil), "", 1},
		"snapshot cut short":        {withSnap(membertest.SnapFile(5, 2, "")[:300]), "", 1},
		"flipped bit in a snapshot": {withSnap(changed(membertest.SnapFile(5, 2, ""), 200, 0)), "", 1},
		"store that is not JSON":    {withSnap(membertest.SnapFile(5, 2, "{")), "undecodable_snapshot", 0},
		"store with a member x":     {withSnap(membertest.SnapFile(5, 2, `{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"x":{}}}}}}}}`)), "undecodable_snapshot", 0},
		"store with a null member":  {withSnap(membertest.SnapFile(5, 2, `{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"a1":null}}}}}}}`)), "undecodable_snapshot", 0},
		"snapshot unknown to log":   {withSnap(membertest.SnapFile(6, 2, "")), "snapshot_not_in_log", 0},
		"snapshot of another term":  {withSnap(membertest.SnapFile(5, 1, "")), "snapshot_mismatch", 0},
		"snapshot beyond the commit": {func() *membertest.Member {
			m := membertest.AMember(membertest.Good().Snap(9, 2))
			m.Snaps[newest] = membertest.SnapFile(9, 2, "")
			m.DB = membertest.DatabaseFile(9, 5)
			return m
		}(), "commit_before_snapshot", 0},
		"database behind snapshot": {func() *membertest.Member {
			m := withSnap(membertest.SnapFile(5, 2, ""))
			m.DB = membertest.DatabaseFile(4, 5)
			return m
		}(), "database_behind_snapshot", 0},
		"database from the leader": {func() *membertest.Member {
			m := withSnap(membertest.SnapFile(5, 2, ""))
			m.DB, m.Snaps["0000000000000005.snap.db"] = membertest.DatabaseFile(1, 2), membertest.DatabaseFile(6, 5)
			return m
		}(), "", 0},
		"no database":             {withDB(nil), "no_database", 0},
		"empty database":          {withDB([]byte{}), "broken_database", 0},
		"database of 5000 bytes":  {withDB(membertest.DatabaseFile(8, 5)[:5000]), "broken_database", 0},
		"database of three pages": {withDB(membertest.DatabaseFile(8, 5)[:3*membertest.PageSize]), "broken_database", 0},
		"newer meta page lost":    {withDB(metaLost), "", 0},
		"both meta pages lost":    {withDB(bothLost), "broken_database", 0},
		"root is a meta page":     {withDB(func() []byte { f := membertest.DatabaseFile(8, 5); membertest.PutMeta(f, 1, 12, 1, 7); return f }()), "broken_database", 0},
		"root outside": {withDB(func() []byte {
			f := membertest.DatabaseFile(8, 5)
			membertest.PutMeta(f, 1, 12, 1<<40, 1<<50)
			return f
		}()), "broken_database", 0},
		"branch that is a loop":    {withDB(changed(membertest.DatabaseFile(8, 5), 4*membertest.PageSize+16+16+8, 4)), "broken_database", 0},
		"branch without children":  {withDB(changed(membertest.DatabaseFile(8, 5), 4*membertest.PageSize+10, 0)), "broken_database", 0},
		"more elements than room":  {withDB(changed(membertest.DatabaseFile(8, 5), 6*membertest.PageSize+10, 0xff, 0xff)), "broken_database", 0},
		"page that claims 16 TB":   {withDB(changed(membertest.DatabaseFile(8, 5), 6*membertest.PageSize+12, 0xff, 0xff, 0xff, 0xff)), "broken_database", 0},
		"page of another place":    {withDB(changed(membertest.DatabaseFile(8, 5), 6*membertest.PageSize, 5)), "broken_database", 0},
		"no bucket of etcd's":      {withDB(changed(membertest.DatabaseFile(8, 5), 3*membertest.PageSize+16+32, 'k', 'e', 'Y')), "broken_database", 0},
		"consistent_index of none": {withDB(changed(membertest.DatabaseFile(0, 5), 0)), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, c.m.Write(t))
			if got := codes(s); got != c.want || len(s.BrokenSnapshots) != c.broken {
				t.Errorf("got %q and %d broken snapshots, want %q and %d", got, len(s.BrokenSnapshots), c.want, c.broken)
			}
		})
	}
}

// TestDatabaseCompacted: all keys of the newest revisions are compacted away, the revision stays.
func TestDatabaseCompacted(t *testing.T) {
	le := binary.LittleEndian
	file := membertest.DatabaseFile(8, 5)
	inline := membertest.Leaf(0, membertest.Item{Key: []byte("consistent_index"), Value: []byte{0, 0, 0, 0, 0, 0, 0, 8}},
		membertest.Item{Key: []byte("finishedCompactRev"), Value: []byte{0, 0, 0, 0, 0, 0, 0, 40, '_', 0, 0, 0, 0, 0, 0, 0, 0}})
	copy(file[3*membertest.PageSize:], membertest.Leaf(3, membertest.Item{Key: []byte("key"), Value: append(le.AppendUint64(nil, 4), make([]byte, 8)...), Flags: 1},
		membertest.Item{Key: []byte("meta"), Value: append(make([]byte, 16), inline...), Flags: 1}))
	m := membertest.AMember(membertest.Good())
	m.DB = file
	if s := read(t, m.Write(t)); s.Database == nil || s.Database.Revision != 40 {
		t.Errorf("got %+v %v", s.Database, s.Damage)
	}
}

// TestTorn: the last record, cut at each length or zeroed from each sector on, is torn, whatever its size. Only the last record is ever lost.
func TestTorn(t *testing.T) {
	for _, size := range []int{16, 3000} {
		b := membertest.Good().Entry(2, 11, strings.Repeat("z", size))
		whole := append([]byte{}, *b.Last()...)
		from := b.Frame(-1)
		for cut := from + 1; cut < len(whole); cut++ {
			if size > 600 && cut%211 != 0 {
				continue
			}
			t.Run(fmt.Sprint(size, " cut at ", cut-from), func(t *testing.T) {
				*b.Last(), b.Room = append([]byte{}, whole[:cut]...), 0
				checkTorn(t, b)
			})
		}
		for cut := (from/sector + 1) * sector; cut < len(whole); cut += sector {
			t.Run(fmt.Sprint(size, " zero from ", cut-from), func(t *testing.T) {
				if cut < from+frameBytes {
					return
				}
				*b.Last(), b.Room = append([]byte{}, whole...), 64<<10
				b.At(cut, func(rest []byte) { clear(rest) })
				checkTorn(t, b)
			})
		}
	}
}

func checkTorn(t *testing.T, b *membertest.Log) {
	t.Helper()
	dir := membertest.AMember(b).Write(t)
	s := read(t, dir)
	if !s.Torn || s.LastIndex != 10 || len(s.Damage) > 0 {
		t.Fatalf("torn %v, last index %d, damage %q", s.Torn, s.LastIndex, codes(s))
	}
	kept, err := KeepTail(t.Context(), dir, "")
	if err != nil || !kept.Changed || !kept.TornTail || kept.To != 10 {
		t.Fatalf("%+v %v", kept, err)
	}
	if s = read(t, dir); s.Torn || s.HardState.Commit != 10 || s.LastIndex != 10 || len(s.Damage) > 0 {
		t.Fatalf("afterwards: %+v", *s)
	}
}
