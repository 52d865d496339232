package facts

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// SameURL compares the URLs of members: case, a final slash, the spelling of an IP address and a port that the scheme implies make no difference.
// etcd itself compares the text, so a list that etcd reads keeps the text.
func SameURL(a, b string) bool { return CanonicalURL(a) == CanonicalURL(b) }

// HasURL is true where a list has a URL, in any spelling.
func HasURL(urls []string, url string) bool {
	return slices.ContainsFunc(urls, func(each string) bool { return SameURL(each, url) })
}

// ShareURL is true where the lists have a URL in common.
func ShareURL(a, b []string) bool {
	return slices.ContainsFunc(a, func(url string) bool { return HasURL(b, url) })
}

// SameURLs is true where the lists have the same URLs, in any order.
func SameURLs(a, b []string) bool { return len(a) == len(b) && covers(a, b) && covers(b, a) }

func covers(a, b []string) bool {
	return !slices.ContainsFunc(b, func(url string) bool { return !HasURL(a, url) })
}

// CanonicalURL is a URL in one form for comparison.
func CanonicalURL(raw string) string {
	raw = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(raw), "/"))
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if u.Host = CanonicalHost(u.Hostname()); port != "" {
		u.Host = net.JoinHostPort(u.Host, port)
	}
	return u.String()
}

// CanonicalHost is a host's name or address in one form for comparison: an IPv6 address has many spellings.
func CanonicalHost(host string) string {
	host = strings.ToLower(strings.TrimSpace(host))
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return strings.TrimSuffix(host, ".")
}
