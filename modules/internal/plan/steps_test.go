package plan

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

// doc.go is where somebody who writes a playbook looks the steps up: all of them, in the order of the plays.
func TestStepsAreDocumentedInTheirOrder(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var documented, inUse []string
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z_]+)  +\S`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}
	for _, s := range sequence {
		inUse = append(inUse, string(s))
		if words[s] == "" {
			t.Errorf("%s has no words for check mode", s)
		}
	}
	if diff := cmp.Diff(inUse, documented); diff != "" {
		t.Fatal(diff)
	}
	if len(words) != len(sequence) {
		t.Errorf("%d steps have words, %d are in the sequence", len(words), len(sequence))
	}
}

// In check mode only files are edited, and that is shown; everything else is listed, host by host.
func TestNotSimulated(t *testing.T) {
	p := Make(lost(3).running(0).wiped(1).off(2).Request)
	want := map[string][]string{
		host(0): {words[snapshot], words[fenceSurvivor], words[backupConfig], words[stopCopy], words[force]},
		host(1): {words[fence], words[backupConfig], words[rejoin]},
		host(2): nil,

		"master-0.example.com": {words[masters]},
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
	if diff := cmp.Diff([]string{host(2), host(1)}, p.Plays[string(rejoin)]); p.Action != Force || diff != "" {
		t.Fatalf("%s: %s", p.Action, diff)
	}
}
