package inventory

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

const day = "2026-11-23"

func leave(group, host string) Request { return Request{Group: group, Host: host, Date: day} }

func join(group, host string) Request {
	return Request{Group: group, Host: host, Present: true, Date: day}
}

func move(group, host, from string) Request {
	r := join(group, host)
	r.From = from
	return r
}

func first(r Request) Request {
	r.First = true
	return r
}

// setOf reads one file; its name decides on the format.
func setOf(t *testing.T, path, text string) *Set {
	t.Helper()
	parsed, err := Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	return &Set{Sources: []Source{parsed}}
}

// apply plans a request on a single file and returns the file's new text.
func apply(t *testing.T, path, text string, r Request) string {
	t.Helper()
	out, err := setOf(t, path, text).Plan(r)
	if err != nil {
		t.Fatalf("%+v: %v\n%s", r, err, text)
	}
	if len(out.Edits) == 0 {
		return text
	}
	return out.Edits[0].After
}

type step struct {
	name    string
	file    string // "" is hosts.ini
	before  string
	request Request
	after   string
}

func (s step) run(t *testing.T) {
	t.Helper()
	file := s.file
	if file == "" {
		file = "hosts.ini"
	}
	got := apply(t, file, s.before, s.request)
	if diff := cmp.Diff(s.after, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if again := apply(t, file, got, s.request); again != got {
		t.Errorf("a second run changes the file again:\n%s", cmp.Diff(got, again))
	}
}

func TestLeave(t *testing.T) {
	for _, s := range []step{
		{"line with variables and comment", "", "[etcd]\na\nb x=1 y='2 3'  # note\nc\n", leave("etcd", "b"),
			"[etcd]\na\n# out of [etcd] since 2026-11-23: b x=1 y='2 3'  # note\nc\n"},
		{"not a member", "", "[etcd]\na\n\n[masters]\nb\n", leave("etcd", "b"), "[etcd]\na\n\n[masters]\nb\n"},
		{"other groups keep the host", "", "[etcd]\na\nb\n[masters]\nb\n", leave("etcd", "b"),
			"[etcd]\na\n# out of [etcd] since 2026-11-23: b\n[masters]\nb\n"},
		{"carriage returns", "", "[etcd]\r\na\r\nb\r\n", leave("etcd", "b"), "[etcd]\r\na\r\n# out of [etcd] since 2026-11-23: b\r\n"},
		{"no line end at the end", "", "[etcd]\na\nb", leave("etcd", "b"), "[etcd]\na\n# out of [etcd] since 2026-11-23: b"},
		{"indented, trailing blanks", "", "[etcd]\n  a\n\tb \t\n", leave("etcd", "b"), "[etcd]\n  a\n# out of [etcd] since 2026-11-23: \tb \t\n"},
		{"range", "", "[etcd]\nm[0:3].x  v=1 # c\n", leave("etcd", "m1.x"),
			"[etcd]\nm0.x  v=1 # c\n# out of [etcd] since 2026-11-23: m1.x  v=1 # c\nm[2:3].x  v=1 # c\n"},
		{"padded range", "", "[etcd]\nm[08:12]\n", leave("etcd", "m10"), "[etcd]\nm[08:09]\n# out of [etcd] since 2026-11-23: m10\nm[11:12]\n"},
		{"letters", "", "[etcd]\nm-[a:c]\n", leave("etcd", "m-a"), "[etcd]\n# out of [etcd] since 2026-11-23: m-a\nm-[b:c]\n"},
		{"steps", "", "[etcd]\nm[0:10:2]\n", leave("etcd", "m4"), "[etcd]\nm[0:2:2]\n# out of [etcd] since 2026-11-23: m4\nm[6:10:2]\n"},
		{"two ranges", "", "[etcd]\nr[1:2]m[1:3]\n", leave("etcd", "r2m2"),
			"[etcd]\nr1m[1:3]\nr2m1\n# out of [etcd] since 2026-11-23: r2m2\nr2m3\n"},
		{"port", "", "[etcd]\nm[1:2]:2222 a=b\n", leave("etcd", "m2"), "[etcd]\nm1:2222 a=b\n# out of [etcd] since 2026-11-23: m2:2222 a=b\n"},
		{"two sections, two lines", "", "[etcd]\na x=1\n[lb]\nl\n[etcd]\na y=2\nb\n", leave("etcd", "a"),
			"[etcd]\n# out of [etcd] since 2026-11-23: a x=1\n[lb]\nl\n[etcd]\n# out of [etcd] since 2026-11-23: a y=2\nb\n"},
		{"variables that a master needs", "", "[masters]\nm  # api\n[etcd]\nm ansible_host='1.2.3.4' z=1\n", leave("etcd", "m"),
			"[masters]\nm  # api\nm ansible_host='1.2.3.4' z=1  # kept from [etcd] by etcd_inventory\n[etcd]\n# out of [etcd] since 2026-11-23: m ansible_host='1.2.3.4' z=1\n"},
		{"variables for one host of a range", "", "[masters]\nm[1:2] # api\n[etcd]\nm1 z=1\n", leave("etcd", "m1"),
			"[masters]\nm[1:2] # api\nm1 z=1  # kept from [etcd] by etcd_inventory\n[etcd]\n# out of [etcd] since 2026-11-23: m1 z=1\n"},
		{"through a child", "", "[etcd:children]\nmasters # all\n[masters]\nm[1:3]\n", leave("etcd", "m2"),
			"[etcd:children]\n# out of [etcd:children] since 2026-11-23: masters # all\n\n[etcd]  # made by etcd_inventory\nm1  # made by etcd_inventory\n# out of [etcd] since 2026-11-23: m2  # made by etcd_inventory\nm3  # made by etcd_inventory\n[masters]\nm[1:3]\n"},
		{"header with comment", "", "[etcd] # members\na\n", leave("etcd", "a"), "[etcd] # members\n# out of [etcd] since 2026-11-23: a\n"},
	} {
		t.Run(s.name, s.run)
	}
}

func TestJoin(t *testing.T) {
	for _, s := range []step{
		{"revived in place", "", "[etcd]\na\n# out of [etcd] since 2026-11-20: b x=1  # n\nc\n", join("etcd", "b"), "[etcd]\na\nb x=1  # n\nc\n"},
		{"known elsewhere", "", "[etcd]\na\n\n[nodes]\nb v=1\n", join("etcd", "b"), "[etcd]\na\nb\n\n[nodes]\nb v=1\n"},
		{"already there", "", "[etcd]\na\nb\n", join("etcd", "b"), "[etcd]\na\nb\n"},
		{"a member through a child", "", "[etcd:children]\nmasters\n[masters]\nm\n", join("etcd", "m"), "[etcd:children]\nmasters\n[masters]\nm\n"},
		{"moves whole", "", "[etcd]\na\n[new_etcd]\nb x=1 # n\n", move("etcd", "b", "new_etcd"), "[etcd]\na\nb x=1 # n\n[new_etcd]\n"},
		{"the operator's own new_etcd stays", "", "[OSEv3:children]\netcd\nnew_etcd\n[etcd]\na\n[new_etcd]\nb\n", move("etcd", "b", "new_etcd"),
			"[OSEv3:children]\netcd\nnew_etcd\n[etcd]\na\nb\n[new_etcd]\n"},
		{"out of a range", "", "[etcd]\na\n[new_etcd]\nn[1:3] v=1\n", move("etcd", "n2", "new_etcd"), "[etcd]\na\nn2 v=1\n[new_etcd]\nn1 v=1\nn3 v=1\n"},
		{"in both: leaves the one", "", "[etcd]\na\nb\n[new_etcd]\nb w=1\n", move("etcd", "b", "new_etcd"), "[etcd]\na\nb\nb w=1  # kept from [new_etcd] by etcd_inventory\n[new_etcd]\n"},
		{"first", "", "[etcd]\n# members\na\nb\n", first(join("etcd", "b")), "[etcd]\nb\n# members\na\n"},
		{"first comes first", "", "[etcd]\na\n[new_etcd]\nb\n", first(move("etcd", "b", "new_etcd")), "[etcd]\nb\na\n[new_etcd]\n"},
		{"newest mark", "", "[etcd]\na\n# out of [etcd] since 2026-01-01: b old=1\n# out of [etcd] since 2026-02-02: b new=1\n", join("etcd", "b"),
			"[etcd]\na\n# out of [etcd] since 2026-01-01: b old=1\nb new=1\n"},
		{"new_etcd is made", "", "[OSEv3:children]\nmasters\n  etcd\nnodes\n\n[masters]\nm\n[nodes]\nm\n[etcd]\na\n# out of [etcd] since 2026-11-20: b x=1\n\n[lb]\nl\n",
			move("new_etcd", "b", "etcd"),
			"[OSEv3:children]\nmasters\n  etcd\n  new_etcd  # made by etcd_inventory\nnodes\n\n[masters]\nm\n[nodes]\nm\n[etcd]\na\n# out of [etcd] since 2026-11-20: b x=1\n\n[new_etcd]  # made by etcd_inventory\nb x=1\n\n[lb]\nl\n"},
		{"new_etcd gets its parent", "", "[OSEv3:children]\netcd\n[etcd]\na\n# out of [etcd] since 2026-11-20: b\n[new_etcd]\n", join("new_etcd", "b"),
			"[OSEv3:children]\netcd\nnew_etcd  # made by etcd_inventory\n[etcd]\na\n# out of [etcd] since 2026-11-20: b\n[new_etcd]\nb\n"},
		{"the login through [etcd:vars]", "", "[etcd]\na\n# out of [etcd] since 2026-11-20: b\n[etcd:vars]\nansible_user=root\ncolour=red\n", join("new_etcd", "b"),
			"[etcd]\na\n# out of [etcd] since 2026-11-20: b\n\n[new_etcd]  # made by etcd_inventory\nb\n\n[new_etcd:vars]  # made by etcd_inventory\nansible_user=root\n[etcd:vars]\nansible_user=root\ncolour=red\n"},
		{"out of a group that is not staging a mark stays", "", "[etcd]\na\nb\n[new_etcd]\n", move("new_etcd", "a", "etcd"),
			"[etcd]\n# out of [etcd] since 2026-11-23: a\nb\n[new_etcd]\na\n"},
	} {
		t.Run(s.name, s.run)
	}
}

// TestRoundTrip: a host that leaves, is put into new_etcd, and joins again, leaves no trace, wherever its entry was.
func TestRoundTrip(t *testing.T) {
	files := map[string]string{
		"separate.ini": "# c\n[OSEv3:children]\nmasters\netcd\n\n[OSEv3:vars]\nansible_user=admin\n\n[masters]\nm\n\n[etcd]\na ansible_host=1 # one\n# two:\nb ansible_host=2\nc ansible_host=3  \n\n# the rest\n[lb]\nl\n",
		"last.ini":     "[all:children]\netcd\n[etcd]\r\na\r\nb\r\nc",
		"vars.ini":     "[etcd]\na\nb\nc\n\n[etcd:vars]\nansible_user=root\n",
		"block.yml":    "all:\n  children:\n    OSEv3:\n      children:\n        etcd:\n          hosts:\n            a:\n              ansible_host: 1  # one\n            # two:\n            b: {x: 1}\n            c:   # three\n        lb:\n          hosts:\n            l:\n",
		"short.yml":    "etcd:\n  hosts:\n    a:\n    b:\n    c:",
		"vars.yml":     "etcd:\n  vars:\n    ansible_user: root\n    colour: red\n  hosts:\n    a:\n    b:\n    c:\nlb:\n",
	}
	for file, text := range files {
		for _, host := range []string{"a", "b", "c"} {
			t.Run(file+" "+host, func(t *testing.T) {
				gone := apply(t, file, text, leave("etcd", host))
				if gone == text || !strings.Contains(gone, "# out of [etcd] since "+day) {
					t.Fatalf("%s has not left:\n%s", host, gone)
				}
				staged := apply(t, file, gone, move("new_etcd", host, "etcd"))
				if got := setOf(t, file, staged).Meaning().Members("new_etcd"); len(got) != 1 || got[0] != host {
					t.Fatalf("new_etcd is %v:\n%s", got, staged)
				}
				back := apply(t, file, staged, move("etcd", host, "new_etcd"))
				if diff := cmp.Diff(text, back); diff != "" {
					t.Errorf("(-want +got)\n%s\nstaged:\n%s", diff, staged)
				}
				if again := apply(t, file, gone, join("etcd", host)); again != text {
					t.Errorf("revived at once:\n%s", cmp.Diff(text, again))
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, text string
		request    Request
		kind       fault.Kind
		part       string // of the message
	}{
		{"unknown host", "[etcd]\na\n", join("etcd", "stranger"), fault.Refused, "names stranger"},
		{"unknown group", "[etcd]\na\n", join("nosuch", "a"), fault.Refused, `no group "nosuch"`},
		{"through a child whose variables clash", "[etcd:children]\nmasters\n[masters]\nm\nn\n[masters:vars]\nx=1\n[etcd:vars]\nx=2\n", leave("etcd", "m"), fault.Refused, "both groups set x"},
		{"a pattern", "[etcd]\na\n", leave("etcd", "a[1:3]"), fault.Invalid, "expected one name"},
		{"two hosts", "[etcd]\na\n", leave("etcd", "a,b"), fault.Invalid, "expected one name"},
		{"from itself", "[etcd]\na\n", move("etcd", "a", "etcd"), fault.Invalid, "both"},
		{"leaving to", "[etcd]\na\n", Request{Group: "etcd", Host: "a", From: "new_etcd", Date: day}, fault.Invalid, "from_group is for state present"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := setOf(t, "hosts.ini", c.text).Plan(c.request)
			if err == nil {
				t.Fatalf("no error, edits: %+v", out.Edits)
			}
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.part) {
				t.Errorf("%s: %v; want %s and %q", fault.KindOf(err), err, c.kind, c.part)
			}
		})
	}
}

// TestUnreadable: what Ansible cannot read, or would read differently, is refused with its line.
func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
	}{
		{"word without =", "[etcd]\na b\n", 2},
		{"open quote", "[etcd]\na x='1\n", 2},
		{"section kind", "[etcd:hosts2]\n", 1},
		{"section with a blank", "[etcd ]\n", 1},
		{"child with a blank", "[etcd:children]\na b\n", 2},
		{"setting without =", "[etcd:vars]\na\n", 2},
		{"range", "\n[etcd]\na[1:x]\n", 3},
		{"endless range", "[etcd]\na[0:999999999]\n", 2},
		{"nested endless ranges", "[etcd]\na[0:999][0:999][0:999]\n", 2},
		{"uneven padding", "[etcd]\na[01:3]\n", 2},
		{"backwards letters", "[etcd]\na[c:a]\n", 2},
		{"colon", "[etcd]\na:\n", 2},
		{"byte order mark", "\ufeff[etcd]\na\n", 1},
		{"form feed", "[etcd]\n# a\fb\n", 2},
		{"line separator", "[etcd]\n# a\u2028b\n", 2},
		{"not UTF-8", "[etcd]\na x=\xff\n", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("hosts.ini", c.text)
			var at *source.Positioned
			if !errors.As(err, &at) || at.Line != c.line {
				t.Errorf("got %v, want an error for line %d", err, c.line)
			}
		})
	}
}

func TestCommentsMayBeLatin1(t *testing.T) {
	step{before: "# caf\xe9\n[etcd]\na\nb\n", request: leave("etcd", "b"), after: "# caf\xe9\n[etcd]\na\n# out of [etcd] since 2026-11-23: b\n"}.run(t)
}

// TestPortCountsOnce: Ansible takes a port only from the line that names the host first.
func TestPortCountsOnce(t *testing.T) {
	m := setOf(t, "hosts", "[a]\nx:22\ny\n[b]\nx:23\ny:24\nz:25 ansible_port=26\n[1:3]:22\nnot/a/host:27\n[2001:db8::1]:28\n").Meaning()
	want := map[string]source.Vars{
		"x": {"ansible_port": "22"}, "y": {}, "z": {"ansible_port": "26"}, "1": {"ansible_port": "3"}, "not/a/host:27": {}, "2001:db8::1": {"ansible_port": "28"},
	}
	if diff := cmp.Diff(want, m.Hosts); diff != "" {
		t.Error(diff)
	}
}
