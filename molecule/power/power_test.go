package main

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func message(fields ...any) (b []byte) {
	for i := 0; i < len(fields); i += 2 {
		b = protowire.AppendTag(b, protowire.Number(fields[i].(int)), protowire.BytesType)
		b = protowire.AppendString(b, fields[i+1].(string))
	}
	return b
}

func TestWritten(t *testing.T) {
	put := string(message(1, "/k", 2, "v"))
	id := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7)
	for want, entry := range map[string][]byte{
		"v3 /k": slices.Concat(id, message(4, put)),
		"v2 /k": slices.Concat(id, message(2, "PUT", 3, "/1/k", 4, "v")),
	} {
		if got := written(entry); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, none := range [][]byte{nil, {0xff}, message(2, "PUT", 3, "/0/members/1"), message(2, "GET", 3, "/1/k"), id} {
		if got := written(none); got != "" {
			t.Errorf("%q of %x", got, none)
		}
	}
}

// A stale leader has the longer log, and lacks a write.
func TestPairs(t *testing.T) {
	acked := map[string]bool{"v3 a": true, "v3 b": true}
	leader := files{Writes: map[string]bool{"v3 a": true}, Term: 2, Index: 90, Revision: 5}
	other := files{Writes: acked, Term: 3, Index: 50, Revision: 5}
	got := pairs([]files{leader, other}, acked)
	if len(got) != 1 || got[0][0] != 0 || got[0][1] != 1 || got[0][2] != 0 {
		t.Errorf("%v: the rule of the plan loses 0 writes, the longest index 1, and an equal revision decides nothing", got)
	}
}

func TestBroken(t *testing.T) {
	var fine column
	fine.add([]outcome{{}, {NeverInLog: 3}})
	if broken := fine.broken(); len(broken) > 0 {
		t.Error(broken)
	}
	for _, o := range []outcome{{Failed: "x"}, {LostOfLog: 1}, {Hangs: true}, {Unjoined: "x"}, {Unequal: "x"}} {
		var c column
		if c.add([]outcome{o}); len(c.broken()) != 1 {
			t.Errorf("%+v: %v", o, c.broken())
		}
	}
}

func TestDiscarded(t *testing.T) {
	if n := discarded("discarding 3 uncommitted WAL entries \nx\ndiscarding 1 uncommitted WAL entries"); n != 4 {
		t.Error(n)
	}
}
