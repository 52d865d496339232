package histories

import (
	"net/netip"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// IsLoopback is true for names that every host has for itself.
func IsLoopback(host string) bool {
	host = facts.CanonicalHost(host)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "localhost.") || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// IsAddress is true for an IP address, false for a name.
func IsAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
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
