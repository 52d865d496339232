package facts

import "strings"

// Listed is an entry of ETCD_INITIAL_CLUSTER. A member with several peer URLs has several entries.
type Listed struct{ Name, URL string }

// ParseInitialCluster skips what is not NAME=URL: facts are needed of a host with an odd file too. An editor of the list reads it with
// hosturl.ParseMembers, which refuses that.
func ParseInitialCluster(text string) []Listed {
	var out []Listed
	for _, part := range strings.Split(text, ",") {
		if name, url, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			out = append(out, Listed{Name: name, URL: url})
		}
	}
	return out
}

// JoinInitialCluster is the text of ETCD_INITIAL_CLUSTER.
func JoinInitialCluster(list []Listed) string {
	var parts []string
	for _, each := range list {
		parts = append(parts, each.Name+"="+each.URL)
	}
	return strings.Join(parts, ",")
}

// ListedAs is the list of a member's entries.
func ListedAs(name string, peerURLs []string) []Listed {
	var out []Listed
	for _, url := range peerURLs {
		out = append(out, Listed{Name: name, URL: url})
	}
	return out
}
