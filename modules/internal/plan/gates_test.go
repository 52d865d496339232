package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
	"github.com/google/go-cmp/cmp"
)

// What must hold before the first fence. In each case the cluster would be forced on host 0, with 1 and 2 to join.
func TestGates(t *testing.T) {
	bad := func(c *cluster, i int, name, status string) *cluster {
		return c.edit(i, func(h *Host) {
			h.Checks = []facts.Check{{Name: name, Status: status, Line: "the line", Advice: "the advice"}}
		})
	}
	ready := func() *cluster { return lost(3).running(0).wiped(1, 2) }
	cases := []struct {
		name string
		c    *cluster
		code string   // "" where the gate passes it
		says []string // parts of the message
	}{
		{"all is well", ready(), "", nil},
		{"a failed check on the survivor", bad(ready(), 0, "certificate_peer", "failed"), "certificate_peer", []string{host(0) + ": the line"}},
		{"a failed check on a host that joins", bad(ready(), 2, "name", "failed"), "name", []string{host(2) + ": the line"}},
		{"the same, when nobody is to join", bad(ready().alone(), 2, "name", "failed"), "", nil},
		{"a check that was ignored", bad(ready(), 0, "fence", "ignored"), "", nil},
		{"a failed check on a healthy cluster", bad(lost(3).healthy(0, 1, 2), 0, "certificate_peer", "failed"), "", nil},
		{"no room for the backup", ready().edit(0, func(h *Host) { h.BackupDir.FreeBytes = 250 << 20 }), "backup_space", []string{"284 MiB", "/backup", "250 MiB"}},
		{"just enough room for the backup", ready().edit(0, func(h *Host) { h.BackupDir.FreeBytes = 284 << 20 }), "", nil},
		{"a backup directory that nobody looked at", ready().edit(0, func(h *Host) { h.BackupDir = nil }), "", nil},
		{"no room for a new member", ready().edit(1, func(h *Host) { h.DataDir.FreeBytes = 100 << 20 }), "data_space", []string{host(1), "148 MiB", "100 MiB"}},
		{"no room for the survivor's own log", ready().edit(0, func(h *Host) { h.DataDir.FreeBytes = 63 << 20 }), "data_space", []string{host(0), "64 MiB", "63 MiB"}},
		{"just enough room for it", ready().edit(0, func(h *Host) { h.DataDir.FreeBytes = 64 << 20 }), "", nil},
		{"room that nobody could measure", ready().edit(0, func(h *Host) { h.DataDir.FreeBytes = -1 }).edit(1, func(h *Host) { h.DataDir.FreeBytes = -1 }), "", nil},
		{"a full disk among a majority", lost(3).edit(2, func(h *Host) { h.DataDir.FreeBytes = 0 }), "data_space", []string{host(2)}},
		{"no ETCD_NAME", ready().edit(1, func(h *Host) { h.Config.Name = "" }), "etcd_conf", []string{host(1), "ETCD_NAME"}},
		{"no peer URL", ready().edit(1, func(h *Host) { h.Config.PeerURLs = nil }), "etcd_conf", []string{host(1), "ETCD_INITIAL_ADVERTISE_PEER_URLS"}},
		{"a port that no host has", ready().edit(1, func(h *Host) { h.Config.PeerURLs = []string{"https://a:99999"} }), "etcd_conf", []string{host(1), "https://a:99999"}},
		{"a host with another one's name", ready().edit(1, func(h *Host) { h.Config.Name = host(2) }), "etcd_conf", []string{host(1), host(2), "ETCD_NAME"}},
		{"a host with another one's address", ready().edit(1, func(h *Host) { h.Config.PeerURLs = []string{peerURL(2) + "/"} }), "etcd_conf", []string{"peer URL"}},
		{"no room beside a start", lost(3).edit(2, func(h *Host) { h.BackupDir.FreeBytes = 0 }), "backup_space", []string{host(2)}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := Make(tc.c.Request)
			if tc.code == "" {
				if p.Action == rows.Refuse {
					t.Fatalf("refused: %+v", p.Refusals)
				}
				return
			}
			if p.Action != rows.Refuse || len(p.Refusals) != 1 || p.Refusals[0].Code != tc.code {
				t.Fatalf("want one refusal %s: action %s, %+v", tc.code, p.Action, p.Refusals)
			}
			for _, part := range tc.says {
				if !strings.Contains(p.Refusals[0].Msg, part) {
					t.Errorf("%q does not say %q", p.Refusals[0].Msg, part)
				}
			}
			if p.Survivor != "" || playing(p) {
				t.Errorf("a refusal with survivor %q and groups %v", p.Survivor, p.Plays)
			}
		})
	}
}

// All reasons are reported at once: nobody wants to fix one for each run.
func TestGatesSayEverythingAtOnce(t *testing.T) {
	var codes []string
	for _, r := range Make(notReady().Request).Refusals {
		codes = append(codes, r.Code)
	}
	if diff := cmp.Diff([]string{"certificate_peer", "backup_space"}, codes); diff != "" {
		t.Fatal(diff)
	}
}

func TestRehearsalOnlyWhereThereIsRoom(t *testing.T) {
	for free, want := range map[int64]bool{20 << 30: true, 500 << 20: true, 300 << 20: false} {
		p := Make(lost(3).running(0).wiped(1, 2).edit(0, func(h *Host) { h.BackupDir.FreeBytes = free }).Request)
		rehearses := !strings.Contains(strings.Join(strings.Fields(strings.Join(p.Lines, " ")), " "), "no rehearsal, because there is no room for it")
		if p.Action != rows.Force || rehearses != want {
			t.Errorf("%s free: action %s, rehearses %v, want %v\n%s", wording.Size(free), p.Action, rehearses, want, strings.Join(p.Lines, "\n"))
		}
	}
}

// A .snap file that cannot be used is no gate, but it is reported, whatever the action is.
func TestBrokenSnapshotsAreShown(t *testing.T) {
	for name, c := range map[string]*cluster{"force": lost(3).running(0).wiped(1, 2), "nothing": lost(3).healthy(0, 1, 2)} {
		c.edit(0, func(h *Host) {
			h.Checks = []facts.Check{{Name: "snapshots", Status: "ignored", Line: "1 file cannot be used", Advice: "the advice"}}
		})
		if p := Make(c.Request); !strings.Contains(strings.Join(p.Lines, "\n"), "Note        "+host(0)+": 1 file cannot be used") {
			t.Errorf("%s:\n%s", name, strings.Join(p.Lines, "\n"))
		}
	}
}

// Two members need both, so a second one holds up writes until it has the database; a third one does not.
func TestPauseWhileASecondMemberJoins(t *testing.T) {
	big := func(h *Host) { h.Database.Bytes = 2e9 }
	for name, c := range map[string]struct {
		now  *cluster
		want string
	}{
		"forced, large":              {lost(3).wiped(1, 2).edit(0, big), "then writes pause once more, for about 40 seconds while the second member receives the database of 1.9 GiB"},
		"forced, small":              {lost(3).wiped(1, 2), "until etcd serves writes again"},
		"two serve, the third joins": {lost(3).healthy(0, 1).wiped(2).edit(0, big).edit(1, big), "writes pause for about a second while a second member joins"},
	} {
		p := Make(c.now.Request)
		text := strings.Join(strings.Fields(strings.Join(p.Lines, " ")), " ")
		if !strings.Contains(text, c.want) || strings.Contains(text, "once more") != strings.Contains(c.want, "once more") {
			t.Errorf("%s: %s:\n%s", name, p.Action, strings.Join(p.Lines, "\n"))
		}
	}
}
