package etcdlog

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The last lines of members that do not start, or that end: of etcd 3.2 and 3.1, bbolt, Go's net and systemd.
func TestExplainsEnds(t *testing.T) {
	for code, lines := range map[string][]string{
		"snapshot_missing": {
			`recovering backend from snapshot error: database snapshot file path error: snap: snapshot file doesn't exist`,
			`panic: recovering backend from snapshot error: failed to find database snapshot file (snap: snapshot file doesn't exist)`,
			`recover from snapshot error: snap: snapshot file doesn't exist`,
			`database file (/var/lib/etcd/member/snap/db) of the backend is missing`,
			`database file (/var/lib/etcd/member/snap/db index 12) does not match with snapshot (index 20007).`,
		},
		"corrupt": {
			`panic: invalid freelist page: 9735427975370221713, page type is leaf`,
			`panic: freepages: failed to get all reachable pages (page 27: multiple references)`,
			`panic: invalid page type: 0: 4`,
			`panic: page 1234 already freed`,
			`cannot open database at /var/lib/etcd/member/snap/db (checksum error)`,
			`cannot open database at /var/lib/etcd/member/snap/db (version mismatch)`,
			`alarm CORRUPT raised by peer 83c0d1d825db0d0`,
			`panic: assertion failed: Page expected to be: 2133, but self identifies as 0`,
			`unexpected fault address 0x7f1c8a000000`,
			`panic: file size too small`,
			`panic: unexpected end of file`,
			`unexpected empty snapshot`,
			`snap: the snapshot file 0000000000000002-0000000000002711.snap is empty`,
			`failed to read /var/lib/etcd/member/snap/0000000000000002-0000000000002711.snap: unexpected EOF`,
			`open wal error: wal: file not found`,
			`read wal error (wal: snapshot not found) and cannot be repaired`,
			`read wal error (wal: max entry size limit exceeded) and cannot be repaired`,
			`wal: crc mismatch`,
		},
		"bind_address": {
			`listen tcp 192.0.2.77:2380: bind: cannot assign requested address`,
			`error verifying flags, expected IP in URL for binding (https://m1.example.com:2380). See 'etcd --help'.`,
		},
		"certificate_missing": {
			`open /etc/etcd/peer.crt: no such file or directory`,
			`could not load client cert: open /etc/etcd/peer.key: no such file or directory`,
			`open /etc/etcd/ca/ca.crt: not a directory`,
			`open : no such file or directory`,
			`KeyFile and CertFile must both be present[key: , cert: /etc/etcd/peer.crt]`,
		},
		"certificate_unreadable": {`open /etc/etcd/server.key: permission denied`},
		"certificate_key": {
			`tls: private key does not match public key`,
			`tls: failed to find any PEM data in certificate input`,
			`tls: failed to parse private key`,
			`tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [CERTIFICATE]`,
			`asn1: structure error: tags don't match`,
		},
		"name_not_in_initial_cluster": {
			`couldn't find local name "m0" in the initial cluster configuration`,
			`etcd-0 has different advertised URLs in the cluster and advertised peer URLs list`,
			`--initial-cluster must include m1=https://192.0.2.11:2380 given --initial-advertise-peer-urls=https://192.0.2.11:2380`,
		},
		"bad_setting": {
			`error setting up initial cluster: URL scheme must be http, https, unix, or unixs: 192.0.2.11:2380`,
			`invalid value "" for ETCD_HEARTBEAT_INTERVAL: strconv.ParseUint: parsing "": invalid syntax`,
			`/bin/sh: /etc/etcd/etcd.conf: No such file or directory`,
			`/bin/sh: line 2: /etc/etcd/etcd.conf: Permission denied`,
			`etcd.service: Failed to load environment files: No such file or directory`,
			`no data-dir provided, using default data-dir ./default.etcd`,
		},
		"data_locked": {
			`another etcd process is using "/var/lib/etcd/member/snap/db" and holds the file lock.`,
			`open wal error: fileutil: file already locked`,
		},
		"downgrade": {
			`cluster cannot be downgraded (current version: 3.1.9 is lower than determined cluster version: 3.2).`,
		},
		"read_only": {
			`write /var/lib/etcd/member/wal/0.tmp: read-only file system`,
			`failed to create snapshot dir /var/lib/etcd/member/snap: read-only file system`,
		},
		"disk_error": {
			`panic: write /var/lib/etcd/member/wal/0000000000000012-00000000001a2b3c.wal: input/output error`,
			`wal: sync error: input/output error`,
			`write /var/lib/etcd/member/wal/1.wal: structure needs cleaning`,
			`write /var/lib/etcd/member/wal/1.wal: stale NFS file handle`,
			`[signal SIGBUS: bus error code=0x2 addr=0x7f1c8a000000 pc=0x8c2f41]`,
		},
		"too_many_files": {`accept tcp 192.0.2.11:2379: accept4: too many open files`},
		"killed": {
			`etcd.service: main process exited, code=killed, status=9/KILL`,
			`etcd.service: Main process exited, code=killed, status=9/KILL`,
			`etcd.service: A process of this unit has been killed by the OOM killer.`,
		},
		"start_limit": {`start request repeated too quickly for etcd.service`},
		"start_timeout": {
			`etcd.service start operation timed out. Terminating.`,
			`etcd.service: Start operation timed out. Terminating.`,
		},
		"unit_broken": {
			`Failed at step CHDIR spawning /bin/bash: No such file or directory`,
			`Failed at step USER spawning /bin/bash: No such process`,
			`etcd.service: Failed at step EXEC spawning /bin/bash: No such file or directory`,
			`/bin/bash: /usr/bin/etcd: No such file or directory`,
			`Changing to the requested working directory failed: Permission denied`,
		},
		"wrong_owner": {
			`etcdserver: create wal error: open /var/lib/etcd/member/wal.tmp: permission denied`,
			`open /srv/etcd/.touch: permission denied`,
		},
		"disk_full": {`write /var/lib/etcd/member/wal/1.wal: disk quota exceeded`},
		"selinux":   {`listen tcp 192.0.2.11:2479: bind: permission denied`},
		"no_memory": {`fatal error: runtime: out of memory`, `fork/exec /usr/bin/etcd: cannot allocate memory`},
		"bad_flag": {
			`error verifying flags, '--force' is not a valid flag. See 'etcd --help'.`,
			`flag provided but not defined: -force-new-clustr`,
		},
		"cluster_not_reached": {`cannot fetch cluster info from peer urls: could not retrieve cluster information from the given urls`},
		"name_not_resolved": {
			`health check for peer 83c0d1d825db0d0 could not connect: dial tcp: lookup m2.example.com on 192.0.2.1:53: no such host`,
			`failed to resolve url https://m2.example.com:2380: lookup m2.example.com: no such host`,
			`couldn't resolve during URL comparison (lookup m2.example.com: no such host)`,
			`could not resolve host m2.example.com:2380`,
		},
		"http_and_https": {
			`health check for peer 83c0d1d825db0d0 could not connect: tls: oversized record received with length 20527`,
			`health check for peer 83c0d1d825db0d0 could not connect: malformed HTTP response "\x15\x03\x01\x00\x02\x02"`,
		},
		"": {
			`received terminated signal, shutting down...`,
			`removed /srv/backup/notes.key: no such file`,
			`trace[12] executed`,
		},
	} {
		for _, line := range lines {
			got := ""
			if k := explain(line); k != nil {
				got = k.code
			}
			if got != code {
				t.Errorf("%q: want %q, got %q", line, code, got)
			}
		}
	}
}

func TestEachProblemIsOneLineACommandAndDocumented(t *testing.T) {
	documentation, err := os.ReadFile("../../etcd_log_info/etcd_log_info.yml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range knownFailures {
		if seen[k.code] || k.line == "" || k.advice == "" || strings.ContainsAny(k.line+k.advice, "\n\r") {
			t.Errorf("%+v", k)
		}
		seen[k.code] = true
		if !strings.Contains(string(documentation), "C("+k.code+")") {
			t.Errorf("%s is not in the documentation of etcd_log_info", k.code)
		}
	}
}

func signals(gaps ...time.Duration) []Entry {
	at := time.Date(2026, 11, 23, 3, 14, 0, 0, time.UTC)
	entries := []Entry{{Time: at, Level: Info, Text: "received terminated signal, shutting down..."}}
	for _, gap := range gaps {
		at = at.Add(gap)
		entries = append(entries, Entry{Time: at, Level: Info, Text: "osutil: received terminated signal, shutting down..."})
	}
	return entries
}

// Without a quorum the installed probe fails, and the kubelet ends etcd about every 70 s.
func TestProbeEndsThePod(t *testing.T) {
	const minute = 70 * time.Second
	leader := Entry{Level: Info, Text: "raft.node: 1 elected leader 1 at term 2"}
	election := Entry{Level: Info, Text: "1 is starting a new election at term 5"}
	for name, c := range map[string]struct {
		entries []Entry
		pod     bool
		want    string
	}{
		"on a pod":                     {signals(minute, minute), true, "probe_ends_it"},
		"said before the election":     {append(signals(minute, minute), election), true, "probe_ends_it no_quorum"},
		"an operator's unit":           {signals(minute, minute), false, ""},
		"two restarts":                 {signals(minute), true, ""},
		"some in a day":                {signals(2*time.Hour, minute, 2*time.Hour), true, ""},
		"a leader since":               {append(signals(minute, minute), leader), true, ""},
		"three, and one long before":   {signals(5*time.Hour, minute, minute), true, "probe_ends_it"},
		"three, and a leader long ago": {append([]Entry{leader}, signals(minute, minute)...), true, "probe_ends_it"},
	} {
		explained := Explain
		if c.pod {
			explained = ExplainPod
		}
		var codes []string
		for _, p := range explained(c.entries) {
			codes = append(codes, p.Code)
		}
		if got := strings.Join(codes, " "); got != c.want {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
	if p := ExplainPod(signals(minute, minute))[0]; p.Count != 3 || p.Last != "2026-11-23T03:16:20Z" || !strings.Contains(p.Line, "kubelet's probe") {
		t.Errorf("%+v", p)
	}
}

// An end without a reason is told as one; a stop that was asked for, or one that is explained, is none.
func TestEnded(t *testing.T) {
	for line, want := range map[string]bool{
		`etcd.service: main process exited, code=killed, status=11/SEGV`:           true,
		`etcd.service: Main process exited, code=dumped, status=6/ABRT`:            true,
		`etcd.service: main process exited, code=exited, status=2/INVALIDARGUMENT`: true,
		`etcd.service: main process exited, code=exited, status=0/SUCCESS`:         false,
		`etcd.service: Main process exited, code=killed, status=15/TERM`:           false,
		`rafthttp: the connection with 83c0d1d825db0d0 became active, code=exited`: false,
	} {
		p, found := Ended([]Entry{{Level: Info, Text: "serving client requests on 192.0.2.11:2379"}, {Level: 5, Text: line}})
		if found != want || found && !strings.Contains(p.Line, "before it was logged: \"serving client requests") {
			t.Errorf("%s: %v, %+v", line, found, p)
		}
	}
}

func TestUnexplained(t *testing.T) {
	info := Entry{Level: Info, Text: "panic button pressed"}
	known := Entry{Level: Critical, Text: "panic: invalid freelist page: 7, page type is leaf"}
	strange := Entry{Level: Critical, Text: "panic: the moon is \x1b[31mfull" + strings.Repeat("!", 1000)}
	for name, c := range map[string]struct {
		entries []Entry
		want    bool
	}{
		"what Go says after a fault": {[]Entry{{Level: Info, Text: "unexpected fault address 0x7f1c8a000000"}, {Level: Critical, Text: "fatal error: fault"}}, false},
		"nothing":                    {nil, false}, "no critical line": {[]Entry{info}, false}, "a known one": {[]Entry{known}, false},
		"a strange one": {[]Entry{info, strange, info}, true},
	} {
		p, found := Unexplained(c.entries)
		if found != c.want {
			t.Errorf("%s: %v, %+v", name, found, p)
		}
		if found && (p.Code != "unexplained" || p.Count != 1 || !strings.Contains(p.Line, `"panic: the moon is \x1b[31mfull!!`) || len(p.Line) > 500) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p, _ := Unexplained([]Entry{strange, strange, {Level: Critical, Text: "panic: later"}}); p.Count != 3 || p.Sample != "panic: later" {
		t.Errorf("the last one is quoted: %+v", p)
	}
	if got := ParseContainer([]byte("2026-11-23T03:14:00Z stderr F fatal error: stack overflow\n")); len(got) != 1 || got[0].Level != Critical {
		t.Errorf("an end of Go's runtime: %+v", got)
	}
}

// A panic's text can contain what a client has stored.
func TestSecretsAreLeftOut(t *testing.T) {
	for line, want := range map[string]string{
		`panic: request {Method:PUT Path:/a Val:hunter2 Dir:false}`:          `panic: request {Method:PUT Path:/a Val:… Dir:false}`,
		`panic: put key:"/a" value:"hunter2 \" hunter2" lease:0`:             `panic: put key:"/a" value:… lease:0`,
		`panic: password=hunter2`:                                            `panic: password=…`,
		`panic: prevValue: "hunter2"`:                                        `panic: prevValue: …`,
		`-----BEGIN EC PRIVATE KEY-----\nhunter2`:                            `…`,
		`simple token is not cryptographically signed`:                       `simple token is not cryptographically signed`,
		`invalid value "" for ETCD_HEARTBEAT_INTERVAL: strconv.ParseUint: x`: `invalid value "" for ETCD_HEARTBEAT_INTERVAL: strconv.ParseUint: x`,
	} {
		if got := ParseContainer([]byte("2026-11-23T03:14:00Z stderr F " + line + "\n")); len(got) != 1 || got[0].Text != want {
			t.Errorf("%q: %+v, want %q", line, got, want)
		}
	}
	if got := ParseJournal([]byte(`{"MESSAGE":"panic: Val:hunter2"}`)); len(got) != 1 || got[0].Text != "panic: Val:…" {
		t.Errorf("%+v", got)
	}
}
