package rotation

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"etcd-quorum-restore/modules/internal/opensslca"
)

// Host is what etcd_ca state=readers returned on a host, or that nobody reached it.
type Host struct {
	Unreachable  bool          `json:"unreachable"`
	Failed       bool          `json:"failed"`
	Msg          string        `json:"msg"`
	Trusts       []Trusted     `json:"trusts"`
	Certificates []Certificate `json:"shows"`
	Restart      []string      `json:"restart"`
}

// Trusted is a CA file of a reader (etcd, master or flannel), with the identities of the CAs in it.
type Trusted struct {
	Reader string   `json:"reader"`
	Path   string   `json:"path"`
	CAs    []string `json:"cas"`
}

// Certificate is one that a reader shows, with the identity of the CA that signed it; "" for one that its CA file does not have.
type Certificate struct {
	Reader string `json:"reader"`
	Path   string `json:"path"`
	CA     string `json:"ca"`
}

// Blockers says for each host why the rotation cannot leave its stage yet. A node out of reach counts only where nodes that answer have flannel:
// without it a node does not speak to etcd.
func (r *Rotation) Blockers(hosts map[string]Host, nodes []string) []string {
	flannel := false
	for _, h := range hosts {
		flannel = flannel || slices.ContainsFunc(h.Trusts, func(t Trusted) bool { return t.Reader == "flannel" })
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[name]
		switch {
		case h.Unreachable && slices.Contains(nodes, name) && !flannel:
		case h.Unreachable:
			all = append(all, name+" is out of reach")
		case h.Failed:
			all = append(all, name+": "+h.Msg)
		default:
			for _, why := range r.lacks(h) {
				all = append(all, name+": "+why)
			}
		}
	}
	return all
}

func (r *Rotation) lacks(h Host) (all []string) {
	for _, t := range h.Trusts {
		switch {
		case !slices.Contains(t.CAs, opensslca.Identity(r.Cert)):
			all = append(all, fmt.Sprintf("%s, the CA file of %s, lacks the new CA", t.Path, t.Reader))
		case r.drops(t.Reader) && r.hasOld(t.CAs):
			all = append(all, fmt.Sprintf("%s, the CA file of %s, still has the old CA", t.Path, t.Reader))
		}
	}
	for _, reader := range h.Restart {
		if r.Stage != Clients || reader != "etcd" {
			all = append(all, reader+" was not restarted since its CA file was changed")
		}
	}
	for _, c := range h.Certificates {
		if r.Stage != Trust && c.CA != opensslca.Identity(r.Cert) {
			all = append(all, fmt.Sprintf("%s, of %s, is not signed by the new CA", c.Path, c.Reader))
		}
	}
	return all
}

// drops is true for a reader that stops trusting the old CA in this stage.
func (r *Rotation) drops(reader string) bool {
	return r.Stage == Members || r.Stage == Clients && reader != "etcd"
}

func (r *Rotation) hasOld(ids []string) bool {
	return slices.ContainsFunc(r.Old, func(c *x509.Certificate) bool { return slices.Contains(ids, opensslca.Identity(c)) })
}
