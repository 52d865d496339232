package setaside

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/killtest"
)

const stranger = 65534 // plays user etcd; tests run as root

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func dataDir(t *testing.T) (data, victim string) {
	t.Helper()
	base := t.TempDir()
	data, victim = filepath.Join(base, "etcd"), filepath.Join(base, "victim")
	check(t, os.MkdirAll(filepath.Join(data, "member/wal"), 0o700))
	check(t, os.Mkdir(victim, 0o700))
	check(t, os.Mkdir(filepath.Join(victim, "member"), 0o700))
	for _, dir := range []string{data, data + "/member", data + "/member/wal"} {
		check(t, os.Chown(dir, stranger, stranger))
	}
	return data, victim
}

func untouched(t *testing.T, victim string) {
	t.Helper()
	var st unix.Stat_t
	check(t, unix.Stat(victim, &st))
	if st.Uid != 0 || st.Mode&0o7777 != 0o700 {
		t.Errorf("root's directory has mode %o and owner %d", st.Mode, st.Uid)
	}
	if entries, err := os.ReadDir(victim); err != nil || len(entries) != 1 {
		t.Errorf("root's directory holds %v (%v)", entries, err)
	}
}

// The owner of the data directory replaces the new directory by a link as soon as it exists: the link's target stays root's.
func TestHostileAsideRace(t *testing.T) {
	for range 30 {
		data, victim := dataDir(t)
		link, place := filepath.Join(data, "link"), Place(data, time.Now())
		check(t, os.Symlink(victim, link))
		stop := killtest.Exchange(link, filepath.Dir(place))
		_ = Aside(data, place) // may fail; must not touch what is root's
		stop()
		untouched(t, victim)
	}
}

// A link that looks like a copy is none: to put it back would give a directory of root's to etcd.
func TestHostileLinkIsNoCopy(t *testing.T) {
	data, victim := dataDir(t)
	link := filepath.Join(data, prefix+"20260101T000000Z")
	check(t, os.Symlink(victim, link))
	check(t, os.RemoveAll(filepath.Join(data, "member")))
	copies, err := List(t.Context(), data)
	if err != nil || len(copies) > 0 {
		t.Fatalf("%v, %v; expected no copy", copies, err)
	}
	if err := Back(data, facts.SetAside{Path: filepath.Join(link, "member")}); err == nil {
		t.Error("no error")
	}
	untouched(t, victim)
}

func TestAsideAndBack(t *testing.T) {
	data, _ := dataDir(t)
	place := Place(data, time.Now())
	check(t, os.Mkdir(filepath.Join(data, prefix+"19700101T000000Z"), 0o700)) // of a run that was killed
	check(t, Aside(data, place))
	copies, err := List(t.Context(), data)
	if err != nil || len(copies) != 1 || copies[0].Path != place {
		t.Fatalf("%v, %v", copies, err)
	}
	var st unix.Stat_t
	check(t, unix.Stat(filepath.Dir(place), &st))
	if st.Uid != stranger || st.Mode&0o7777 != 0o700 {
		t.Errorf("mode %o, owner %d", st.Mode, st.Uid)
	}
	check(t, Back(data, copies[0]))
	if entries, _ := os.ReadDir(data); len(entries) != 1 || entries[0].Name() != "member" {
		t.Errorf("%v", entries)
	}
}

func TestHostileTimeIsOver(t *testing.T) {
	data, _ := dataDir(t)
	check(t, Aside(data, Place(data, time.Now())))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, read := range map[string]func() ([]facts.SetAside, error){
		"given up": func() ([]facts.SetAside, error) { return List(ctx, data) },
		"within":   func() ([]facts.SetAside, error) { return list(ctx, data) },
	} {
		if got, err := read(); got != nil || fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), data) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := Bytes(ctx, data); fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}

// A link in the member's place is not moved as if it were the data.
func TestHostileLinkIsNoMember(t *testing.T) {
	for _, target := range []string{"victim", "etcd/nowhere"} {
		data, victim := dataDir(t)
		check(t, os.RemoveAll(filepath.Join(data, "member")))
		check(t, os.Symlink(filepath.Join(filepath.Dir(data), target), filepath.Join(data, "member")))
		err := Aside(data, Place(data, time.Now()))
		if fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" {
			t.Error(err)
		}
		if entries, err := os.ReadDir(data); err != nil || len(entries) != 1 {
			t.Errorf("%v, %v", entries, err)
		}
		untouched(t, victim)
	}
}
