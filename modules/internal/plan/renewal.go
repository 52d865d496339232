package plan

import (
	"cmp"
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// Renewal says whether, where and how certificates are renewed.
type Renewal struct {
	Refusal  string   `json:"refusal"`  // why not, with the next step; "" where they are renewed
	Hosts    []string `json:"hosts"`    // whose certificates are renewed, and whose etcd is restarted
	Serial   string   `json:"serial"`   // how many at a time: 1, or 100%
	Together bool     `json:"together"` // no member waits until the others are healthy

	Gates map[string]RenewalGate `json:"gates"` // by host

	CA      string   `json:"ca"`      // the host where the CA is extended; "" where it is replaced, or nothing is renewed
	NewCA   string   `json:"new_ca"`  // the host where it is replaced by a new one
	Members []string `json:"members"` // who is restarted for that, one after the other
}

// RenewalGate are the member IDs of which nothing is expected before and after a host's restart: those outside the quorum that are not renewed yet.
type RenewalGate struct {
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// renewalOf renews one member at a time where there is quorum: each restart waits until all members are healthy. Where expired certificates may
// be the reason for no quorum, nobody has to choose a survivor: all members get new ones and are restarted together, each with its data.
func renewalOf(v *rows.View, d *rows.Decision) Renewal {
	r := Renewal{Hosts: []string{}, Serial: "1", Gates: map[string]RenewalGate{}, Members: []string{}}
	restore := v.Req.Playbook("restore_quorum.yml")
	begun := v.Which(func(n *histories.Node) bool {
		return n.Fenced() || n.Superseded() || n.ForcedTail() || n.Answered() && (n.Facts.Forcing != nil || n.Facts.Restoring != nil || len(n.Facts.ForceFlags) > 0)
	})
	switch {
	case v.Req.RenewCA || v.CARenewalHost() != "":
		return newCA(v, r)
	case rows.CAHost(v) == "":
		r.Refusal = fmt.Sprintf("no host that answers has the CA's key (ca/ca.key beside etcd.conf), or a copy of it, so nothing can be issued; nothing was changed. "+
			"Next: put a backup of /etc/etcd of the first host of [etcd] into /backup of a host of etcd, then: %s. "+
			"Where there is none, a new CA is the way: %[1]s -e etcd_renew_ca=yes", v.Req.Playbook("renew_certificates.yml"))
	case v.HasQuorum():
		r.Hosts, r.Gates = oneByOne(v)
	case len(begun) > 0:
		r.Refusal = fmt.Sprintf("%s. A restore has begun: there is a fence, or a trace of a forced start, on %s; nothing was changed. Next: %s", d.Reason, wording.And(histories.Names(begun)), restore)
	case !slices.ContainsFunc(v.Nodes, func(n *histories.Node) bool { return hasExpired(n) || isForOthers(n) || restartIsDue(n) }):
		r.Refusal = fmt.Sprintf("%s. No certificate has expired, and each names its host, so certificates are not the cause; nothing was changed. Next: %s", d.Reason, restore)
	default:
		r.Serial, r.Together = "100%", true
		r.Hosts = histories.Names(v.Which(func(n *histories.Node) bool { return n.Answered() && n.HasData() && n.Facts.Enabled }))
	}
	if r.Refusal == "" {
		r.CA = rows.CAHost(v)
	}
	return r
}

// newCA needs every member: one that trusts the old CA alone would be left out when certificates of the new one come.
func newCA(v *rows.View, r Renewal) Renewal {
	again := v.Req.Playbook("renew_certificates.yml") + " -e etcd_renew_ca=yes"
	away := v.Which(func(n *histories.Node) bool { return !n.IsNew && !slices.Contains(v.Quorum, n) })
	switch {
	case !v.HasQuorum():
		r.Refusal = fmt.Sprintf("a new CA is made known member by member, and there is no quorum; nothing was changed. Next: %s, then: %s", v.Req.Playbook("restore_quorum.yml"), again)
		return r
	case len(away) > 0:
		r.Refusal = fmt.Sprintf("%s would not trust the new CA: no healthy member runs there; nothing was changed. Next: bring it back, %s, or take it out, %s. Then: %s",
			wording.And(histories.Names(away)), v.Req.Playbook("restore_quorum.yml"), v.Req.Playbook("remove_host.yml")+" -e etcd_host="+away[0].Name, again)
		return r
	}
	r.NewCA = cmp.Or(v.CARenewalHost(), rows.CAHost(v), v.Quorum[0].Name)
	r.Members = histories.Names(v.Which(func(n *histories.Node) bool { return slices.Contains(v.Quorum, n) }))
	return r
}

// oneByOne begins with the hosts outside the quorum: their certificates may be why, and no other member is restarted without them.
func oneByOne(v *rows.View) ([]string, map[string]RenewalGate) {
	outside := v.Which(func(n *histories.Node) bool { return !n.IsNew && !slices.Contains(v.Quorum, n) })
	inside := v.Which(func(n *histories.Node) bool { return !n.IsNew && slices.Contains(v.Quorum, n) })
	gates := map[string]RenewalGate{}
	for i, n := range outside {
		gates[n.Name] = RenewalGate{Before: idsOf(outside[i:]), After: idsOf(outside[i+1:])}
	}
	for _, n := range inside {
		gates[n.Name] = RenewalGate{Before: []string{}, After: []string{}}
	}
	return append(histories.Names(outside), histories.Names(inside)...), gates
}

func idsOf(nodes []*histories.Node) []string {
	ids := []string{}
	for _, n := range nodes {
		if n.Member != nil {
			ids = append(ids, n.Member.ID.String())
		}
	}
	return ids
}

// isForOthers: a certificate lacks an address or a name of its host, as after a move.
func isForOthers(n *histories.Node) bool {
	return n.Answered() && slices.ContainsFunc(n.Facts.Certificates, func(c facts.Certificate) bool { return c.Error == "" && len(c.MissingHosts) > 0 })
}

// restartIsDue: a renewal was killed between the CA's file and the restart.
func restartIsDue(n *histories.Node) bool {
	return n.Answered() && slices.ContainsFunc(n.Facts.Checks, func(c facts.Check) bool { return c.Name == "ca_restart" && c.Status == "failed" })
}

// hasExpired ignores the further certificates of a bundle: the old CA's may have ended without harm.
func hasExpired(n *histories.Node) bool {
	return n.Answered() && slices.ContainsFunc(n.Facts.Certificates, func(c facts.Certificate) bool { return c.Error == "" && c.ExpiresDays < 0 && c.Position < 2 })
}
