package hosturl

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestCompare(t *testing.T) {
	members := hosts(t, `[{"name":"m0","aliases":["192.0.2.10","m0.example.com"]},{"name":"m1","aliases":["192.0.2.11","m1.example.com"]}]`)
	for name, tc := range map[string]struct {
		listed string
		says   []string // none: the list is correct
		hint   string
	}{
		"equal":            {"https://m0.example.com:2379,https://m1.example.com:2379", nil, ""},
		"another order":    {"https://192.0.2.11:2379,https://192.0.2.10:2379", nil, ""},
		"one is missing":   {"https://m0.example.com:2379", []string{"here lists https://m0.example.com:2379, ", "m1 is missing", "right is https://m0.example.com:2379,https://m1.example.com:2379"}, "do https://m0.example.com:2379,https://m1.example.com:2379"},
		"one has left":     {"https://m0.example.com:2379,https://m1.example.com:2379,https://m2.example.com:2379", []string{"no member has https://m2.example.com:2379", "right is https://m0.example.com:2379,https://m1.example.com:2379"}, "do https://m0.example.com:2379,https://m1.example.com:2379"},
		"one for another":  {"https://192.0.2.10:2379,https://192.0.2.99:2379", []string{"no member has https://192.0.2.99:2379, m1 is missing", "right is https://192.0.2.10:2379,https://192.0.2.11:2379"}, "do https://192.0.2.10:2379,https://192.0.2.11:2379"},
		"both are missing": {"https://lb.example.com:2379", []string{"m0 and m1 are missing"}, "do https://m0.example.com:2379,https://m1.example.com:2379"},
		"an unknown form":  {"https://[2001:db8::1]:2379", []string{"no member has https://[2001:db8::1]:2379"}, "do https://192.0.2.10:2379,https://192.0.2.11:2379"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Compare(strings.Split(tc.listed, ","), members, "here", "do %s")
			if (err != nil) != (tc.says != nil) || err != nil && (fault.KindOf(err) != fault.Invalid || fault.HintOf(err) != tc.hint) {
				t.Fatalf("%v (%s)", err, fault.HintOf(err))
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v lacks %q", err, part)
				}
			}
		})
	}
	byName := hosts(t, `["m0"]`)
	if err := Compare([]string{"https://192.0.2.10:2379"}, byName, "here", "do %s"); !strings.Contains(fault.HintOf(err), "by hand") {
		t.Errorf("%v (%s): nobody knows an address of m0", err, fault.HintOf(err))
	}
}
