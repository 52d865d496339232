package ansible

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// journalOf receives the lines for the host's journal.
func journalOf(t *testing.T) *net.UnixConn {
	t.Helper()
	old := journalSocket
	journalSocket = filepath.Join(t.TempDir(), "log")
	t.Cleanup(func() { journalSocket = old })
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: journalSocket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// lineOf is what has been written by now, or "".
func lineOf(t *testing.T, journal *net.UnixConn) string {
	t.Helper()
	// The module has ended, so a line is there or never will be.
	if err := journal.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := journal.Read(line)
	if err != nil {
		return ""
	}
	return string(line[:n])
}

func TestAChangeIsALineInTheJournal(t *testing.T) {
	journal := journalOf(t)
	cases := map[string]struct {
		raw  string
		give Result
		err  error
		want string
	}{
		"changed":    {`{}`, Result{Changed: true, Msg: "one\ntwo"}, nil, "example: changed: one two"},
		"others":     {`{}`, Result{Changed: true, Msg: "m\x1b[2J\u202e https://u:p@h"}, nil, `example: changed: m\x1b[2J\u202e https://…@h`},
		"silent":     {`{}`, Result{Changed: true}, nil, "example: changed"},
		"failed":     {`{}`, Result{Changed: true}, errors.New("no room"), "example: changed, then failed: example: no room"},
		"unchanged":  {`{}`, Result{Msg: "as it was"}, nil, ""},
		"check mode": {`{"_ansible_check_mode":true}`, Result{Changed: true}, nil, ""},
		"no_log":     {`{"_ansible_no_log":true}`, Result{Changed: true, Msg: "a secret"}, nil, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			runExample(t, c.raw, func(context.Context, *Call, exampleArgs) (Result, error) { return c.give, c.err })
			got := lineOf(t, journal)
			if c.want == "" && got != "" || !strings.HasSuffix(strings.TrimSpace(got), c.want) || c.want != "" && !strings.Contains(got, Tag) {
				t.Errorf("the journal has %q, expected %q", got, c.want)
			}
		})
	}
}

// Neither a journal that does not read nor a missing one delays anything: otherwise the test would not end.
func TestNobodyReadsTheJournal(t *testing.T) {
	journalOf(t)
	full, err := net.Dial("unixgram", journalSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for err == nil {
		if err = full.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err == nil {
			_, err = full.Write(make([]byte, 2000))
		}
	}
	journal("example", map[string]any{})
	journalSocket += ".none"
	journal("example", map[string]any{})
}
