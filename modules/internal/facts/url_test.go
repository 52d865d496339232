package facts

import "testing"

func TestSameURL(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"the same":                   {"https://etcd-0:2380", "https://etcd-0:2380", true},
		"capitals, a final slash":    {"HTTPS://Etcd-0.example.com:2380/", "https://etcd-0.example.com:2380", true},
		"a final dot":                {"https://etcd-0.example.com.:2380", "https://etcd-0.example.com:2380", true},
		"IPv6, spelled out":          {"https://[2001:db8:0:0:0:0:0:1]:2380", "https://[2001:DB8::1]:2380", true},
		"IPv4 in IPv6":               {"https://[::ffff:192.0.2.1]:2380", "https://192.0.2.1:2380", true},
		"space around":               {" https://etcd-0:2380", "https://etcd-0:2380 ", true},
		"the port of https":          {"https://etcd-0", "https://etcd-0:443", true},
		"the port of http":           {"http://[2001:db8::1]:80/", "http://[2001:db8::0:1]", true},
		"another port":               {"https://etcd-0:2379", "https://etcd-0:2380", false},
		"another scheme":             {"http://etcd-0:2380", "https://etcd-0:2380", false},
		"another host":               {"https://etcd-0:2380", "https://etcd-1:2380", false},
		"a name that begins alike":   {"https://etcd-0:2380", "https://etcd-0.example.com:2380", false},
		"a socket":                   {"unix:///run/etcd.sock", "unix:///run/etcd.sock", true},
		"no URL":                     {"https://a b:1", "https://a b:1", true},
		"no URL, and another one":    {"https://a b:1", "https://a b:2", false},
		"nothing":                    {"", "https://etcd-0:2380", false},
		"a user that is not a host":  {"https://x@etcd-0:2380", "https://etcd-0:2380", false},
		"IPv6 without its brackets":  {"https://2001:db8::1:2380", "https://[2001:db8::1]:2380", false},
		"a query is part of the URL": {"https://etcd-0:2380?a=1", "https://etcd-0:2380", false},
	} {
		if SameURL(c.a, c.b) != c.want || SameURL(c.b, c.a) != c.want {
			t.Errorf("%s: %q and %q: expected %v", name, c.a, c.b, c.want)
		}
	}
}

func TestListsOfURLs(t *testing.T) {
	two, turned := []string{"https://a:1", "https://[2001:db8::1]:1"}, []string{"https://[2001:DB8:0::1]:1", "https://A:1"}
	other := []string{"https://a:1", "https://a:1"}
	switch {
	case !SameURLs(two, turned) || !SameURLs(nil, nil):
		t.Error("the same URLs, in another order and spelling")
	case SameURLs(two, two[:1]) || SameURLs(two, other) || SameURLs(other, two):
		t.Error("not the same URLs")
	case !ShareURL(two[1:], turned) || ShareURL(two[1:], other) || ShareURL(nil, two):
		t.Error("a URL in common")
	}
}
