package histories

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// sameURL compares as etcd does, but ignores case, a final slash, and the spelling of an IP address.
func sameURL(a, b string) bool { return canonicalURL(a) == canonicalURL(b) }

func canonicalURL(raw string) string {
	raw = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(raw), "/"))
	u, err := url.Parse(raw)
	if err != nil || u.Port() == "" {
		return raw
	}
	u.Host = net.JoinHostPort(canonicalHost(u.Hostname()), u.Port())
	return u.String()
}

// canonicalHost is a host's name or address in one form for comparison: an IPv6 address has many spellings.
func canonicalHost(host string) string {
	host = strings.ToLower(strings.TrimSpace(host))
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return strings.TrimSuffix(host, ".")
}

// IsLoopback is true for names that every host has for itself.
func IsLoopback(host string) bool {
	host = canonicalHost(host)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "localhost.") || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// IsAddress is true for an IP address, false for a name.
func IsAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// ShareURL is true where the lists have a URL in common.
func ShareURL(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return sameURL(x, y) })
	})
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// IsPeerURL checks a peer URL as etcd does: scheme, host and port, and nothing else, with a port up to 65535.
func IsPeerURL(raw string) bool {
	u, err := url.Parse(strings.TrimSuffix(raw, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0 && u.User == nil && u.Path+u.RawQuery+u.Fragment == ""
}

// HostsOf are the hosts in URLs, without addresses that mean any host.
func HostsOf(urls []string) []string {
	var out []string
	for _, u := range urls {
		if h := hostOf(u); h != "" && h != "0.0.0.0" && h != "::" {
			out = append(out, h)
		}
	}
	return out
}

func sameName(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// Unique drops repetitions and empty strings, and keeps the order.
func Unique(in []string) []string {
	out := []string{}
	for _, s := range in {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// SameSet compares lists that are separated by commas.
func SameSet(a, b string) bool {
	x, y := strings.Split(strings.ToLower(a), ","), strings.Split(strings.ToLower(b), ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// SortedKeys are the keys of a map, sorted.
func SortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
