package hosturl

import (
	"encoding/json"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/login"
)

// ParseMembers reads name=url,name=url. Blanks around an entry are not part of it.
func ParseMembers(text string) ([]facts.Listed, error) {
	var out []facts.Listed
	for _, part := range login.Split(text) {
		name, listed, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t\"'\\") {
			return nil, fault.New(fault.Invalid, "expected a list of members NAME=URL,NAME=URL, found %q in %q", part, text)
		}
		if err := CheckURL(listed); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "member %s", name)
		}
		out = append(out, facts.Listed{Name: name, URL: listed})
	}
	return out, nil
}

// ParseMemberArgument reads the elements of an argument: "name=url" or {name, peer_urls}.
func ParseMemberArgument(argument string, raw []json.RawMessage) ([]facts.Listed, error) {
	var out []facts.Listed
	for _, each := range raw {
		members, err := parseMember(each)
		if err != nil {
			return nil, fault.New(fault.Invalid, "argument %s: expected NAME=URL or {name: …, peer_urls: […]}, found %s (%v)", argument, each, err)
		}
		out = append(out, members...)
	}
	return out, distinct(out)
}

func parseMember(raw json.RawMessage) ([]facts.Listed, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		return ParseMembers(text)
	}
	var m struct {
		Name string   `json:"name"`
		URLs peerURLs `json:"peer_urls"`
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if len(m.URLs) == 0 {
		return nil, fault.New(fault.Invalid, "no peer_urls")
	}
	return ParseMembers(facts.JoinInitialCluster(facts.ListedAs(m.Name, m.URLs)))
}

// peerURLs is a list, or one text with commas, as in ETCD_INITIAL_ADVERTISE_PEER_URLS.
type peerURLs []string

func (p *peerURLs) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err == nil {
		*p = login.Split(text)
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(p))
}

// AddMembers gives each named member exactly the given URLs: in its place if it is listed, else at the end.
func AddMembers(listed, add []facts.Listed) ([]facts.Listed, error) {
	out := slices.Clone(listed)
	for name, urls := range byName(add) {
		if slices.Equal(byName(out)[name], urls) {
			continue
		}
		at := slices.IndexFunc(out, func(m facts.Listed) bool { return m.Name == name })
		out = slices.DeleteFunc(out, func(m facts.Listed) bool { return m.Name == name })
		if at < 0 {
			continue // new ones follow below, in the order given
		}
		for i, each := range urls {
			out = slices.Insert(out, at+i, facts.Listed{Name: name, URL: each})
		}
	}
	for _, m := range add {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, distinct(out)
}

// ExactMembers is the list want, in the order of those that are listed already: order means nothing to etcd, and a file that differs only in it
// needs no edit.
func ExactMembers(listed, want []facts.Listed) ([]facts.Listed, error) {
	out := slices.DeleteFunc(slices.Clone(listed), func(m facts.Listed) bool { return !slices.Contains(want, m) })
	for _, m := range want {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, distinct(out)
}

func byName(members []facts.Listed) map[string][]string {
	out := map[string][]string{}
	for _, m := range members {
		out[m.Name] = append(out[m.Name], m.URL)
	}
	return out
}

// distinct refuses one URL for two members: etcd does not start with such a list.
func distinct(members []facts.Listed) error {
	for i, m := range members {
		for _, other := range members[:i] {
			if m == other {
				return fault.New(fault.Invalid, "%s=%s is listed twice", m.Name, m.URL)
			}
			if sameURL(m.URL, other.URL) {
				return fault.New(fault.Refused, "%s is the peer URL of two members, %s and %s; nothing was changed", m.URL, other.Name, m.Name).
					WithHint("remove the one that is gone in the same call: initial_cluster_remove=%s", other.Name)
			}
		}
	}
	return nil
}

func sameURL(a, b string) bool {
	hostA, portA := split(a)
	hostB, portB := split(b)
	return hostA == hostB && portA == portB
}

// RemoveMembers removes the members with a host's name or alias, or with a URL of that host. A member goes with all its URLs.
func RemoveMembers(listed []facts.Listed, remove []Host) (left []facts.Listed, unmatched []string) {
	left, unmatched = slices.Clone(listed), []string{}
	for _, h := range remove {
		gone := map[string]bool{}
		for _, m := range listed {
			if h.Matches(m.URL) || m.Name == h.Name || slices.Contains(h.Aliases, m.Name) {
				gone[m.Name] = true
			}
		}
		if len(gone) == 0 {
			unmatched = append(unmatched, h.Name)
		}
		left = slices.DeleteFunc(left, func(m facts.Listed) bool { return gone[m.Name] })
	}
	return left, unmatched
}
