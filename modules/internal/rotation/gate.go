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
	Others       Bystanders    `json:"others"`
}

// Bystanders use a master's files for etcd, and are the platform's to restart. Catalog: its API server runs since before the files were changed.
// Calico: it is here, with copies of the files in a secret that nobody but the API shows.
type Bystanders struct {
	Catalog bool `json:"catalog"`
	Calico  bool `json:"calico"`
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
// without it a node does not speak to etcd. Secret is the stage for which somebody has made calico's secret anew.
func (r *Rotation) Blockers(hosts map[string]Host, nodes []string, secret string) []string {
	flannel, calico := false, false
	for _, h := range hosts {
		calico = calico || h.Others.Calico
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
	if calico && r.before(Clients) && secret != r.next() {
		all = append(all, fmt.Sprintf("calico has copies of a master's files; on a master run: %s; then run renew_certificates.yml with -e etcd_calico_secret=%s", calicosSecret, r.next()))
	}
	return all
}

// Commands for what openshift-ansible makes in its roles openshift_service_catalog and calico.
const (
	catalogsPods  = "oc -n kube-service-catalog delete pods -l app=apiserver"
	calicosSecret = "oc -n kube-system create secret generic calico-etcd-secrets --from-file=etcd-ca=/etc/origin/master/master.etcd-ca.crt " +
		"--from-file=etcd-cert=/etc/origin/master/master.etcd-client.crt --from-file=etcd-key=/etc/origin/master/master.etcd-client.key " +
		"--dry-run -o yaml | oc replace -f - && oc -n kube-system delete pods -l k8s-app=calico-node"
)

// before is true in a stage that comes before the given one.
func (r *Rotation) before(stage string) bool {
	return slices.Index(Stages, r.Stage) < slices.Index(Stages, stage)
}

func (r *Rotation) next() string { return Stages[slices.Index(Stages, r.Stage)+1] }

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
	if h.Others.Catalog && r.before(Clients) {
		all = append(all, "the service catalog's API server runs since before the master's files were changed; restart it: "+catalogsPods)
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
