package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
)

const at = "2026-01-02T03:04:05.678Z"

func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t testing.TB, data []byte) *Manifest {
	t.Helper()
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func edit(t testing.TB, data []byte, c Change) []byte {
	t.Helper()
	out, err := parse(t, data).Edit(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lines are the lines that only one of two texts has, in order.
func lines(a, b []byte) (gone, come []string) {
	count := map[string]int{}
	for _, l := range strings.SplitAfter(string(b), "\n") {
		count[l]++
	}
	for _, l := range strings.SplitAfter(string(a), "\n") {
		if count[l]--; count[l] < 0 {
			gone = append(gone, l)
		}
	}
	for _, l := range strings.SplitAfter(string(b), "\n") {
		if count[l] > 0 {
			count[l]--
			come = append(come, l)
		}
	}
	return gone, come
}

func TestBothLayouts(t *testing.T) {
	for _, name := range []string{"template.yaml", "sorted.yaml"} {
		t.Run(name, func(t *testing.T) {
			installed := sample(t, name)
			gone, come := lines(installed, edit(t, installed, Change{Started: at}))
			if diff := cmp.Diff([]string{"    " + Annotation + `: "` + at + "\"\n"}, come); diff != "" || len(gone) > 0 {
				t.Errorf("an annotated manifest lost %q and differs in the rest: %s", gone, diff)
			}

			forced := edit(t, installed, Change{Started: at, DropProbe: true, Force: true})
			gone, come = lines(installed, forced)
			want := []string{"    " + Annotation + `: "` + at + "\"\n", "    env:\n", "    - name: " + ForceKey + "\n", "      value: 'true'\n", "  restartPolicy: Never\n"}
			if name == "template.yaml" { // the policy comes before the containers
				want = []string{want[0], want[4], want[1], want[2], want[3]}
			}
			if diff := cmp.Diff(want, come); diff != "" {
				t.Error(diff)
			}
			if len(gone) != 11 { // ten of the probe, and the policy
				t.Errorf("%d lines are gone: %q", len(gone), gone)
			}
			m := parse(t, forced)
			asks, byEnv := m.Forces()
			if m.HasProbe() || !asks || !byEnv || m.Started() != at {
				t.Errorf("probe %v, asks %v by variable %v, started %q", m.HasProbe(), asks, byEnv, m.Started())
			}
		})
	}
}

func TestTheAnnotationAloneMakesNoDifference(t *testing.T) {
	for _, name := range []string{"template.yaml", "sorted.yaml"} {
		installed := sample(t, name)
		for _, data := range [][]byte{installed, bytes.ReplaceAll(installed, []byte("  annotations:\n    scheduler.alpha.kubernetes.io/critical-pod: ''\n"), nil)} {
			first := edit(t, data, Change{Started: "2025-01-01T00:00:00.000Z"})
			second := edit(t, first, Change{Started: at})
			if back := edit(t, second, Change{}); !bytes.Equal(back, data) {
				t.Errorf("%s: not the installer's bytes again: %s", name, cmp.Diff(string(data), string(back)))
			}
			if !Same(data, second) || Same(data, edit(t, data, Change{DropProbe: true})) {
				t.Errorf("%s: Same sees the annotation, or does not see the probe", name)
			}
		}
	}
}

func TestWhatIsRead(t *testing.T) {
	m := parse(t, sample(t, "template.yaml"))
	if m.PodName() != "master-etcd" || m.Namespace() != "kube-system" || m.Image() != "registry.redhat.io/rhel7/etcd:3.2.32" || m.Grace() != 30 || !m.HasProbe() {
		t.Errorf("%+v", m.pod)
	}
	for inside, want := range map[string]string{"/var/lib/etcd": "/var/lib/etcd", "/var/lib/etcd/x": "/var/lib/etcd/x", "/etc/etcd/": "/etc/etcd", "/var/lib/other": "", "/var/lib/etcd2": ""} {
		if got, ok := m.HostPath(inside); got != want || ok != (want != "") {
			t.Errorf("%s is %q on the host, want %q", inside, got, want)
		}
	}
	moved := parse(t, bytes.Replace(m.Bytes(), []byte("      path: /var/lib/etcd\n"), []byte("      path: /data/etcd\n"), 1))
	if got, _ := moved.HostPath("/var/lib/etcd/member"); got != "/data/etcd/member" {
		t.Errorf("another host path: %q", got)
	}
}

func TestAnEntryOfEnvIsAddedToOthers(t *testing.T) {
	text := strings.Replace(string(sample(t, "sorted.yaml")), "    image:", "    env:\n    - name: GOMAXPROCS\n      value: '2'\n    image:", 1)
	gone, come := lines([]byte(text), edit(t, []byte(text), Change{Force: true}))
	if diff := cmp.Diff([]string{"    - name: " + ForceKey + "\n", "      value: 'true'\n", "  restartPolicy: Never\n"}, come); diff != "" || len(gone) != 1 {
		t.Error(gone, diff)
	}
}

func TestOthersWaysToForce(t *testing.T) {
	sorted := string(sample(t, "sorted.yaml"))
	for name, text := range map[string]string{
		"argument": strings.Replace(sorted, "exec etcd\n", "exec etcd --force-new-cluster\n", 1),
		"command":  strings.Replace(sorted, "    - -c\n", "    - -c\n    - --force-new-cluster\n", 1),
	} {
		if asks, byEnv := parse(t, []byte(text)).Forces(); !asks || byEnv {
			t.Errorf("%s: asks %v, by variable %v", name, asks, byEnv)
		}
	}
}

func TestRefused(t *testing.T) {
	sorted := string(sample(t, "sorted.yaml"))
	swap := func(old, new string) string {
		if !strings.Contains(sorted, old) {
			t.Fatalf("the sample has no %q", old)
		}
		return strings.Replace(sorted, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "the manifest is empty"},
		"half":           {sorted[:700], "line 1"},
		"a tab":          {swap("    image:", "\timage:"), "line 26: there is a tab"},
		"two documents":  {sorted + "---\nkind: Pod\n", "second YAML document"},
		"no etcd":        {swap("    name: etcd\n", "    name: etcd2\n"), "line 13: no container is called etcd"},
		"two etcds":      {swap("  hostNetwork", "  - name: etcd\n    image: x\n  hostNetwork"), "line 49: a second container is called etcd, the first is in line 13"},
		"json":           {`{"kind":"Pod","metadata":{},"spec":{}}`, "line 1: the manifest is written in braces"},
		"an anchor":      {swap("name: master-etcd", "name: &n master-etcd"), "line 9: there is an anchor"},
		"another kind":   {swap("kind: Pod", "kind: Service"), "expected Pod"},
		"no metadata":    {swap("metadata:", "metadat:"), "there is no key metadata"},
		"flow notes":     {swap("  annotations:\n    scheduler.alpha.kubernetes.io/critical-pod: ''\n", "  annotations: {a: b}\n"), "line 4: metadata.annotations is written in braces"},
		"set to no":      {swap("    image:", "    env:\n    - {name: ETCD_FORCE_NEW_CLUSTER, value: 'false'}\n    image:"), "line 27: ETCD_FORCE_NEW_CLUSTER is set already"},
		"forces already": {swap("exec etcd\n", "exec etcd --force-new-cluster\n"), "asks for a forced start by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse([]byte(c.text))
			if err == nil {
				_, err = m.Edit(Change{Started: at, DropProbe: true, Force: true})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) == fault.Internal {
				t.Errorf("error %v (%s), want %q", err, fault.KindOf(err), c.want)
			}
		})
	}
}

func TestOneShot(t *testing.T) {
	text := parse(t, sample(t, "sorted.yaml")).OneShot("/var/lib/x")
	if RunsEtcd(text) || !RunsEtcd(sample(t, "sorted.yaml")) {
		t.Error("the copying pod counts as etcd's, or etcd's does not")
	}
	var p pod
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	c := p.Spec.Containers[0]
	if p.Spec.RestartPolicy != "Never" || c.LivenessProbe != nil || c.Image != "registry.redhat.io/rhel7/etcd:3.2.32" || p.Spec.Volumes[0].HostPath.Path != "/var/lib/x" {
		t.Errorf("%+v", p)
	}
}

// For any text: an edit gives the pod that was asked for, or a refusal; and to remove the annotation gives the first text again.
func FuzzEdit(f *testing.F) {
	f.Add(sample(f, "template.yaml"))
	f.Add(sample(f, "sorted.yaml"))
	f.Add([]byte("kind: Pod\nmetadata:\n  name: x\nspec:\n  containers:\n  - name: etcd\n    image: y\n    livenessProbe: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		if out, err := m.Edit(Change{Started: at, DropProbe: true, Force: true}); err == nil {
			got := parse(t, out)
			if asks, byEnv := got.Forces(); got.HasProbe() || !asks || !byEnv || got.Started() != at {
				t.Errorf("not what was asked for: %s", out)
			}
		}
		if m.Started() != "" {
			return
		}
		if out, err := m.Edit(Change{Started: at}); err == nil && !bytes.Equal(edit(t, out, Change{}), data) {
			t.Errorf("not the same text again")
		}
	})
}
