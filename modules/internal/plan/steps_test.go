package plan

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
	"github.com/google/go-cmp/cmp"
)

// An author of a playbook looks the steps up in doc.go: it has all of them, in the order of the plays.
func TestStepsAreDocumentedInTheirOrder(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var documented, inUse []string
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z_]+)  +\S`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}
	for _, s := range rows.Sequence {
		inUse = append(inUse, string(s))
		if rows.StepWords[s] == "" {
			t.Errorf("%s has no words for check mode", s)
		}
	}
	if diff := cmp.Diff(inUse, documented); diff != "" {
		t.Fatal(diff)
	}
	if len(rows.StepWords) != len(rows.Sequence) {
		t.Errorf("%d steps have words, %d are in the sequence", len(rows.StepWords), len(rows.Sequence))
	}
}

// The files that doc.go names exist.
func TestDocNamesFilesThatExist(t *testing.T) {
	text := read(t, "doc.go")
	paths := regexp.MustCompile(`[a-z_/-]+\.(go|txt)`).FindAllString(text, -1)
	if len(paths) < 8 {
		t.Fatal(paths)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// The example in doc.go is what the decision does.
func TestDocExample(t *testing.T) {
	p := Make(lost(3).running(0).wiped(1).off(2).Request)
	var parts []string
	for _, s := range rows.Sequence {
		if hosts := p.Plays[string(s)]; len(hosts) > 0 {
			parts = append(parts, string(s)+": "+strings.ReplaceAll(wording.And(hosts), ".example.com", ""))
		}
	}
	example := strings.Join(strings.Fields(strings.ReplaceAll(read(t, "doc.go"), "//", "")), " ")
	if want := strings.Join(parts, ", "); !strings.Contains(example, want) {
		t.Errorf("doc.go lacks: %s", want)
	}
}

// Check mode only edits files, and shows that; everything else is listed by host.
func TestNotSimulated(t *testing.T) {
	p := Make(lost(3).running(0).wiped(1).off(2).Request)
	want := map[string][]string{
		host(0): {rows.StepWords[rows.StepSnapshot], rows.StepWords[rows.StepFenceSurvivor], rows.StepWords[rows.StepBackupConfig], rows.StepWords[rows.StepStopCopy], rows.StepWords[rows.StepForce]},
		host(1): {rows.StepWords[rows.StepFence], rows.StepWords[rows.StepBackupConfig], rows.StepWords[rows.StepRejoin]},
		host(2): nil,

		"master-0.example.com": {rows.StepWords[rows.StepMasters]},
	}
	for h, list := range want {
		for i := range list {
			list[i] = "not simulated in check mode: " + list[i]
		}
		if diff := cmp.Diff(list, p.NotSimulated[h]); diff != "" {
			t.Errorf("%s: %s", h, diff)
		}
	}
}

// A member that is added to one, and cannot start, takes the quorum away; added to two, it does not.
func TestWhereEtcdCouldNotStartJoinsLast(t *testing.T) {
	c := lost(3).running(0).wiped(2)
	c.edit(1, func(h *Host) { h.State = facts.Failed })
	c.startFailed()
	p := Make(c.Request)
	if diff := cmp.Diff([]string{host(2), host(1)}, p.Plays[string(rows.StepRejoin)]); p.Action != rows.Force || diff != "" {
		t.Fatalf("%s: %s", p.Action, diff)
	}
}

// A host may take as long to join as a large database needs over a slow network.
func TestJoinTimeoutGrowsWithTheData(t *testing.T) {
	for bytes, want := range map[int64]int{0: 120, 5e6: 120, 2e9: 320, 1e18: 24 * 3600} {
		c := lost(3).wiped(1, 2)
		c.edit(0, func(h *Host) { h.DataDir.Bytes = bytes })
		if got := Make(c.Request).Do.JoinTimeout; got != want {
			t.Errorf("with %d bytes %d s, want %d", bytes, got, want)
		}
	}
}
