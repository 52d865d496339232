package host

import (
	"slices"
	"strings"
)

// OtherPeerURLs are the peer URLs of ETCD_INITIAL_CLUSTER that are not this host's own.
func (h *Host) OtherPeerURLs() []string {
	var out []string
	for _, pair := range list(h.Config.InitialCluster) {
		name, url, ok := strings.Cut(pair, "=")
		if ok && name != h.Config.Name && !slices.Contains(h.Config.PeerURLs, url) {
			out = append(out, url)
		}
	}
	return out
}
