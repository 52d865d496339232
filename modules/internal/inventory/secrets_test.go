package inventory

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

// canary is in each file below where a site may have written a secret. No output of the package may contain it.
const canary = "S3CRET"

// withSecrets are inventories, named by the form in which the secret is written. In all of them a.example.com is in [etcd].
func withSecrets() map[string]string {
	out := map[string]string{}
	for _, variables := range []string{
		"ansible_password=S3CRET", "ansible_password=x,S3CRET", "ansible_password=x}S3CRET", `ansible_password="x\"S3CRET"`,
		`ansible_password="x S3CRET"`, "ansible_password='x'S3CRET", `ansible_password=x\ S3CRET`, "db_pwd=S3CRET", "cloud_api_key=S3CRET",
		"ldap_bindpw=S3CRET", "openshift_http_proxy=http://user:S3CRET@proxy:3128", "x=1 # the password is S3CRET", "x=1#S3CRET",
		`openshift_master_identity_providers="[{'bindPassword': 'S3CRET'}]"`, "ansible_password=x S3CRET=", "x=$S3CRET y={{S3CRET}}",
		"ansible_password = S3CRET=", "ansible_password==S3CRET",
	} {
		out["hosts.ini "+variables] = "[OSEv3:children]\netcd\n[etcd]\nb.example.com\na.example.com " + variables + "\n"
		out["hosts.ini kept "+variables] = "[masters]\na.example.com\n[etcd]\nb.example.com\na.example.com " + variables + "\n"
		out["hosts.ini first "+variables] = "[etcd]\na.example.com " + variables + "\nb.example.com " + variables + "\n"
		out["hosts.ini range "+variables] = "[etcd]\n[a:c].example.com " + variables + "\n"
		out["hosts.ini mark "+variables] = "[etcd]\nb.example.com\n# out of [etcd] since 2026-01-01: a.example.com " + variables + "\n"
		out["hosts.ini staged "+variables] = "[etcd]\nb.example.com\n[new_etcd]\na.example.com " + variables + "\n"
	}
	out["hosts.ini group"] = "[OSEv3:children]\netcd # S3CRET\n[etcd] # S3CRET\na.example.com\n[etcd:vars]\nansible_password=S3CRET, S3CRET # S3CRET\n"
	out["hosts.ini child"] = "[etcd:children]\nmasters # S3CRET\n[masters]\na.example.com\nb.example.com\n[masters:vars]\nansible_password=S3CRET\n"
	for _, value := range []string{
		"my S3CRET words", "|\n            S3CRET", "|\n            S3CRET\n\n            S3CRET\n", ">-\n            S3CRET", "\n            S3CRET", "'it''S3CRET'",
		"\"a\n            S3CRET\"", "\"a\n\n  S3CRET\"", "!!str S3CRET", "&p S3CRET", "[a, S3CRET]", "{a: S3CRET}", "\n            a: S3CRET",
		"\n          - S3CRET", "a # S3CRET", "x\n          # S3CRET\n          y: 1", "|2\n            S3CRET: 1\n            x: S3CRET", "!vault |\n            S3CRET",
	} {
		for _, name := range []string{"ansible_password", "db_pwd", "S3CRET"} {
			if name == canary && !strings.HasPrefix(value, "my") {
				continue
			}
			key := strings.Replace(name, canary, "S3CRET_name", 1)
			etcd := "all:\n  children:\n    etcd:\n      hosts:\n        b.example.com:\n        a.example.com:\n          " + key + ": " + value + "\n"
			out["hosts.yml "+key+value] = etcd
			out["hosts.yml last "+key+value] = etcd + "        c.example.com:\n"
			out["hosts.yml kept "+key+value] = etcd + "    masters:\n      hosts:\n        a.example.com:\n"
			out["hosts.yml range "+key+value] = strings.Replace(etcd, " a.", " '[a:c].", 1)
			out["hosts.yml range "+key+value] = strings.Replace(out["hosts.yml range "+key+value], ".com:\n          ", ".com':\n          ", 1)
			out["hosts.yml group "+key+value] = "all:\n  children:\n    etcd: # S3CRET\n      hosts:  # S3CRET\n        a.example.com: # S3CRET\n      vars:\n          ansible_" + key + ": " + value + "\n"
		}
	}
	for _, list := range []string{
		"{b.example.com: {}, a.example.com: {ansible_password: a S3CRET}}", "{a.example.com: {x: \"S3CRET, a\"}, b.example.com: {x: S3CRET}}",
		"\n        {b.example.com: {}, a.example.com: {x: S3CRET}}", "{\n          a.example.com: {x: 'S3CRET'}, # S3CRET\n          b.example.com: {x: S3CRET}}",
		"{\n          b.example.com: {},\n          a.example.com: {x: \"y\n   S3CRET\"},\n        }", "{'[a:c].example.com': {x: S3CRET}}",
	} {
		out["hosts.yml flow "+list] = "all:\n  children:\n    etcd:\n      hosts: " + list + "\n"
	}
	out["hosts.yml mark"] = "etcd:\n  hosts:\n    # out of [etcd] since 2026-01-01: a.example.com:\n    # out of [etcd] since 2026-01-01:   x: |\n    # out of [etcd] since 2026-01-01:     S3CRET\n    # out of [etcd] since 2026-01-01:\n    # out of [etcd] since 2026-01-01:     S3CRET\n    b.example.com:\n"
	return out
}

func TestNoValueIsShown(t *testing.T) {
	edits := 0
	for name, text := range withSecrets() {
		file, _, _ := strings.Cut(name, " ")
		parsed, err := Parse(file, text)
		if err != nil {
			hides(t, name, err.Error(), fault.HintOf(err))
			continue
		}
		for _, r := range []Request{
			leave("etcd", "a.example.com"), join("etcd", "a.example.com"), move("new_etcd", "a.example.com", "etcd"), move("etcd", "a.example.com", "new_etcd"),
			first(join("etcd", "a.example.com")), first(join("etcd", "b.example.com")),
		} {
			edits += travelHidden(t, name, &Set{Sources: []Source{parsed}}, r)
		}
	}
	if edits < 500 {
		t.Errorf("only %d edits were made", edits)
	}
}

// travelHidden makes the edit and, where possible, the one that undoes it. It returns how many were made.
func travelHidden(t *testing.T, name string, set *Set, r Request) int {
	t.Helper()
	for n := range 2 {
		out, err := set.Plan(r)
		if err != nil {
			hides(t, name, err.Error(), fault.HintOf(err))
			return n
		}
		hides(t, name, out.Warnings...)
		if len(out.Edits) == 0 {
			return n
		}
		before, after := out.Edits[0].Diff()
		failed := stopped(out.Edits[0], nil, os.ErrPermission)
		hides(t, name, before, after, failed.Error(), fault.HintOf(failed))
		if before == after || !strings.Contains(before+after, r.Host) {
			t.Errorf("%s: the diff of %+v says nothing:\n%s--\n%s", name, r, before, after)
		}
		set, r.Present, r.From, r.First = set.with(t, out.Edits), !r.Present, "", false
	}
	return 2
}

func hides(t *testing.T, name string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, canary) && !strings.Contains(name, "S3CRET_name") {
			t.Errorf("%s: shown:\n%s", name, text)
		}
	}
}

// TestErrorsQuoteNoLine: a line that cannot be read may be a part of a password.
func TestErrorsQuoteNoLine(t *testing.T) {
	for name, text := range map[string]string{
		"hosts.ini a blank in a password":    "[etcd]\na pw=x S3CRET\n",
		"hosts.ini a setting among children": "[etcd:children]\nansible_password=S3CRET\n",
		"hosts.ini a bracket":                "[etcd]\n[a pw=S3CRET]\n",
		"hosts.ini a range":                  "[etcd]\nansible_password=[S3CRET\n",
		"hosts.ini a range of settings":      "[etcd]\nansible_password=S3CRET[1:x]\n",
		"hosts.ini a colon":                  "[etcd]\nansible_password=S3CRET:\n",
		"hosts.ini a quote":                  "[etcd]\na pw='S3CRET\n",
		"hosts.yml an alias":                 "etcd:\n  hosts:\n    a:\n      pw: *S3CRET\n",
		"hosts.yml a quote":                  "etcd:\n  hosts:\n    a:\n      pw: 'S3CRET\n",
		"hosts.yml a colon":                  "etcd:\n  hosts:\n    a:\n      pw: S3CRET: x\n",
		"hosts.yml a percent":                "etcd:\n  hosts:\n    a:\n      pw: %S3CRET\n",
	} {
		file, _, _ := strings.Cut(name, " ")
		parsed, err := Parse(file, text)
		if err == nil {
			_, err = (&Set{Sources: []Source{parsed}}).Plan(leave("etcd", "a"))
		}
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if err := inFile(file, err); strings.Contains(err.Error()+fault.HintOf(err), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiffShowsNamesAndStructure(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		request          Request
		before, after    string
	}{
		{"a host's line", "hosts", "[etcd]\na\nb pw=x # c\n", leave("etcd", "b"), "[etcd]\nb …\n", "[etcd]\n# out of [etcd] since 2026-11-23: b …\n"},
		{"a bare name", "hosts", "[etcd]\na\nb\n", leave("etcd", "b"), "[etcd]\nb\n", "[etcd]\n# out of [etcd] since 2026-11-23: b\n"},
		{"a range", "hosts", "[etcd]\nm[1:3] pw=x\n", leave("etcd", "m2"), "[etcd]\nm[1:3] …\n", "[etcd]\nm1 …\n# out of [etcd] since 2026-11-23: m2 …\nm3 …\n"},
		{"kept variables", "hosts", "[etcd]\nm pw=x\n[masters]\nm\n", leave("etcd", "m"), "[etcd]\nm …\n",
			"[etcd]\n# out of [etcd] since 2026-11-23: m …\n[masters]\nm …  # kept from [etcd] by etcd_inventory\n"},
		{"a group of our own", "hosts", "[all:children]\netcd\n[etcd] # c\na x=1\n[etcd:vars]\nansible_user=root\n", move("new_etcd", "a", "etcd"), "[etcd]\na …\n",
			"[all:children]\nnew_etcd  # made by etcd_inventory\n[etcd]\n# out of [etcd] since 2026-11-23: a …\n\n[new_etcd]  # made by etcd_inventory\na …\n\n[new_etcd:vars]  # made by etcd_inventory\nansible_user=…\n"},
		{"a child", "hosts", "[etcd:children]\nm # c\n[m]\na x=1\nb\n", leave("etcd", "a"), "[etcd:children]\nm …\n",
			"[etcd:children]\n# out of [etcd:children] since 2026-11-23: m …\n\n[etcd]  # made by etcd_inventory\n# out of [etcd] since 2026-11-23: a\nb  # made by etcd_inventory\n"},
		{"a YAML entry", "h.yml", "etcd:\n  hosts:\n    a:\n    b:\n      x: |\n        pw\n      y: 2\n", leave("etcd", "b"), "etcd:\n    b:\n      …\n",
			"etcd:\n    # out of [etcd] since 2026-11-23: b:\n    # out of [etcd] since 2026-11-23: …\n"},
		{"a YAML entry on one line", "h.yml", "etcd:\n  hosts:\n    a:\n    b: {x: pw}\n", leave("etcd", "b"), "etcd:\n    b: …\n",
			"etcd:\n    # out of [etcd] since 2026-11-23: b: …\n"},
		{"a flow mapping", "h.yml", "etcd:\n  hosts: {a: {x: pw}, b: {x: pw}}\n", leave("etcd", "b"), "etcd:\n  hosts: a: b: …\n",
			"etcd:\n  # out of [etcd] since 2026-11-23 (no. 2): b: …\n  hosts: a: …\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := setOf(t, c.file, c.text).Plan(c.request)
			if err != nil {
				t.Fatal(err)
			}
			before, after := out.Edits[0].Diff()
			if diff := cmp.Diff([]string{c.before, c.after}, []string{before, after}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
