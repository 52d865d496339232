package health

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestComparison(t *testing.T) {
	three := map[string]int64{"a": 5, "b": 5, "c": 5}
	for name, c := range map[string]struct {
		sums  map[string]string
		equal bool
		kind  fault.Kind
		says  string
	}{
		"equal":     {map[string]string{"a": "1", "b": "1", "c": "1"}, true, "", "data equal on 3 members: 5 keys at revision 7"},
		"one other": {map[string]string{"a": "1", "b": "1", "c": "2"}, false, fault.Corrupt, "DATA DIFFER"},
		"two asked": {map[string]string{"a": "1", "b": "1"}, false, fault.Unreachable, "2 members only"},
		"none":      {nil, false, fault.Unreachable, "0 members only"},
	} {
		d := &Data{Revision: 7, Sums: c.sums, Keys: three}
		err := d.judge(3)
		if d.Equal != c.equal || (err == nil) != c.equal || err != nil && fault.KindOf(err) != c.kind || !strings.Contains(d.Line(), c.says) {
			t.Errorf("%s: equal %v, %v, %q", name, d.Equal, err, d.Line())
		}
	}
	alone := &Data{Revision: 7, Sums: map[string]string{"a": "1"}, Keys: map[string]int64{"a": 5}}
	if err := alone.judge(1); err != nil || alone.Line() != "data of the only member: 5 keys at revision 7" {
		t.Errorf("%v, %q", err, alone.Line())
	}
}
