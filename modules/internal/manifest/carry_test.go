package manifest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

// Another host's manifest differs in the address that the probe asks, and in nothing else.
func TestForHost(t *testing.T) {
	for _, name := range []string{"template.yaml", "sorted.yaml"} {
		installed := sample(t, name)
		for _, address := range []string{"192.0.2.120", "2001:db8::4"} {
			got, err := parse(t, edit(t, installed, Change{Started: at})).ForHost(address)
			if err != nil {
				t.Fatal(err)
			}
			host := address
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			if diff := cmp.Diff(strings.Replace(string(installed), "192.0.2.12", host, 1), string(got)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if again, err := parse(t, got).ForHost(address); err != nil || !bytes.Equal(got, again) {
				t.Errorf("%s: not the same again: %v", name, err)
			}
		}
		without := edit(t, installed, Change{DropProbe: true})
		if got, err := parse(t, without).ForHost("192.0.2.14"); err != nil || !bytes.Equal(got, without) {
			t.Errorf("%s: without a probe: %v", name, err)
		}
	}
}

func TestNotForAnotherHost(t *testing.T) {
	sorted := string(sample(t, "sorted.yaml"))
	for name, c := range map[string]struct{ old, new, want string }{
		"a forced start":  {"exec etcd\n", "exec etcd --force-new-cluster\n", "asks for a forced start"},
		"a variable":      {"    image:", "    env:\n    - name: TOKEN\n      value: S3CRET\n    image:", "sets variables"},
		"named elsewhere": {"exec etcd\n", "exec etcd --listen-peer-urls 192.0.2.12\n", "in other places"},
		"no URL":          {"https://192.0.2.12:2379", "192.0.2.12", "names no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, []byte(strings.Replace(sorted, c.old, c.new, 1))).ForHost("192.0.2.14")
			if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "S3CRET") {
				t.Error(err)
			}
		})
	}
	api := strings.Replace(sorted, "    image:", "    env:\n    - name: ETCDCTL_API\n      value: '3'\n    image:", 1)
	if _, err := parse(t, []byte(api)).ForHost("192.0.2.14"); err != nil {
		t.Error(err)
	}
}
