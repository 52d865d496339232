package force

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/membertest"
)

// refuses checks that a run and its preview refuse alike, with a hint, and leave the host as it was.
func refuses(t *testing.T, h *hosttest.Host, f *Forcer, kind fault.Kind, text string) {
	t.Helper()
	before := sum(t, h)
	_, run := f.Run(soon(t))
	_, preview := f.Preview(soon(t))
	for name, err := range map[string]error{"run": run, "preview": preview} {
		if fault.KindOf(err) != kind || !strings.Contains(err.Error(), text) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v (%s, hint %q), want %q (%s) and a hint", name, err, fault.KindOf(err), fault.HintOf(err), text, kind)
		}
	}
	if after := sum(t, h); after != before {
		t.Errorf("it refused, and changed something:\n%s\n%s", before, after)
	}
}

// TestFilesThatAreRefused: files that must not be forced, with the tail kept.
func TestFilesThatAreRefused(t *testing.T) {
	self, other := uint64(membertest.SelfID), uint64(membertest.OtherID)
	noFile := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "member", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	long := strings.Repeat("x", 2000)
	for name, c := range map[string]struct {
		log   *membertest.Log
		after func(t *testing.T, dir string)
		kind  fault.Kind
		text  string
	}{
		"unreadable record":        {log: twoOf().At(-20, membertest.Flip), text: "crc_mismatch"},
		"broken checksum chain":    {log: func() *membertest.Log { b := twoOf(); b.CRC ^= 1; return b.Segment(11).Entry(2, 11, "x") }(), text: "crc_chain"},
		"hole in the entries":      {log: twoOf().Entry(2, 12, "x"), text: "entry_hole"},
		"hole in the segments":     {log: func() *membertest.Log { b := twoOf(); b.Seq++; return b.Segment(11).Entry(2, 11, "x") }(), text: "missing_segment"},
		"no HardState":             {log: membertest.NewLog().Change(1, 1, 0, self, nobody), text: "no_hard_state"},
		"commit beyond the log":    {log: twoOf().Hard(2, self, 11), text: "commit_beyond_log"},
		"database beyond the log":  {log: membertest.Start(), text: "database_beyond_log"},
		"term falls":               {log: twoOf().Entry(1, 11, "x"), text: "term_falls"},
		"committed entry again":    {log: twoOf().Entry(2, 8, "x"), text: "committed_rewritten"},
		"torn, good bytes behind":  {log: tornWithMore(long), text: "good_bytes_after_torn"},
		"learner":                  {log: twoOf().Change(2, 11, 3, 0xDD, "http://x"), text: "unknown_conf_change"},
		"unknown change":           {log: twoOf().Change(2, 11, 4, 0xDD, "http://x"), text: "unknown_conf_change"},
		"two metadata records":     {log: twoOf().Raw(1, membertest.Numbers(self, 1)), text: "two_identities"},
		"no database":              {log: twoOf(), after: noFile("snap/db"), text: "no_database"},
		"no log":                   {log: twoOf(), after: noFile("wal/0000000000000000-0000000000000000.wal"), text: "no_log"},
		"no member":                {log: twoOf(), after: func(_ *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "member")) }, kind: fault.Refused, text: "no member"},
		"removes itself":           {log: twoOf().Change(2, 11, 1, self, ""), kind: fault.Refused, text: "entry 11 removes this member itself"},
		"was removed":              {log: twoOf().Change(2, 11, 1, self, "").Hard(2, self, 11), kind: fault.Refused, text: "is not a member"},
		"never was a member":       {log: membertest.NewLog().Change(1, 1, 0, other, nobody).Hard(1, 0, 1).EntryOf(0, 1, 2, nil).Hard(1, 0, 2), kind: fault.Refused, text: "is not a member"},
		"owner that is not etcd's": {log: twoOf(), after: foreignOwner, kind: fault.Refused, text: "could not read its own data"},
	} {
		t.Run(name, func(t *testing.T) {
			m := membertest.AMember(c.log)
			if strings.HasPrefix(name, "never") {
				m.DB = membertest.DatabaseFile(2, 2)
			}
			h, f := forcer(t, m)
			if c.after != nil {
				c.after(t, h.DataDir)
			}
			kind := c.kind
			if kind == "" {
				kind = fault.Corrupt
			}
			refuses(t, h, f, kind, c.text)
		})
	}
}

func tornWithMore(long string) *membertest.Log {
	b := twoOf().Entry(2, 11, long).Entry(2, 12, "y")
	return b.At((b.Frame(-2)+511)&^511+512, func(rest []byte) { clear(rest[:512]) })
}

// foreignOwner makes files of root's below a directory of etcd's user, as a copy by hand leaves them.
func foreignOwner(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chown(dir, 995, 995); err != nil {
		t.Fatal(err)
	}
}

// TestWithoutTheTail: for the plain start only what the database has applied counts, not what the tail holds.
func TestWithoutTheTail(t *testing.T) {
	for name, c := range map[string]struct {
		log   *membertest.Log
		index uint64 // of the database
		kind  fault.Kind
		text  string
	}{
		"database at the commit index":          {log: twoOf(), index: 8},
		"database ahead of the commit index":    {log: twoOf(), index: 9, kind: fault.Refused, text: "has applied entry 9, the commit index on disk is 8"},
		"damage":                                {log: twoOf().Entry(2, 12, "x"), index: 8, kind: fault.Corrupt, text: "entry_hole"},
		"a tail that removes the member itself": {log: twoOf().Change(2, 11, 1, membertest.SelfID, ""), index: 8},
	} {
		t.Run(name, func(t *testing.T) {
			m := membertest.AMember(c.log)
			m.DB = membertest.DatabaseFile(c.index, 5)
			h, f := forcer(t, m)
			f.KeepTail = false
			if c.text != "" {
				refuses(t, h, f, c.kind, c.text)
				return
			}
			w, err := f.Preview(soon(t))
			if err != nil || !w.Changed || !strings.Contains(strings.Join(w.Lines, ""), "to be given up") {
				t.Errorf("%+v %v", w, err)
			}
		})
	}
}

func TestRehearsalOfOtherFiles(t *testing.T) {
	for name, c := range map[string]struct {
		want   Expected
		record *facts.Forcing
		text   string
	}{
		"the same":         {want: Expected{MemberID: selfID, ClusterID: 0xc0ffee, Revision: 5, Keys: 3}},
		"newer by its log": {want: Expected{MemberID: selfID, ClusterID: 0xc0ffee, Revision: 7, Keys: 3}},
		"another member":   {want: Expected{MemberID: otherID, Revision: 5}, text: "the rehearsal was of member b2, and here is member a1"},
		"another cluster":  {want: Expected{MemberID: selfID, ClusterID: 0xbeef}, text: "the rehearsal was of cluster beef"},
		"an older copy":    {want: Expected{MemberID: selfID, Revision: 4}, text: "the rehearsal was of revision 4, and here is revision 5"},
		"an older copy, begun": {want: Expected{MemberID: selfID, Revision: 4},
			record: &facts.Forcing{Phase: facts.ForcingBegun, MemberID: selfID}, text: "the rehearsal was of revision 4"},
		"the forced start went further": {want: Expected{MemberID: selfID, Revision: 4}, record: &facts.Forcing{Phase: facts.ForcingStart, MemberID: selfID}},
	} {
		t.Run(name, func(t *testing.T) {
			h, f := forcer(t, membertest.AMember(twoOf()))
			f.Rehearsed = &c.want
			if c.record != nil {
				writeRecord(t, h, *c.record)
			}
			if c.text != "" {
				refuses(t, h, f, fault.Refused, c.text)
			} else if w, err := f.Preview(soon(t)); err != nil || !w.Changed {
				t.Errorf("%+v %v", w, err)
			}
		})
	}
}

func writeRecord(t *testing.T, h *hosttest.Host, r facts.Forcing) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	h.Write("etc/etcd/forcing.json", string(raw))
}

// TestSomebodyElse: another member that answers, and servers that may be one.
func TestSomebodyElse(t *testing.T) {
	member := http.NewServeMux()
	member.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"etcdserver":"3.2.32","etcdcluster":"3.2.0"}`))
	})
	member.HandleFunc("/members", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`[{"id":178,"peerURLs":["http://x"]}]`)) })
	web := httptest.NewServer(member)
	defer web.Close()
	for name, c := range map[string]struct{ url, text string }{
		"a member":                 {web.URL, "another member answers at " + web.URL},
		"one that is frozen":       {listener(t, func(net.Conn) {}), "it is not clear whether"},
		"one with other protocols": {strings.Replace(web.URL, "http:", "https:", 1), "it is not clear whether"},
	} {
		t.Run(name, func(t *testing.T) {
			h, f := forcer(t, membertest.AMember(cluster(c.url)))
			refuses(t, h, f, fault.Refused, c.text)
		})
	}
}

// TestRunningEtcd: a running etcd is forced only where a forced start was begun, or where it is alone.
func TestRunningEtcd(t *testing.T) {
	t.Run("as one of two", func(t *testing.T) {
		h, f := forcer(t, membertest.AMember(twoOf()))
		h.Start()
		refuses(t, h, f, fault.Refused, "etcd runs here as one of 2 members")
	})
	t.Run("as one of two, with the flag", func(t *testing.T) {
		h, f := forcer(t, membertest.AMember(twoOf()))
		h.Write("etc/systemd/system/etcd.service.d/temp.conf", "[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n")
		h.Start()
		refuses(t, h, f, fault.Refused, "with the force flag, and 2 members")
	})
	t.Run("started by hand", func(t *testing.T) {
		h, f := forcer(t, membertest.AMember(twoOf()))
		h.StartByHand()
		refuses(t, h, f, fault.Refused, "did not start runs here")
	})
	t.Run("data of another member than was begun with", func(t *testing.T) {
		h, f := forcer(t, membertest.AMember(twoOf()))
		writeRecord(t, h, facts.Forcing{Phase: facts.ForcingProven, MemberID: otherID})
		refuses(t, h, f, fault.Refused, "a forced start of member b2 has begun here, and the data belongs to member a1")
	})
}

// TestNoRoomToStart: etcd would allocate the sparse part of its last segment, and exit. The check comes before the fence and the record.
func TestNoRoomToStart(t *testing.T) {
	for _, method := range []string{ByLog, ByFlag} {
		t.Run(method, func(t *testing.T) {
			h, f := forcer(t, membertest.AMember(twoOf()))
			f.Method = method
			wal := filepath.Join(h.DataDir, "member/wal")
			name := "0000000000000000-0000000000000000.wal"
			log, err := os.ReadFile(filepath.Join(wal, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("tmpfs", wal, "tmpfs", 0, "size=256k"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(wal, 0); err != nil {
					t.Error(err)
				}
			})
			membertest.Put(t, filepath.Join(wal, name), log)
			if err := os.Truncate(filepath.Join(wal, name), 1<<20); err != nil {
				t.Fatal(err)
			}
			refuses(t, h, f, fault.Refused, "etcd could not start on")
		})
	}
}
