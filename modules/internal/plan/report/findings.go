package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// Finding is a problem on a host that should not stay, whether or not the cluster has quorum.
type Finding struct {
	Host   string `json:"host"`
	Code   string `json:"code"`
	Line   string `json:"line"`
	Advice string `json:"advice"`
}

// soon is how many days before its end a certificate becomes a finding. A renewal needs a change window, and the CA ends together with all
// others.
const soon = 60

// findings lists them by host. Health, alarms and equal data are not here: the running cluster is asked for those.
func findings(v *rows.View) []Finding {
	all := []Finding{}
	for _, n := range v.Nodes {
		if n.IsNew && n.Member == nil {
			continue
		}
		for _, f := range findingsOn(v, n) {
			f.Host = n.Name
			all = append(all, f)
		}
	}
	return append(append(all, withoutHost(v)...), brokenClients(v)...)
}

// brokenClients are masters and nodes whose files cannot be edited, or whose API could not be restarted, as the first look found.
func brokenClients(v *rows.View) []Finding {
	var all []Finding
	for _, name := range histories.SortedKeys(v.Req.ClientsBroken) {
		c := v.Req.ClientsBroken[name]
		all = append(all, Finding{Host: name, Code: "client_broken", Line: c.Msg, Advice: cmp.Or(c.Hint, "fix it, then run: "+v.Req.Playbook("restore_quorum.yml"))})
	}
	return all
}

// withoutHost are the members that the inventory does not know.
func withoutHost(v *rows.View) []Finding {
	var all []Finding
	for i := range v.Members {
		m := &v.Members[i]
		if !v.HasQuorum() || v.HostOf(m) != nil {
			continue
		}
		all = append(all, Finding{
			Host: v.MemberName(m), Code: "member_without_host",
			Line: fmt.Sprintf("member %s (%s) has no host in the inventory's groups of etcd", m.ID, strings.Join(m.PeerURLs, ", ")),
			Advice: fmt.Sprintf("put its host into the group, or remove the member: ansible %s -i %s -m etcd_member -a 'state=absent id=%s'",
				v.Quorum[0].Name, v.Req.Sources(), m.ID),
		})
	}
	return all
}

// misplaced is a host about which the inventory and the cluster that has quorum disagree.
func misplaced(v *rows.View, n *histories.Node) []Finding {
	switch {
	case !v.HasQuorum(), n.IsNew == (n.Member == nil):
		return nil
	case n.IsNew:
		return []Finding{{Code: "member_is_new", Line: "it is a member, but the inventory has it among the hosts to be added (new_etcd)",
			Advice: v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + n.Name}}
	}
	return []Finding{{Code: "no_member", Line: "it is not a member, but the inventory has it among the members (etcd)",
		Advice: "move its line to new_etcd, or remove it from the group; to add it: " + v.Req.Playbook("restore_quorum.yml")}}
}

func findingsOn(v *rows.View, n *histories.Node) []Finding {
	if !n.Answered() {
		return []Finding{{Code: "not_looked_at", Line: "could not be inspected", Advice: "ansible " + n.Name + " -i " + v.Req.Sources() + " -m etcd_host_info"}}
	}
	all := misplaced(v, n)
	for _, c := range n.Facts.Checks {
		if c.Status == "failed" {
			all = append(all, Finding{Code: c.Name, Line: c.Line, Advice: c.Advice})
		}
	}
	all = append(all, expiring(v, n.Facts.Certificates)...)
	all = append(all, leftBehind(v, n)...)
	return all
}

// expiring leaves out expired certificates, which are failed checks already, except for the further ones of a bundle: they have no check, since
// the old CA of a bundle may have ended without harm.
func expiring(v *rows.View, certificates []facts.Certificate) []Finding {
	var all []Finding
	for _, c := range certificates {
		switch {
		case c.Error != "":
		case c.ExpiresDays < 0 && c.Position > 1:
			all = append(all, Finding{
				Code:   "certificate_expired",
				Line:   fmt.Sprintf("%s, certificate %d (%s), expired on %s: what it has issued is refused", c.Path, c.Position, c.Subject, c.NotAfter),
				Advice: "when no certificate that it has issued is in use, remove it from " + c.Path,
			})
		case c.ExpiresDays >= 0 && c.ExpiresDays < soon:
			all = append(all, Finding{
				Code:   "certificate_expires",
				Line:   fmt.Sprintf("%s expires in %d days, on %s", nameOf(c), c.ExpiresDays, c.NotAfter),
				Advice: renewal(v, c),
			})
		}
	}
	return all
}

// renewal is the advice: renew_certificates.yml needs the CA's key, and needs quorum unless a certificate has expired.
func renewal(v *rows.View, c facts.Certificate) string {
	if !v.HasQuorum() || rows.CAHost(v) == "" {
		return c.Reissue()
	}
	return v.Req.Playbook("renew_certificates.yml")
}

// nameOf distinguishes the certificates of a bundle.
func nameOf(c facts.Certificate) string {
	if c.Position > 1 {
		return fmt.Sprintf("%s, certificate %d (%s),", c.Path, c.Position, c.Subject)
	}
	return c.Path
}

// leftBehind is what a forced start, a fence or an interrupted run has left, and what the chapter's own procedure leaves.
func leftBehind(v *rows.View, n *histories.Node) []Finding {
	var all []Finding
	restore := v.Req.Playbook("restore_quorum.yml")
	for _, f := range n.Facts.ForceFlags {
		line := f.Path + " still asks for --force-new-cluster: the next start drops all other members"
		if f.Where == "process" {
			line = "etcd runs with --force-new-cluster: at its next start it drops all other members"
		}
		all = append(all, Finding{Code: "force_flag", Line: line, Advice: "to remove it: " + restore})
	}
	if stage := n.Facts.CARenewal; stage != "" { // no check: it is no reason against a restore, and without quorum it cannot go on
		all = append(all, Finding{Code: "ca_renewal", Line: "etcd's CA is being replaced by a new one, and is in stage " + stage,
			Advice: "to finish it: " + v.Req.Playbook("renew_certificates.yml")})
	}
	if n.Facts.Forcing != nil {
		all = append(all, Finding{Code: "forcing", Line: "a forced start was begun and not finished (phase " + n.Facts.Forcing.Phase + ")", Advice: "to finish it: " + restore})
	}
	if n.Facts.Fenced != nil {
		all = append(all, Finding{Code: "fenced", Line: "it is fenced: " + n.Facts.Fenced.Why, Advice: v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + n.Name})
	}
	if left := n.Facts.ClientsLeft; left != nil {
		what := append(slices.Clone(left.Restart), "lists of URLs")
		if len(left.Remove) == 0 {
			what = left.Restart
		}
		all = append(all, Finding{Code: "clients_left", Line: "an earlier run did not finish these clients of etcd: " + wording.And(what), Advice: "to finish it: " + restore})
	}
	if n.Facts.MovedFrom != "" && v.HasQuorum() {
		all = append(all, Finding{Code: "moved", Line: "the member list has it at " + n.Facts.MovedFrom + ", which this host does not have: no other member reaches it there",
			Advice: v.Req.Playbook("readdress.yml") + " -e etcd_host=" + n.Name})
	}
	if n.Facts.Probe == "removed" {
		all = append(all, Finding{Code: "probe", Line: "etcd's manifest has no liveness probe", Advice: "to put it back: " + restore})
	}
	return append(all, initialCluster(v, n)...)
}

// initialCluster finds a list that is out of date: etcd reads the list when it starts without data, and would then look for members that are
// gone. restore_quorum.yml does not change a list that the installation wrote.
func initialCluster(v *rows.View, n *histories.Node) []Finding {
	listed, want := n.Facts.Config.InitialCluster, rows.InitialCluster(v, rows.NewDecision(rows.Nothing, ""))
	if !v.HasQuorum() || n.Member == nil || listed == "" || histories.SameSet(listed, want) {
		return nil
	}
	return []Finding{{
		Code:   "initial_cluster",
		Line:   fmt.Sprintf("%s: ETCD_INITIAL_CLUSTER is %s, and the member list %s", n.Facts.Config.Path, listed, want),
		Advice: fmt.Sprintf("ansible %s -i %s -m etcd_config -a 'initial_cluster=%s'", n.Name, v.Req.Sources(), want),
	}}
}

// dates is the expiry of a host's certificates in one line.
func dates(certificates []facts.Certificate) string {
	var parts []string
	for _, c := range certificates {
		if day, _, ok := strings.Cut(c.NotAfter, "T"); ok {
			parts = append(parts, fmt.Sprintf("%s until %s", c.Purpose, day))
		}
	}
	return strings.Join(parts, ", ")
}

// certificate is one certificate in one line, with all that an operator compares.
func certificate(c facts.Certificate) string {
	if c.Error != "" {
		return fmt.Sprintf("%s: %s", c.Path, c.Error)
	}
	parts := []string{fmt.Sprintf("%d days left", c.ExpiresDays)}
	if c.ExpiresDays < 0 {
		parts[0] = "expired on " + c.NotAfter
	}
	if c.Purpose != "ca" {
		usages := strings.Join(c.Usages, " and ")
		if usages == "" {
			usages = "any use"
		}
		parts = append(parts, usages, "for "+strings.Join(c.SANs, ", "))
	}
	if len(c.MissingHosts) > 0 {
		parts = append(parts, "NOT for "+strings.Join(c.MissingHosts, ", "))
	}
	name := c.Path
	if c.Purpose == "ca" {
		name = fmt.Sprintf("%s (%d)", c.Path, c.Position)
	}
	return fmt.Sprintf("%s %s: %s; issuer %s", name, c.Subject, strings.Join(parts, "; "), c.Issuer)
}

func caKeys(v *rows.View) []string {
	var have []string
	seen := false
	for _, n := range v.Nodes {
		seen = seen || n.Answered() && len(n.Facts.Certificates) > 0
		if n.Answered() && n.Facts.CAKey {
			have = append(have, n.Name)
		}
	}
	switch {
	case !seen:
		return nil
	case v.CACopyHost() != "":
		return wording.Labelled("CA's key", fmt.Sprintf("on no host that answers; %s has a copy of it: %s", v.CACopyHost(), v.Node(v.CACopyHost()).Facts.CACopy))
	case len(have) == 0:
		return wording.Labelled("CA's key", "on no host that answers: without it nothing can be renewed")
	}
	return wording.Labelled("CA's key", "on "+strings.Join(have, ", "))
}

// checkup is what verify.yml prints about the hosts: dates of certificates, data that is set aside, and the findings.
func checkup(v *rows.View, found []Finding) []string {
	lines := []string{}
	for _, n := range v.Nodes {
		if text := dates(n.Facts.Certificates); n.Answered() && text != "" {
			lines = append(lines, wording.Labelled("Certificate", n.Name+": "+text)...)
			for _, c := range n.Facts.Certificates {
				lines = append(lines, wording.Labelled("", certificate(c))...)
			}
		}
	}
	lines = append(lines, caKeys(v)...)
	for _, n := range v.Nodes {
		if len(n.Facts.SetAside) > 0 {
			lines = append(lines, wording.Labelled("Set aside", n.Name+": "+aside(n.Facts.SetAside))...)
		}
	}
	for i, f := range found {
		lines = append(lines, wording.Labelled("Found", f.Host+": "+f.Line+" ["+f.Code+"]")...)
		if i+1 == len(found) || found[i+1].Advice != f.Advice {
			lines = append(lines, hintLines(f.Advice)...)
		}
	}
	return lines
}

func aside(list []facts.SetAside) string {
	var bytes int64
	for _, s := range list {
		bytes += s.Bytes
	}
	if len(list) == 1 {
		return "old data in one directory, " + wording.Size(bytes)
	}
	return fmt.Sprintf("old data in %d directories, %s", len(list), wording.Size(bytes))
}
