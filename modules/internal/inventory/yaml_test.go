package inventory

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestYAML(t *testing.T) {
	for _, s := range []step{
		{"block", "h.yml", "etcd:\n  hosts:\n    a:\n      x: 1\n      # why\n      y: |\n        #!/bin/sh\n\n        z\n\n    # about b\n    b:\n", leave("etcd", "a"),
			"etcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: a:\n    # out of [etcd] since 2026-11-23:   x: 1\n    # out of [etcd] since 2026-11-23:   # why\n    # out of [etcd] since 2026-11-23:   y: |\n    # out of [etcd] since 2026-11-23:     #!/bin/sh\n    # out of [etcd] since 2026-11-23:\n    # out of [etcd] since 2026-11-23:     z\n\n    # about b\n    b:\n"},
		{"flow on one line", "h.yml", "etcd: {hosts: {a: {x: 1}, b: , c: }}\n", leave("etcd", "b"),
			"# out of [etcd] since 2026-11-23 (no. 2): b:\netcd: {hosts: {a: {x: 1}, c: }}\n"},
		{"flow, the first", "h.yml", "etcd:\n  hosts: {a: {x: 1}, b: }\n", leave("etcd", "a"),
			"etcd:\n  # out of [etcd] since 2026-11-23 (no. 1): a: {x: 1}\n  hosts: {b: }\n"},
		{"flow, the last", "h.yml", "etcd:\n  hosts: {a: {x: 'it, is'}, b: {q: \"}\"} }\n", leave("etcd", "b"),
			"etcd:\n  # out of [etcd] since 2026-11-23 (no. 2): b: {q: \"}\"}\n  hosts: {a: {x: 'it, is'} }\n"},
		{"flow, the only one", "h.yml", "etcd:\n  hosts: {a}\n", leave("etcd", "a"), "etcd:\n  # out of [etcd] since 2026-11-23 (no. 1): a:\n  hosts: {}\n"},
		{"flow over lines, braces on the entries' lines", "h.yml", "etcd:\n  hosts: {a: {x: 1}, # one\n    b: {x: 2}, # two\n    c: }\n", leave("etcd", "a"),
			"etcd:\n  # out of [etcd] since 2026-11-23 (no. 1): a: {x: 1}\n  hosts: { # one\n    b: {x: 2}, # two\n    c: }\n"},
		{"flow over lines, the last", "h.yml", "etcd:\n  hosts: {a: {x: 1}, # one\n    c: }\n", leave("etcd", "c"),
			"etcd:\n  hosts: {a: {x: 1}, # one\n    # out of [etcd] since 2026-11-23 (no. 2): c:\n     }\n"},
		{"flow over lines", "h.yml", "etcd:\n  hosts: {\n    a: {x: 1},  # one\n    b: {x: 2},\n  }\n", leave("etcd", "a"),
			"etcd:\n  hosts: {\n    # out of [etcd] since 2026-11-23: a: {x: 1},  # one\n    b: {x: 2},\n  }\n"},
		{"flow, revived", "h.yml", "etcd:\n  # out of [etcd] since 2026-11-23 (no. 1): a: {x: 1}\n  hosts: {b: }\n", join("etcd", "a"), "etcd:\n  hosts: {a: {x: 1}, b: }\n"},
		{"range", "h.yml", "etcd:\n  hosts:\n    m[0:2]:\n      x: 1\n", leave("etcd", "m1"),
			"etcd:\n  hosts:\n    m0:\n      x: 1\n    # out of [etcd] since 2026-11-23: m1:\n    # out of [etcd] since 2026-11-23:   x: 1\n    m2:\n      x: 1\n"},
		{"quoted range in flow", "h.yml", "etcd: {hosts: {\"m[0:1]\": {x: 1}}}\n", leave("etcd", "m0"),
			"# out of [etcd] since 2026-11-23 (no. 1): \"m0\": {x: 1}\netcd: {hosts: {\"m1\": {x: 1}}}\n"},
		{"the last host leaves", "h.yml", "etcd:\n  hosts:\n    a:\nlb:\n", leave("etcd", "a"), "etcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: a:\nlb:\n"},
		{"alias of another group's hosts", "h.yml", "masters:\n  hosts: &m\n    a: {x: 1}\n    b:\netcd:\n  hosts: *m  # the same\n", leave("etcd", "a"),
			"masters:\n  hosts: &m\n    a: {x: 1}\n    b:\netcd:\n  hosts:  # the same\n    # out of [etcd] since 2026-11-23: a:\n    b:\n"},
		{"hosts is a word", "h.yml", "etcd:\n  hosts: a\n", leave("etcd", "a"), "etcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: a:\n"},
		{"variables that a master needs", "h.yml", "masters:\n  hosts:\n    a:\n    b: {y: 2}\netcd:\n  hosts:\n    a:\n      ansible_host: 1.2.3.4\n    b: {x: 1}\n", leave("etcd", "a"),
			"masters:\n  hosts:\n    a:\n      # kept from [etcd] by etcd_inventory\n      ansible_host: 1.2.3.4\n    b: {y: 2}\netcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: a:\n    # out of [etcd] since 2026-11-23:   ansible_host: 1.2.3.4\n    b: {x: 1}\n"},
		{"variables in flow", "h.yml", "masters:\n  hosts:\n    b: {y: 2}\netcd:\n  hosts:\n    b: {x: 1, z: 'a b'}\n", leave("etcd", "b"),
			"masters:\n  hosts:\n    b: {y: 2, x: 1, z: 'a b'}\netcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: b: {x: 1, z: 'a b'}\n"},
		{"deeper indentation", "h.yml", "all:\n    children:\n        etcd:\n            hosts:\n                a:\n                    x: 1\n        new_etcd:\n            hosts:\n", move("new_etcd", "a", "etcd"),
			"all:\n    children:\n        etcd:\n            hosts:\n                # out of [etcd] since 2026-11-23: a:\n                # out of [etcd] since 2026-11-23:     x: 1\n        new_etcd:\n            hosts:\n              a:\n                  x: 1\n"},
		{"new_etcd is made", "h.yml", "all:\n  children:\n    OSEv3:\n      children:\n        etcd:\n          hosts:\n            a:\n            # out of [etcd] since 2026-11-20: b: {x: 1}\n        lb:\n", join("new_etcd", "b"),
			"all:\n  children:\n    OSEv3:\n      children:\n        etcd:\n          hosts:\n            a:\n            # out of [etcd] since 2026-11-20: b: {x: 1}\n        new_etcd:  # made by etcd_inventory\n          hosts:\n            b: {x: 1}\n        lb:\n"},
		{"known elsewhere", "h.yml", "etcd:\n  hosts:\n    a:\nnodes:\n  hosts:\n    b:\n", join("etcd", "b"), "etcd:\n  hosts:\n    a:\n    b:\nnodes:\n  hosts:\n    b:\n"},
		{"first", "h.yml", "etcd:\n  hosts:\n    a:\n    b: {x: 1}\n", first(join("etcd", "b")), "etcd:\n  hosts:\n    b: {x: 1}\n    a:\n"},
		{"first in flow", "h.yml", "etcd:\n  hosts: {a: , b: {x: 1}}\n", first(join("etcd", "b")), "etcd:\n  hosts: {b: {x: 1}, a: }\n"},
		{"group without a list", "h.yml", "etcd:\n  hosts:\n    a:\nnew_etcd:\n", move("new_etcd", "a", "etcd"),
			"etcd:\n  hosts:\n    # out of [etcd] since 2026-11-23: a:\nnew_etcd:\n  hosts:  # made by etcd_inventory\n    a:\n"},
		{"no ending, YAML inside", "hosts", "---\netcd:\n  hosts:\n    a:\n    b:\n", leave("etcd", "b"), "---\netcd:\n  hosts:\n    a:\n    # out of [etcd] since 2026-11-23: b:\n"},
		{"no ending, INI inside", "hosts", "lonely\n[etcd]\na\n", leave("etcd", "a"), "lonely\n[etcd]\n# out of [etcd] since 2026-11-23: a\n"},
	} {
		t.Run(s.name, s.run)
	}
}

func TestYAMLRefusals(t *testing.T) {
	for _, c := range []struct {
		name, text, part string
		request          Request
	}{
		{"the list is another group's too, in flow", "etcd:\n  hosts: &e {a: }\nmasters: {hosts: *e}\n", "masters", leave("etcd", "a")},
		{"the whole group is an alias", "masters: &m\n  hosts:\n    a:\netcd: *m\n", "alias", leave("etcd", "a")},
		{"a merge", "masters:\n  hosts: &m\n    a:\netcd:\n  hosts:\n    <<: *m\n    b:\n", "merge", leave("etcd", "a")},
		{"an anchor in a range", "etcd:\n  hosts:\n    a[1:2]: &x\n      y: 1\n", "anchor", leave("etcd", "a1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := setOf(t, "hosts.yml", c.text).Plan(c.request)
			if err == nil {
				t.Fatalf("no error: %s", out.Edits[0].After)
			}
			if k := fault.KindOf(err); k == fault.Internal || !strings.Contains(err.Error(), c.part) {
				t.Errorf("%s: %v; want %q in it", k, err, c.part)
			}
		})
	}
}

func TestUnreadableYAML(t *testing.T) {
	for name, text := range map[string]string{
		"a list":           "- a\n",
		"two documents":    "etcd:\n---\nmasters:\n",
		"a key twice":      "etcd:\n  hosts:\n    a: {x: 1}\n    a: {x: 2}\n",
		"a number":         "etcd:\n  hosts:\n    1:\n",
		"yes":              "etcd:\n  hosts:\n    yes:\n",
		"a list of hosts":  "etcd:\n  hosts:\n    - a\n",
		"broken":           "etcd:\n hosts: {a\n",
		"a tab":            "etcd:\n\thosts:\n",
		"endless range":    "etcd:\n  hosts:\n    a[0:99999999]:\n",
		"nested aliases":   "a: &a {vars: {x: 1, y: 2}}\n" + "b: {children: {c: &c {children: {d: *c}}}}\n",
		"a word as a host": "etcd:\n  hosts:\n    a: hello\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("hosts.yml", text); err == nil {
				t.Error("no error")
			}
		})
	}
}
