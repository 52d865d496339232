package host

import (
	"etcd-quorum-restore/modules/internal/facts"
)

// OtherPeerURLs are the peer URLs of ETCD_INITIAL_CLUSTER that are not this host's own.
func (h *Host) OtherPeerURLs() []string {
	var out []string
	for _, m := range facts.ParseInitialCluster(h.Config.InitialCluster) {
		if m.Name != h.Config.Name && !facts.HasURL(h.Config.PeerURLs, m.URL) {
			out = append(out, m.URL)
		}
	}
	return out
}
