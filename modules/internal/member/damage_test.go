package member

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func mkfifo(path string) error { return unix.Mkfifo(path, 0o600) }

// at gives a log's last segment a change.
func (b *logBuilder) at(offset int, change func(rest []byte)) *logBuilder {
	f := *b.last()
	if offset < 0 {
		offset += len(f)
	}
	change(f[offset:])
	return b
}

func flip(rest []byte)      { rest[0] ^= 1 }
func zeroFrame(rest []byte) { clear(rest[:8]) }

// frames are the offsets of the records of the last segment.
func (b *logBuilder) frames() []int {
	var out []int
	f := *b.last()
	for at := 0; at < len(f); {
		out = append(out, at)
		length, padding := splitFrame(binary.LittleEndian.Uint64(f[at:]))
		at += 8 + int(length+padding)
	}
	return out
}

func (b *logBuilder) frame(n int) int {
	frames := b.frames()
	return frames[(n+len(frames))%len(frames)]
}

func claim(word uint64) func([]byte) {
	return func(rest []byte) { binary.LittleEndian.PutUint64(rest, word) }
}

func start() *logBuilder {
	return newLog().change(1, 1, 0, selfID, "http://self:2380").hard(1, selfID, 1)
}

// TestDamage: each way a log can be broken, by itself.
func TestDamage(t *testing.T) {
	kindOf := func(n int, kind byte) *logBuilder { // the type is behind the frame and its tag; no checksum covers it
		b := good()
		return b.at(b.frame(n)+9, func(rest []byte) { rest[0] = kind })
	}
	for name, c := range map[string]struct {
		log  *logBuilder
		want string
	}{
		"healthy":                      {good(), ""},
		"flipped bit in an entry":      {good().at(-20, flip), "crc_mismatch"},
		"flipped bit in the middle":    {func() *logBuilder { b := good(); return b.at(b.frame(6)+20, flip) }(), "crc_mismatch"},
		"entry turned HardState":       {kindOf(-1, 3), "undecodable_record"},
		"HardState turned entry":       {kindOf(-3, 2), "unknown_conf_change term_falls"},
		"HardState turned metadata":    {kindOf(-3, 1), "undecodable_record"},
		"entry of unknown record type": {kindOf(-1, 6), "undecodable_record"},
		"record without a type":        {good().append(number(number(nil, 2, 0), 9, 1)), "crc_mismatch"},
		"record of wrong wire type":    {good().append(bytesField(nil, 1, []byte("x"))), "undecodable_record"},
		"frame without length":         {good().append(nil).at(-8, claim(1<<56)), "crc_mismatch"},
		"frame that claims 10 MB":      {good().append(nil).at(-8, claim(10<<20)), "record_too_large"},
		"frame that claims 2^56 bytes": {good().append(nil).at(-8, claim(1<<56-1)), "record_too_large"},
		"hole in the entries":          {good().entry(2, 12, "x"), "entry_hole"},
		"hole at the beginning":        {newLog().hard(1, 0, 1).entry(1, 2, "x"), "entry_hole"},
		"term falls":                   {good().entry(1, 11, "x"), "term_falls"},
		"HardState's term falls":       {good().hard(1, 0, 8), "hard_state_falls"},
		"HardState's commit falls":     {good().hard(2, selfID, 7), "hard_state_falls"},
		"committed entry rewritten":    {good().entry(2, 8, "x"), "committed_rewritten"},
		"two identities":               {good().raw(1, numbers(selfID, 1)), "two_identities"},
		"no identity":                  {&logBuilder{names: []string{"0000000000000000-0000000000000000.wal"}, files: [][]byte{nil}, room: 4096}, "no_identity snapshot_not_in_log no_hard_state database_beyond_log"},
		"no HardState":                 {newLog().change(1, 1, 0, selfID, "http://x").entry(1, 2, "x"), "no_hard_state database_beyond_log"},
		"commit beyond the log":        {good().hard(2, selfID, 11), "commit_beyond_log"},
		"database beyond the log":      {start().entry(1, 2, "x"), "database_beyond_log"},
		"unknown entry type":           {good().entryOf(3, 2, 11, nil), "undecodable_record"},
		"learner":                      {good().change(2, 11, 3, 0xDD, "http://x"), "unknown_conf_change"},
		"unknown membership change":    {good().change(2, 11, 4, 0xDD, "http://x"), "unknown_conf_change"},
		"change of version 2":          {good().entryOf(2, 2, 11, nil), "unknown_conf_change"},
		"membership change not JSON":   {good().entryOf(1, 2, 11, bytesField(number(nil, 3, 1), 4, []byte("{"))), "undecodable_record"},
		"checksum record broken":       {func() *logBuilder { b := good(); b.crc ^= 1; return b.segment(11).entry(2, 11, "x") }(), "crc_chain"},
		"segment lost":                 {func() *logBuilder { b := good(); b.seq++; return b.segment(11).entry(2, 11, "x") }(), "missing_segment"},
		"first segment lost": {func() *logBuilder {
			b := good().segment(11).entry(2, 11, "x")
			b.names, b.files = b.names[1:], b.files[1:]
			return b
		}(), "missing_segment"},
		"middle segment cut short": {func() *logBuilder {
			b := good().segment(11).entry(2, 11, "x")
			b.files[0] = b.files[0][:len(b.files[0])-9]
			return b
		}(), "short_record"},
		"zeros in a middle segment": {func() *logBuilder {
			b := good()
			b.at(b.frame(-1), func(rest []byte) { clear(rest) })
			return b.segment(11).entry(2, 11, "x")
		}(), "crc_chain"},
		"frame lost, record behind it": {func() *logBuilder { b := good(); return b.at(b.frame(-2), zeroFrame) }(), "good_bytes_after_end"},
		"torn, and a record behind it": {func() *logBuilder {
			b := good().entry(2, 11, strings.Repeat("x", 2000)).entry(2, 12, "y")
			return b.at(b.frame(-2)+512, func(rest []byte) { clear(rest[:1024]) })
		}(), "good_bytes_after_torn"},
		"empty file": {&logBuilder{names: []string{"0000000000000000-0000000000000000.wal"}, files: [][]byte{nil}}, "no_identity snapshot_not_in_log no_hard_state database_beyond_log"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := aMember(c.log).write(t)
			if got := codes(read(t, dir)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			before := treeSum(t, dir)
			if _, err := KeepTail(dir, ""); (err != nil) != (c.want != "") {
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
	withSnap := func(content []byte) *memberBuilder {
		m := aMember(good().snap(5, 2))
		m.snaps[newest] = content
		return m
	}
	withDB := func(db []byte) *memberBuilder {
		m := aMember(good())
		m.db = db
		return m
	}
	changed := func(b []byte, at int, with ...byte) []byte {
		copy(b[at:], with)
		return b
	}
	metaLost := databaseFile(8, 5)
	clear(metaLost[testPage+16 : testPage+80])
	bothLost := append([]byte{}, metaLost...)
	clear(bothLost[16:80])
	for name, c := range map[string]struct {
		m      *memberBuilder
		want   string
		broken int
	}{
		"good snapshot":             {withSnap(snapFile(5, 2, "")), "", 0},
		"empty snapshot":            {withSnap(nil), "", 1},
		"snapshot cut short":        {withSnap(snapFile(5, 2, "")[:300]), "", 1},
		"flipped bit in a snapshot": {withSnap(changed(snapFile(5, 2, ""), 200, 0)), "", 1},
		"store that is not JSON":    {withSnap(snapFile(5, 2, "{")), "undecodable_snapshot", 0},
		"store with a member x":     {withSnap(snapFile(5, 2, `{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"x":{}}}}}}}}`)), "undecodable_snapshot", 0},
		"store with a null member":  {withSnap(snapFile(5, 2, `{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"a1":null}}}}}}}`)), "undecodable_snapshot", 0},
		"snapshot unknown to log":   {withSnap(snapFile(6, 2, "")), "snapshot_not_in_log", 0},
		"snapshot of another term":  {withSnap(snapFile(5, 1, "")), "snapshot_mismatch", 0},
		"snapshot beyond the commit": {func() *memberBuilder {
			m := aMember(good().snap(9, 2))
			m.snaps[newest] = snapFile(9, 2, "")
			m.db = databaseFile(9, 5)
			return m
		}(), "commit_before_snapshot", 0},
		"database behind snapshot": {func() *memberBuilder { m := withSnap(snapFile(5, 2, "")); m.db = databaseFile(4, 5); return m }(), "database_behind_snapshot", 0},
		"database from the leader": {func() *memberBuilder {
			m := withSnap(snapFile(5, 2, ""))
			m.db, m.snaps["0000000000000005.snap.db"] = databaseFile(1, 2), databaseFile(6, 5)
			return m
		}(), "", 0},
		"no database":              {withDB(nil), "no_database", 0},
		"empty database":           {withDB([]byte{}), "broken_database", 0},
		"database of 5000 bytes":   {withDB(databaseFile(8, 5)[:5000]), "broken_database", 0},
		"database of three pages":  {withDB(databaseFile(8, 5)[:3*testPage]), "broken_database", 0},
		"newer meta page lost":     {withDB(metaLost), "", 0},
		"both meta pages lost":     {withDB(bothLost), "broken_database", 0},
		"root is a meta page":      {withDB(func() []byte { f := databaseFile(8, 5); putMeta(f, 1, 12, 1, 7); return f }()), "broken_database", 0},
		"root outside":             {withDB(func() []byte { f := databaseFile(8, 5); putMeta(f, 1, 12, 1<<40, 1<<50); return f }()), "broken_database", 0},
		"branch that is a loop":    {withDB(changed(databaseFile(8, 5), 4*testPage+16+16+8, 4)), "broken_database", 0},
		"branch without children":  {withDB(changed(databaseFile(8, 5), 4*testPage+10, 0)), "broken_database", 0},
		"more elements than room":  {withDB(changed(databaseFile(8, 5), 6*testPage+10, 0xff, 0xff)), "broken_database", 0},
		"page that claims 16 TB":   {withDB(changed(databaseFile(8, 5), 6*testPage+12, 0xff, 0xff, 0xff, 0xff)), "broken_database", 0},
		"page of another place":    {withDB(changed(databaseFile(8, 5), 6*testPage, 5)), "broken_database", 0},
		"no bucket of etcd's":      {withDB(changed(databaseFile(8, 5), 3*testPage+16+32, 'k', 'e', 'Y')), "broken_database", 0},
		"consistent_index of none": {withDB(changed(databaseFile(0, 5), 0)), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, c.m.write(t))
			if got := codes(s); got != c.want || len(s.BrokenSnapshots) != c.broken {
				t.Errorf("got %q and %d broken snapshots, want %q and %d", got, len(s.BrokenSnapshots), c.want, c.broken)
			}
		})
	}
}

// TestDatabaseCompacted: all keys of the newest revisions are compacted away, the revision stays.
func TestDatabaseCompacted(t *testing.T) {
	le := binary.LittleEndian
	file := databaseFile(8, 5)
	inline := leaf(0, item{key: []byte("consistent_index"), value: []byte{0, 0, 0, 0, 0, 0, 0, 8}},
		item{key: []byte("finishedCompactRev"), value: []byte{0, 0, 0, 0, 0, 0, 0, 40, '_', 0, 0, 0, 0, 0, 0, 0, 0}})
	copy(file[3*testPage:], leaf(3, item{key: []byte("key"), value: append(le.AppendUint64(nil, 4), make([]byte, 8)...), flags: 1},
		item{key: []byte("meta"), value: append(make([]byte, 16), inline...), flags: 1}))
	m := aMember(good())
	m.db = file
	if s := read(t, m.write(t)); s.Database == nil || s.Database.Revision != 40 {
		t.Errorf("got %+v %v", s.Database, s.Damage)
	}
}

// TestTorn: the last record cut at each length, and zeroed from each sector on, is torn, whatever its size. Never anything but the
// last record is lost.
func TestTorn(t *testing.T) {
	for _, size := range []int{16, 3000} {
		b := good().entry(2, 11, strings.Repeat("z", size))
		whole := append([]byte{}, *b.last()...)
		from := b.frame(-1)
		for cut := from + 1; cut < len(whole); cut++ {
			if size > 600 && cut%211 != 0 {
				continue
			}
			t.Run(fmt.Sprint(size, " cut at ", cut-from), func(t *testing.T) {
				*b.last(), b.room = append([]byte{}, whole[:cut]...), 0
				checkTorn(t, b)
			})
		}
		for cut := (from/sector + 1) * sector; cut < len(whole); cut += sector {
			t.Run(fmt.Sprint(size, " zero from ", cut-from), func(t *testing.T) {
				if cut < from+frameBytes {
					return
				}
				*b.last(), b.room = append([]byte{}, whole...), 64<<10
				b.at(cut, func(rest []byte) { clear(rest) })
				checkTorn(t, b)
			})
		}
	}
}

func checkTorn(t *testing.T, b *logBuilder) {
	t.Helper()
	dir := aMember(b).write(t)
	s := read(t, dir)
	if !s.Torn || s.LastIndex != 10 || len(s.Damage) > 0 {
		t.Fatalf("torn %v, last index %d, damage %q", s.Torn, s.LastIndex, codes(s))
	}
	kept, err := KeepTail(dir, "")
	if err != nil || !kept.Changed || !kept.TornTail || kept.To != 10 {
		t.Fatalf("%+v %v", kept, err)
	}
	if s = read(t, dir); s.Torn || s.HardState.Commit != 10 || s.LastIndex != 10 || len(s.Damage) > 0 {
		t.Fatalf("afterwards: %+v", *s)
	}
}
