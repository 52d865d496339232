package etcdlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Lines as etcd 3.2.32 and Go's TLS print them.
func TestExplain(t *testing.T) {
	for line, want := range map[string]string{
		`the member has been permanently removed from the cluster`:                                                        "permanently_removed",
		`the data-dir used by this member must be removed.`:                                                               "permanently_removed",
		`request sent was ignored (cluster ID mismatch: remote[83c0d1d825db0d0]=cdf818194e3a8c32, local=a22bb9847343d4c)`: "cluster_id_mismatch",
		`streaming request ignored (ID mismatch got 83c0d1d825db0d0 want 6f10a8093f874e90)`:                               "member_id_mismatch",
		`health check for peer 83c0d1d825db0d0 could not connect: x509: certificate has expired or is not yet valid`:      "certificate_expired",
		`could not connect: x509: certificate is valid for 192.0.2.11, not 192.0.2.12`:                                    "certificate_wrong_name",
		`rejected connection from "192.0.2.11:50000" (error "remote error: tls: bad certificate", ServerName "")`:         "bad_certificate",
		`x509: certificate signed by unknown authority`:                                                                   "bad_certificate",
		`the clock difference against peer 83c0d1d825db0d0 is too high [1m12.3s > 1s]`:                                    "clock_skew",
		`etcdserver: mvcc: database space exceeded`:                                                                       "nospace",
		`failed to create snapshot: write /var/lib/etcd/member/snap/tmp: no space left on device`:                         "disk_full",
		`etcdserver: request is too large`:                                                                                "request_too_large",
		`apply entries took too long [1.2s for 3 entries]`:                                                                "slow_disk",
		`sync duration of 2.3s, expected less than 1s`:                                                                    "slow_disk",
		`cannot access data directory: open /var/lib/etcd/.touch: permission denied`:                                      "wrong_owner",
		`open /var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal: permission denied`:                          "wrong_owner",
		`type=AVC msg=audit(1364481363.243:24287): avc:  denied  { read } for pid=7 comm="etcd" name="db"`:                "selinux",
		`member 8e9e05c52164694d has already been bootstrapped`:                                                           "already_bootstrapped",
		`tocommit(57) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?`:                    "log_lost",
		`read wal error (walpb: crc mismatch) and cannot be repaired`:                                                     "corrupt",
		`error validating peerURLs: member count is unequal`:                                                              "member_list",
		`listen tcp 192.0.2.11:2380: bind: address already in use`:                                                        "address_in_use",
		`etcd.service: Starting requested but asserts failed.`:                                                            "fenced",
		`8e9e05c52164694d is starting a new election at term 5`:                                                           "no_quorum",
		`WARNING: 2026/11/23 11:14:54 Failed to dial 192.0.2.13:2379: connection error: desc = "transport: authentication handshake failed: remote error: tls: bad certificate"; please retry.`: "",
		`read-only range request "key:\"/etcd-quorum-restore/probe\" count_only:true " with result "error:context deadline exceeded" took too long (4.9s) to execute`:                           "",
		`serving client requests on 192.0.2.11:2379`:                                                                                  "",
		`started streaming with peer 83c0d1d825db0d0 (stream MsgApp v2 reader)`:                                                       "",
		`peerTLS: cert = /etc/etcd/peer.crt, key = /etc/etcd/peer.key, ca = , trusted-ca = /etc/etcd/ca.crt, client-cert-auth = true`: "",
		`advertise client URLs = https://192.0.2.11:2379`:                                                                             "",
		`failed to find member 6f10a8093f874e90 in cluster a22bb9847343d4c`:                                                           "",
		`saved snapshot at index 10001`:                                                                                               "",
		`ignored file tmp in wal`:                                                                                                     "",
		`failed to reach the peerURL(https://192.0.2.13:2380) of member c9be66dec246c710 (Get https://192.0.2.13:2380/version: dial tcp 192.0.2.13:2380: connect: connection refused)`:           "",
		`health check for peer c9be66dec246c710 could not connect: dial tcp 192.0.2.13:2380: connect: connection refused`:                                                                        "",
		`{"level":"warn","msg":"prober found high clock drift","remote-peer-id":"83c0d1d825db0d0"}`:                                                                                              "clock_skew",
		`{"level":"warn","msg":"request cluster ID mismatch","local-member-id":"1"}`:                                                                                                             "cluster_id_mismatch",
		`{"level":"warn","msg":"slow fdatasync","took":"1.2s"}`:                                                                                                                                  "slow_disk",
		`{"level":"fatal","msg":"discovery failed","error":"error validating peerURLs {ClusterID:1 Members:[] RemovedMemberIDs:[]}: member count is unequal"}`:                                   "member_list",
		`rejected connection from "192.0.2.9:40000" (error "tls: failed to verify client's certificate: x509: certificate specifies an incompatible key usage", ServerName "")`:                  "bad_certificate",
		`rafthttp: health check for peer 1 could not connect: x509: cannot validate certificate for 192.0.2.12 because it doesn't contain any IP SANs (prober "ROUND_TRIPPER_RAFT_MESSAGE")`:     "certificate_wrong_name",
		`failed to send out heartbeat on time (exceeded the 500ms timeout for 263.381812ms)`:                                                                                                     "slow_disk",
		`read-only range request "key:\"/kubernetes.io/pods/\" range_end:\"/kubernetes.io/pods0\" " with result "range_response_count:500 size:1048576" took too long (1.049991865s) to execute`: "slow_disk",
		`member 8e9e05c52164694d has already been bootstrapped, so start it with --initial-cluster-state=existing or wipe its data`:                                                              "already_bootstrapped",
		`snap: cannot read file /var/lib/etcd/member/snap/0000000000000002-0000000000002711.snap: unexpected snap: crc mismatch`:                                                                 "corrupt",
		`alarm NOSPACE raised by peer 8e9e05c52164694d`:                                                                 "nospace",
		`publish error: etcdserver: request timed out`:                                                                  "no_quorum",
		`failed to dial 83c0d1d825db0d0 on stream MsgApp v2 (the member has been permanently removed from the cluster)`: "permanently_removed",
		`grpc: Server.processUnaryRPC failed to write status: stream error: code = ResourceExhausted desc = "grpc: trying to send message larger than max (2147483653 vs. 2147483647)"`:                 "request_too_large",
		`remote error: tls: expired certificate; x509: certificate has expired or is not yet valid: current time 2026-11-23T03:14:00Z is after 2026-11-22T00:00:00Z (another host's, in its own words)`: "certificate_expired",
	} {
		got := ""
		if k := explain(line); k != nil {
			got = k.code
		}
		if got != want {
			t.Errorf("%q: want %q, got %q", line, want, got)
		}
	}
}

func TestExplainCountsAndOrders(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 14, 0, 0, time.UTC)
	got := Explain([]Entry{
		{Time: at, Text: "8e9e05c52164694d is starting a new election at term 5"},
		{Time: at.Add(time.Second), Text: "8e9e05c52164694d is starting a new election at term 6"},
		{Time: at, Text: "the member has been permanently removed from the cluster"},
	})
	if len(got) != 2 || got[0].Code != "permanently_removed" || got[1].Count != 2 || got[1].Last != "2026-11-23T03:14:01Z" {
		t.Errorf("%+v", got)
	}
	if got := Explain([]Entry{{Text: "1 is starting a new election at term 1"}, {Text: "raft.node: 1 elected leader 1 at term 2"}}); len(got) != 0 {
		t.Errorf("an election that found a leader: %+v", got)
	}
	if got := Explain(nil); got == nil || len(got) != 0 {
		t.Errorf("nothing logged: %#v", got)
	}
}

func TestParseJournal(t *testing.T) {
	raw := `{"MESSAGE":"one","PRIORITY":"4","__REALTIME_TIMESTAMP":"1795432494475463"}
not json
{"MESSAGE":[116,119,111,255],"PRIORITY":"6"}
{"MESSAGE":null,"PRIORITY":"6"}
{"MESSAGE":"2026-11-23 03:14:00.000000 C | etcdmain: three"}
`
	want := []Entry{
		{Time: time.UnixMicro(1795432494475463), Level: Warning, Text: "one"},
		{Level: Info, Text: "two?"},
		{Level: Critical, Text: "2026-11-23 03:14:00.000000 C | etcdmain: three"},
	}
	if diff := cmp.Diff(want, ParseJournal([]byte(raw))); diff != "" {
		t.Error(diff)
	}
}

// A container's log in the journal, as Docker 1.13 writes it on RHEL 7: there everything is an error, and etcd's own line has the level.
func TestContainerLogInTheJournal(t *testing.T) {
	raw, err := os.ReadFile("testdata/container-journal.json")
	if err != nil {
		t.Fatal(err)
	}
	entries := ParseJournal(raw)
	var levels []int
	for _, e := range entries {
		levels = append(levels, e.Level)
	}
	if diff := cmp.Diff([]int{Info, Warning, Info, Error, Critical, Error}, levels); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, p := range Explain(entries) {
		codes = append(codes, p.Code)
	}
	if diff := cmp.Diff([]string{"cluster_id_mismatch", "wrong_owner", "address_in_use"}, codes); diff != "" {
		t.Error(diff)
	}
}

func TestWorst(t *testing.T) {
	entries := []Entry{{Level: Info, Text: "a"}, {Level: Error, Text: "b"}, {Level: Error, Text: "c"}, {Level: Warning, Text: "d"}}
	if got, ok := Worst(entries); !ok || got.Text != "c" {
		t.Errorf("%+v, %v", got, ok)
	}
	if _, ok := Worst(nil); ok {
		t.Error("the worst of nothing")
	}
}

func TestDenials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if got, err := Denials(t.Context(), path, time.Time{}); err != nil || got != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	now := time.Now().Unix()
	line := func(sec int64, comm string) string {
		return fmt.Sprintf("type=AVC msg=audit(%d.243:1): avc:  denied  { read } for  pid=7 comm=%q name=\"db\"\n", sec, comm)
	}
	text := line(now-7200, "etcd") + line(now, "sshd") + line(now, "etcd") + "type=USER_LOGIN msg=audit(1.0:2): res=success\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Denials(t.Context(), path, time.Unix(now-60, 0))
	if err != nil || len(got) != 1 || got[0].Time.Unix() != now || Explain(got)[0].Code != "selinux" {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParseJournal(f *testing.F) {
	f.Add([]byte(`{"MESSAGE":[1,300,-1],"PRIORITY":7,"__REALTIME_TIMESTAMP":"x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range ParseJournal(raw) {
			if e.Text == "" {
				t.Error("an entry without text")
			}
			_ = Explain([]Entry{e})
			if p, found := Unexplained([]Entry{e}); found && strings.ContainsAny(p.Line, "\n\r\x1b") {
				t.Errorf("%q", p.Line)
			}
		}
	})
}
