package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/membertest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/rehearsal"
)

// The module is killed before each of its changes to a file, and before or after each change that it asks systemd for, on the data of a real etcd
// 3.2.32. Then the power is cut as well, or the module just runs again.

const acknowledged, inTail = 5, 3 // keys

// survivor is the data of a killed member of two, of which the other never ran: acknowledged keys, some more in the tail of the log beyond the
// commit index, and a torn record behind them. It is made once.
var survivor = sync.OnceValues(func() (dir string, err error) { return os.MkdirTemp("", "survivor-*") })

func makeSurvivor(t *testing.T) string {
	t.Helper()
	dir, err := survivor()
	check(t, err)
	if _, err := os.Stat(filepath.Join(dir, "member")); err == nil {
		return dir
	}
	h := realHost(t, t.TempDir())
	h.Start()
	for i := range acknowledged {
		etcdctl(t, h, "put", fmt.Sprint("acknowledged/", i), "x")
	}
	etcdctl(t, h, "member", "add", "m1", "--peer-urls=http://127.0.0.1:1")
	h.PowerCut()
	addTail(t, h.DataDir)
	check(t, os.CopyFS(dir, os.DirFS(h.DataDir)))
	return dir
}

// realHost runs etcd 3.2.32, with short timeouts, on a copy of a member's data.
func realHost(t *testing.T, data string) *hosttest.Host {
	t.Helper()
	h := hosttest.New(t)
	h.RealEtcd(etcdtest.Binary(t, "etcd"))
	conf := strings.Replace(h.Read("etc/etcd/etcd.conf"), ",m1=http://127.0.0.1:1", "", 1)
	h.Write("etc/etcd/etcd.conf", conf+"ETCD_HEARTBEAT_INTERVAL=20\nETCD_ELECTION_TIMEOUT=100\n")
	h.Wipe()
	check(t, os.CopyFS(h.DataDir, os.DirFS(data)))
	return h
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func etcdctl(t *testing.T, h *hosttest.Host, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, etcdtest.Binary(t, "etcdctl"), append([]string{"--endpoints", h.Client}, args...)...)
	cmd.Env = []string{"ETCDCTL_API=3"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("etcdctl %v: %v: %s", args, err, out)
	}
	return string(out)
}

// addTail writes what a power cut can leave: entries that were acknowledged, and whose commit index did not reach the disk.
func addTail(t *testing.T, dir string) {
	t.Helper()
	s, err := member.Read(t.Context(), dir, "")
	check(t, err)
	found, err := filepath.Glob(filepath.Join(dir, "member/wal/*.wal"))
	check(t, err)
	log := membertest.Continue(t, found[0]).Hard(s.HardState.Term, uint64(s.HardState.Vote), s.LastIndex)
	for i := range uint64(inTail) {
		put := membertest.BytesField(membertest.BytesField(nil, 1, fmt.Append(nil, "tail/", i)), 2, []byte("x"))
		log.EntryOf(0, s.LastTerm, s.LastIndex+1+i, membertest.BytesField(membertest.Number(nil, 1, 77+i), 4, put))
	}
	log.Entry(s.LastTerm, s.LastIndex+1+inTail, strings.Repeat("torn", 2000))
	log.At((log.Frame(-1)+511)&^511+512, func(rest []byte) { clear(rest[:512]) })
	membertest.Put(t, found[0], append(*log.Last(), make([]byte, 64<<10)...))
}

// fencedHost is a survivor in the state in which the playbooks call the module.
func fencedHost(t *testing.T) *hosttest.Host {
	t.Helper()
	h := realHost(t, makeSurvivor(t))
	loaded, err := host.Load(t.Context(), host.Options{EtcdConf: h.Conf, ManifestDir: h.Manifests})
	check(t, err)
	_, err = loaded.Fence(t.Context(), host.Stamp(facts.Fence{Why: "a test", Survivor: "m0"}, nil))
	check(t, err)
	return h
}

// killedRun runs the module and returns the changes that it made until it was killed, if it was.
func killedRun(t *testing.T, h *hosttest.Host, method string, n int) (changes []string, killed bool, stdout string) {
	t.Helper()
	raw, err := json.Marshal(h.Args("method", method))
	check(t, err)
	args := filepath.Join(t.TempDir(), "args.json")
	check(t, os.WriteFile(args, raw, 0o600))
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	check(t, err)
	defer out.Close()
	cmd := exec.Command(moduletest.Binary(t), args)
	cmd.Stdout, cmd.Stderr = out, out
	changes, killed = killtest.Run(t, cmd, h.Root, n)
	text, err := os.ReadFile(out.Name())
	check(t, err)
	return changes, killed, string(text)
}

func TestKilledAnywhere(t *testing.T) {
	for method, c := range map[string]struct {
		changes, calls int      // minimum numbers
		afterwards     []string // a kill without a reboot is tried for the method in use
	}{"log": {9, 3, []string{"reboot", "second run"}}, "flag": {12, 8, []string{"reboot"}}} {
		t.Run(method, func(t *testing.T) { killAnywhere(t, method, c.changes, c.calls, c.afterwards) })
	}
}

func killAnywhere(t *testing.T, method string, leastChanges, leastCalls int, then []string) {
	var changes, calls []string
	var before int
	t.Run("undisturbed", func(t *testing.T) {
		h := fencedHost(t)
		before = len(h.Calls())
		var out string
		if changes, _, out = killedRun(t, h, method, killtest.Never); !strings.Contains(out, `"changed":true`) {
			t.Fatal(out)
		}
		restored(t, h)
		calls = h.Calls()[before:]
	})
	if len(changes) < leastChanges || len(calls) < leastCalls {
		t.Fatalf("the test does not see what it is to interrupt: %q, %q", changes, calls)
	}
	for _, afterwards := range then {
		for n, what := range changes {
			t.Run(fmt.Sprintf("%s/before change %d, %s", afterwards, n, what), func(t *testing.T) {
				h := fencedHost(t)
				if _, killed, out := killedRun(t, h, method, n); !killed {
					t.Fatalf("it was not killed: %s", out)
				}
				goesOn(t, h, afterwards, strings.HasPrefix(what, "write"))
			})
		}
		for n, call := range calls {
			whens := []string{"before"}
			if call == "start" || call == "stop" {
				whens = append(whens, "after") // after any other, nothing but the next call or change can follow
			}
			for _, when := range whens {
				t.Run(fmt.Sprintf("%s/%s call %d, %s", afterwards, when, n, call), func(t *testing.T) {
					h := fencedHost(t)
					h.KillAtCall(before+n+1, when)
					if _, _, out := killedRun(t, h, method, killtest.Never); out != "" {
						t.Fatalf("it was not killed: %s", out)
					}
					goesOn(t, h, afterwards, false)
				})
			}
		}
	}
}

// goesOn checks that nothing starts this member unforced before its forced start is proven, that etcd accepts the data on disk, and that a run
// finishes.
func goesOn(t *testing.T, h *hosttest.Host, afterwards string, inLog bool) {
	t.Helper()
	if afterwards == "reboot" {
		h.PowerCut()
	}
	h.Boot() // without a power cut this is an administrator's `systemctl start etcd`
	proven := !h.Exists("etc/etcd/forcing.json") && !h.Exists("etc/etcd/fenced.json") || strings.Contains(h.Read("etc/etcd/forcing.json"), "proven")
	// The log method never sets a flag: there nothing runs before it is proven.
	if runs, env := h.Running(); runs && !proven && (afterwards == "reboot" || !strings.Contains(env, "ETCD_FORCE_NEW_CLUSTER=true")) {
		t.Fatalf("etcd runs before the forced start is proven:\n%s", env)
	}
	if inLog {
		accepted(t, h)
	}
	a := moduletest.Run(t, h.Args())
	if a.Code != 0 {
		t.Fatalf("the next run: %s", a.Stdout)
	}
	restored(t, h)
}

// accepted checks that etcd starts on a copy of the data as it is, with everything that was committed.
func accepted(t *testing.T, h *hosttest.Host) {
	t.Helper()
	s, err := member.Read(t.Context(), h.DataDir, "")
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := rehearsal.Run(ctx, rehearsal.Options{Etcd: etcdtest.Binary(t, "etcd"), Copy: h.DataDir, Name: "m0", Expect: force.FromFiles(s)})
	if err != nil || result.Keys < acknowledged {
		t.Errorf("etcd on what is left: %+v %v", result, err)
	}
}

// restored checks that there is one member, nothing is lost, and nothing is left behind.
func restored(t *testing.T, h *hosttest.Host) {
	t.Helper()
	if out := etcdctl(t, h, "get", "", "--prefix", "--keys-only"); strings.Count(out, "acknowledged/") != acknowledged || strings.Count(out, "tail/") != inTail {
		t.Errorf("keys: %s", out)
	}
	if out := etcdctl(t, h, "member", "list"); strings.Count(out, "\n") != 1 {
		t.Errorf("members: %s", out)
	}
	runs, env := h.Running()
	if !runs || strings.Contains(env, "ETCD_FORCE") {
		t.Errorf("etcd runs: %v, with\n%s", runs, env)
	}
	tree := h.Tree()
	for _, name := range []string{"forcing.json", "fenced.json", "etcd-quorum-restore"} {
		if strings.Contains(tree, name) {
			t.Errorf("%s is left:\n%s", name, tree)
		}
	}
	s, err := member.Read(t.Context(), h.DataDir, "")
	check(t, err)
	if len(s.Members) != 1 || s.ID == 0 {
		t.Errorf("members in the files: %+v", s.Members)
	}
}
