package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func strs(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, each := range list {
		out = append(out, fmt.Sprint(each))
	}
	return out
}

func TestExplains(t *testing.T) {
	h := hosttest.New(t)
	h.Journal("something went wrong", "something went wrong", "simple token is not cryptographically signed",
		"request sent was ignored (cluster ID mismatch: remote[1]=2, local=3)")
	before := h.Tree()
	a := moduletest.Run(t, h.Args()).OK(t, false)
	problems, _ := a.JSON["problems"].([]any)
	if len(problems) != 1 || problems[0].(map[string]any)["code"] != "cluster_id_mismatch" {
		t.Fatalf("%s", a.Stdout)
	}
	lines := strs(a.JSON["lines"])
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "cluster_id_mismatch (1 times") || !strings.HasSuffix(lines[1], "error: something went wrong (2 times)") {
		t.Errorf("lines: %s", strings.Join(lines, "\n"))
	}
	if !strings.Contains(a.Msg(), "another cluster") && !strings.Contains(a.Msg(), "another ID") {
		t.Errorf("msg: %s", a.Msg())
	}
	if got := strs(moduletest.Run(t, h.Args("lines", 1)).OK(t, false).JSON["lines"]); len(got) != 2 || !strings.Contains(got[1], "cluster ID mismatch") {
		t.Errorf("the last one of etcd's own lines: %v", got)
	}
	if h.Tree() != before || len(h.Calls()) > 0 {
		t.Error("it changed something")
	}
}

// "No known failure" is never said of an etcd that panics.
func TestQuotesWhatItCannotExplain(t *testing.T) {
	h := hosttest.New(t)
	h.Journal("apply entries took too long [1.2s for 3 entries]", "panic: the moon is full Val:hunter2")
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Msg(), `"panic: the moon is full Val:…"`) || strings.Contains(a.Msg(), "no known failure") {
		t.Errorf("msg: %s", a.Msg())
	}
	if strings.Contains(a.Stdout, "hunter2") || !strings.Contains(a.Stdout, `"code":"unexplained"`) || !strings.Contains(a.Stdout, `"code":"slow_disk"`) {
		t.Errorf("%s", a.Stdout)
	}
	h.Journal("panic: invalid freelist page: 7, page type is leaf", "panic: the moon is full")
	a = moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Msg(), "damaged") || !strings.Contains(a.Stdout, `"code":"unexplained"`) {
		t.Errorf("a critical line that is explained tells more: %s", a.Stdout)
	}
}

// Nor where systemd alone tells of the end.
func TestTellsOfAnEnd(t *testing.T) {
	h := hosttest.New(t)
	h.Journal("ready to serve client requests", "etcd.service: main process exited, code=killed, status=11/SEGV")
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Stdout, `"code":"ended"`) || !strings.Contains(a.Msg(), "status=11/SEGV") || !strings.Contains(a.Msg(), "ready to serve") {
		t.Errorf("%s", a.Stdout)
	}
}

func TestFindsWhatSELinuxDenied(t *testing.T) {
	h := hosttest.New(t)
	h.Write("var/log/audit/audit.log", fmt.Sprintf("type=AVC msg=audit(%d.1:1): avc:  denied  { write } for  pid=7 comm=\"etcd\" name=\"wal\"\n", time.Now().Unix()))
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Stdout, `"code":"selinux"`) {
		t.Errorf("%s", a.Stdout)
	}
}

func TestNothingLogged(t *testing.T) {
	h := hosttest.New(t)
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Msg(), "logged nothing") || a.JSON["problems"] == nil || a.JSON["lines"] == nil {
		t.Errorf("%s", a.Stdout)
	}
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	for _, bad := range []map[string]any{h.Args("lines", 0), h.Args("timeout", 0), h.Args("lines", "many"), h.Args("until", "now")} {
		if a := moduletest.Run(t, bad).Failed(t, "invalid"); !strings.HasPrefix(a.Msg(), "etcd_log_info: ") {
			t.Error(a.Msg())
		}
	}
}
