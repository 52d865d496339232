package plan

import (
	"net/url"
	"slices"
	"strings"
)

// sameURL compares as etcd does, apart from letters' case and a final slash.
func sameURL(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(a), "/"), strings.TrimSuffix(strings.TrimSpace(b), "/"))
}

func shareURL(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return sameURL(x, y) })
	})
}

// id brings an ID into the one form that is compared: lower case, no 0x, no leading zeros. An ID of zero is no ID.
func id(s string) string {
	return strings.TrimLeft(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "0x"), "0")
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func hostsOf(urls []string) []string {
	var out []string
	for _, u := range urls {
		if h := hostOf(u); h != "" && h != "0.0.0.0" && h != "::" {
			out = append(out, h)
		}
	}
	return out
}

func sameName(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// unique drops repetitions and empty strings, and keeps the order.
func unique(in []string) []string {
	out := []string{}
	for _, s := range in {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// sameSet compares lists that are separated by commas.
func sameSet(a, b string) bool {
	x, y := strings.Split(strings.ToLower(a), ","), strings.Split(strings.ToLower(b), ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// and joins names for a sentence: "a", "a and b", "a, b and c".
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
