// Package walcheck compares the project's reader of a member's files with etcd 3.2.32's own packages and binary.
package walcheck

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/coreos/etcd/wal"
	"github.com/coreos/pkg/capnslog"

	"etcd-quorum-restore/modules/internal/member"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(sealedDir); dir != "" {
		sealedMain(dir, os.Getenv(sealedDeed))
	}
	wal.SegmentSizeBytes = 16 << 10               // so that short logs have several
	capnslog.SetGlobalLogLevel(capnslog.CRITICAL) // etcd's packages log each damage
	if n, err := strconv.Atoi(os.Getenv("WALCHECK_DAMAGES")); err == nil {
		damages = n
	}
	code := m.Run()
	if dir, err := aMember(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// check compares the readings of one directory.
func check(t *testing.T, dir string) (ours *member.State, taken bool) {
	t.Helper()
	o, theirErr := official(t, dir)
	s, err := member.Read(t.Context(), dir, "")
	if d := disagreement(o, theirErr, s, err); d != nil {
		t.Fatal(d)
	}
	return s, theirErr == nil
}

func TestSameReading(t *testing.T) {
	for name, made := range kinds {
		t.Run(name, func(t *testing.T) {
			s, taken := check(t, made(t))
			for _, d := range s.Damage {
				if d.Code != "no_database" && !(name == "empty" && d.Code == "no_hard_state") {
					t.Errorf("damage in a log of etcd's: %+v", d)
				}
			}
			if !taken {
				t.Error("etcd does not take its own log")
			}
			o, err := official(t, made(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := sameFacts(o, s); err != nil {
				t.Error(err)
			}
		})
	}
}

// damages is how often each kind of log is damaged. WALCHECK_DAMAGES raises it.
var damages = 100

// TestSameVerdict damages each kind of log at many places: cut, zeroed by sectors, flipped bits, lost files.
func TestSameVerdict(t *testing.T) {
	for name, made := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := made(t)
			withDatabase(t, dir)
			random := rand.New(rand.NewSource(7))
			verdicts := map[string]int{}
			for i := range damages {
				damaged := copyOf(t, dir)
				what := damage(t, damaged, random)
				o, theirErr := official(t, damaged)
				s, err := member.Read(t.Context(), damaged, "")
				if d := disagreement(o, theirErr, s, err); d != nil {
					t.Errorf("%d: %s: %v", i, what, d)
				}
				verdicts[fmt.Sprintf("etcd takes it: %v, we: %v", theirErr == nil, err == nil && len(s.Damage) == 0)]++
				os.RemoveAll(damaged)
			}
			t.Log(verdicts)
			if name != "empty" && len(verdicts) < 2 {
				t.Error("the damage is not varied")
			}
		})
	}
}

// damage damages one file of the member once.
func damage(t testing.TB, dir string, random *rand.Rand) string {
	t.Helper()
	all, _ := filepath.Glob(filepath.Join(dir, "member", "*", "*[pl]"))
	path := all[random.Intn(len(all))]
	if random.Intn(3) > 0 {
		path = lastSegment(t, dir)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(content, "\x00"))
	if used == 0 {
		return "nothing"
	}
	at := used - 1 - min(random.Intn(used), random.Intn(used)) // rather near the end, where power cuts do damage
	var what string
	switch kind := random.Intn(7); kind {
	case 0:
		content, what = content[:at], "cut"
	case 1:
		content[at] ^= 1 << random.Intn(8)
		what = "bit flipped"
	case 2:
		from := at &^ 511
		clear(content[from:min(from+512*(1+random.Intn(4)), len(content))])
		what = "sectors zeroed"
	case 3:
		clear(content[at:])
		what = "zeroed to the end"
	case 4:
		clear(content[at&^7 : min(at&^7+8, len(content))])
		what = "word zeroed"
	case 5:
		random.Read(content[at:min(at+64, len(content))])
		what = "noise"
	default:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return path + " removed"
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(filepath.Base(path), " ", what, " at ", at)
}

// TestFrames: a frame of a length that etcd does not take.
func TestFrames(t *testing.T) {
	for _, word := range []uint64{1, 7, 8, 1 << 56, 0x80 << 56, 0x81 << 56, 0x87<<56 | 1, 10 << 20, 10<<20 - 1, 10<<20 - 8, 1<<56 - 1, 1<<64 - 1, 1 << 63, 1<<62 | 40, 20} {
		for _, room := range []int64{0, 3, 8, 64, 11 << 20} {
			t.Run(fmt.Sprintf("%x with %d behind", word, room), func(t *testing.T) {
				dir := newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 9).done()
				withDatabase(t, dir)
				s, err := member.Read(t.Context(), dir, "")
				if err != nil {
					t.Fatal(err)
				}
				path := lastSegment(t, dir)
				content, _ := os.ReadFile(path)
				content = bytes.TrimRight(content, "\x00")
				content = append(content, make([]byte, -len(content)&7)...)
				for i := range 8 {
					content = append(content, byte(word>>(8*i)))
				}
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(path, int64(len(content))+room); err != nil {
					t.Fatal(err)
				}
				if now, _ := check(t, dir); now.LastIndex != s.LastIndex {
					t.Errorf("last index %d, was %d", now.LastIndex, s.LastIndex)
				}
			})
		}
	}
}
