package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestPod(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	row := func(at time.Time, text string) string {
		return at.Format(time.RFC3339Nano) + " stderr F " + at.Format("2006-01-02 15:04:05.000000") + " " + text + "\n"
	}
	lines := row(now.Add(-2*time.Hour), "E | etcdserver: too old") + row(now.Add(-time.Minute), "W | rafthttp: one") + row(now, "W | rafthttp: one") + row(now, "I | x: fine")
	docker := `{"log":"2026-01-01 00:00:00.000000 E | etcdserver: by Docker\n","stream":"stderr","time":"` + now.Format(time.RFC3339Nano) + `"}` + "\n"
	for name, c := range map[string]struct{ file, text, want string }{
		"the kubelet of 3.11": {"var/log/pods/0123456789abcdef0123456789abcdef/etcd/0.log", docker, "error: etcdserver: by Docker"},
		"later ones":          {"var/log/pods/kube-system_master-etcd-m0_0123456789abcdef0123456789abcdef/etcd/1.log", lines, "warning: rafthttp: one (2 times)"},
		"links only":          {"var/log/containers/master-etcd-m0_kube-system_etcd-c0ffee.log", lines, "warning: rafthttp: one (2 times)"},
		"another pod's etcd":  {"var/log/pods/5b2f4bd0-1111-2222-3333-444455556666/etcd/0.log", docker, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t)
			h.Pod(string(text))
			h.Write(c.file, c.text)
			a := moduletest.Run(t, h.Args()).OK(t, false)
			found, _ := a.JSON["lines"].([]any)
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || !strings.HasSuffix(found[0].(string), c.want)) {
				t.Errorf("lines %v, want one that ends in %q", found, c.want)
			}
			if a.JSON["runtime"] != "static_pod" {
				t.Errorf("%s", a.Stdout)
			}
		})
	}
}

func TestSinceThatMeansNothing(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	moduletest.Run(t, h.Args("since", "soon")).Failed(t, "invalid")
}

func TestProbeEndsThePod(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	var lines strings.Builder
	for ago := 4; ago > 0; ago-- {
		lines.WriteString(time.Now().UTC().Add(-time.Duration(ago)*70*time.Second).Format(time.RFC3339Nano) + " stderr F osutil: received terminated signal, shutting down...\n")
	}
	h.Write("var/log/pods/0123456789abcdef0123456789abcdef/etcd/0.log", lines.String())
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if !strings.Contains(a.Msg(), "the kubelet's probe ends it every minute, because there is no quorum") {
		t.Errorf("%s", a.Stdout)
	}
}
