package login

import (
	"slices"
	"strings"
	"testing"
)

// logins are spelt in all ways, also those that etcd refuses, and that break a list or a sentence.
var logins = []string{"https://u:S3CRET@h:1", "https://u:S3CRET/x@h", "https://u:a,S3CRET@h", `https://u:a"S3CRET@h`, "https://S3CRET@h", "https://:S3CRET@h", "https://u:S3CRET@@h",
	"https://u:S3CRET?@h", "https://u:S3CRET#@h", "https://u:x'S3CRET@h", "https://u:%53S3CRET@h", `https:\/\/u:S3CRET@h`, "HTTPS://u:S3CRET@[::1", "//u:S3CRET@h", "https:u:S3CRET@h:1",
	"u:S3CRET@h:1", "https://u:\u202eS3CRET@h", "https://u:S3CRET//x@h", "https://u:S3CRET x@h", "https://u:x S3CRET@h", "https://u:x\tS3CRET@h:1", "https://u:x\u00a0S3CRET@h:1", "https://u:1 S3CRET@h:1",
	"https://u S3CRET@h:1", "https://u:1S3CRET x@h", "https://u:x S3CRET@[::1]:1", "https://u:x, S3CRET@h", "https://u:x y@S3CRET@h", "https://u:S3CRET", "https://u:1S3CRET"}

// numbered are those whose first word could be a host with its port: they are known by what is around them.
var numbered = []string{"https://u:1 S3CRET@h", "https://u S3CRET@h", "m0=https://u:1 S3CRET@h"}

func TestHide(t *testing.T) {
	for _, url := range logins {
		for _, text := range []string{url, "m0=https://a:1,m1=" + url, `"` + url + `"`, url + "," + url, url + " and " + url} {
			if got := Hide(text); strings.Contains(got, "S3CRET") {
				t.Errorf("%q became %q", text, got)
			}
		}
	}
	for _, url := range numbered {
		for _, text := range []string{url, `found "` + url + `" there`, `{"a":"` + url + `"}`, `"{\\"a\\":\\"` + url + `\\"}"`} {
			if got := Hide(text); strings.Contains(got, "S3CRET") {
				t.Errorf("%q became %q", text, got)
			}
		}
	}
	for _, text := range []string{"quay.io/coreos/etcd:v3.2.32@sha256:0a1b", "https://a:1 and you@b", "https://a:1: refused; write to you@b", "etcd@1.service", "12:30 root@a",
		"m0=https://a:1,m1=https://b:2", "the form https://HOST:PORT", "https://[::1]:2379: refused", "https://a: no such host", "https://a:2379.", "https://a:2379/health", "/a//b:c", "// x:y", "/etc/etcd/etcd.conf.123.2026-01-31@09:30:00~"} {
		if got := Hide(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A list is taken apart at its commas, not at a login's. Each piece is hidden by itself, too: others take lists apart.
func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"": {""}, "a, b": {"a", " b"}, "https://a:1,https://b:2": {"https://a:1", "https://b:2"}, "m0=https://a:1,me@b,c@d": {"m0=https://a:1,me@b,c@d"}, "a@b,c": {"a@b", "c"},
		"https://a:1,https://u:x,y@b:2,https://c:3": {"https://a:1", "https://u:x,y@b:2", "https://c:3"},
		"https://u:x,y,z@b":                         {"https://u:x,y,z@b"}, "https://a:1,b": {"https://a:1", "b"},
	} {
		if got := Split(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, url := range logins {
		for _, part := range Split("m0=https://a:1," + url + ",https://b:2") {
			if got := Hide(part); strings.Contains(got, "S3CRET") {
				t.Errorf("%q of %q became %q", part, url, got)
			}
		}
	}
	for _, part := range []string{"https://u:S3CRET", "S3CRET@h:1", "S3CRET@[::1]:1"} {
		if got := Hide(`found "` + part + `"`); strings.Contains(got, "S3CRET") {
			t.Error(got)
		}
	}
}

func FuzzHide(f *testing.F) {
	for _, url := range logins {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if twice := Hide(Hide(text)); len(twice) > 4*len(text)+8 {
			t.Errorf("%q became %q", text, twice)
		}
		if strings.Join(Split(text), ",") != text {
			t.Errorf("%q: %q", text, Split(text))
		}
	})
}
