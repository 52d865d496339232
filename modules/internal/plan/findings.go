package plan

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// Finding is what a look at a host found that should not stay, whether or not the cluster has quorum.
type Finding struct {
	Host   string `json:"host"`
	Code   string `json:"code"`
	Line   string `json:"line"`
	Advice string `json:"advice"`
}

// soon is how many days before its end a certificate is a finding. openshift-ansible's redeployment takes a change window.
const soon = 30

// findings lists them host by host. Health, alarms and equal data are not here: they are asked of the running cluster.
func (v *view) findings() []Finding {
	all := []Finding{}
	for _, n := range v.nodes {
		if n.isNew && n.member == nil {
			continue
		}
		for _, f := range v.findingsOn(n) {
			f.Host = n.name
			all = append(all, f)
		}
	}
	return all
}

func (v *view) findingsOn(n *node) []Finding {
	if !n.answered() {
		return []Finding{{Code: "not_looked_at", Line: "could not be looked at", Advice: "ansible " + n.name + " -i " + v.req.inventory() + " -m etcd_host_info"}}
	}
	var all []Finding
	for _, c := range n.f.Checks {
		if c.Status == "failed" {
			all = append(all, Finding{Code: c.Name, Line: c.Line, Advice: c.Advice})
		}
	}
	all = append(all, expiring(n.f.Certificates)...)
	all = append(all, v.leftBehind(n)...)
	return all
}

// expiring leaves out what has expired: that is a failed check already.
func expiring(certificates []facts.Certificate) []Finding {
	var all []Finding
	for _, c := range certificates {
		if c.Error == "" && c.ExpiresDays >= 0 && c.ExpiresDays < soon {
			all = append(all, Finding{
				Code:   "certificate_expires",
				Line:   fmt.Sprintf("%s expires in %d days, on %s", c.Path, c.ExpiresDays, c.NotAfter),
				Advice: "renew it with openshift-ansible's redeploy-etcd-certificates.yml",
			})
		}
	}
	return all
}

// leftBehind: what a forced start, a fence or an interrupted run has left, and what the chapter's own way leaves.
func (v *view) leftBehind(n *node) []Finding {
	var all []Finding
	restore := v.req.playbook("restore_quorum.yml")
	for _, f := range n.f.ForceFlags {
		line := f.Path + " still asks for --force-new-cluster: the next start drops all other members"
		if f.Where == "process" {
			line = "etcd runs with --force-new-cluster: at its next start it drops all other members"
		}
		all = append(all, Finding{Code: "force_flag", Line: line, Advice: restore + " takes it out"})
	}
	if n.f.Forcing != nil {
		all = append(all, Finding{Code: "forcing", Line: "a forced start was begun and not finished (phase " + n.f.Forcing.Phase + ")", Advice: restore + " finishes it"})
	}
	if n.f.Fenced != nil {
		all = append(all, Finding{Code: "fenced", Line: "it is fenced: " + n.f.Fenced.Why, Advice: v.req.playbook("add_hosts.yml") + " -e etcd_host=" + n.name})
	}
	if n.f.Probe == "removed" {
		all = append(all, Finding{Code: "probe", Line: "etcd's manifest has no liveness probe", Advice: restore + " puts it back"})
	}
	if want := v.initialCluster(newDecision(Nothing, "")); v.hasQuorum() && n.member != nil && n.f.Config.InitialClusterState == "existing" && !sameSet(n.f.Config.InitialCluster, want) {
		all = append(all, Finding{Code: "initial_cluster", Line: "ETCD_INITIAL_CLUSTER is not the member list, which is " + want, Advice: restore + " writes it"})
	}
	return all
}

// dates is the certificates' expiry of a host in one line.
func dates(certificates []facts.Certificate) string {
	var parts []string
	for _, c := range certificates {
		if day, _, ok := strings.Cut(c.NotAfter, "T"); ok {
			parts = append(parts, fmt.Sprintf("%s until %s", c.Purpose, day))
		}
	}
	return strings.Join(parts, ", ")
}

// checkup is what verify.yml prints of the hosts: dates of certificates, what is set aside, and the findings.
func (v *view) checkup(found []Finding) []string {
	lines := []string{}
	for _, n := range v.nodes {
		if text := dates(n.f.Certificates); n.answered() && text != "" {
			lines = append(lines, labelled("Certificate", n.name+": "+text)...)
		}
	}
	for _, n := range v.nodes {
		if len(n.f.SetAside) > 0 {
			lines = append(lines, labelled("Set aside", n.name+": "+aside(n.f.SetAside))...)
		}
	}
	for _, f := range found {
		lines = append(lines, labelled("Found", f.Host+": "+f.Line+" ["+f.Code+"]")...)
		lines = append(lines, hintLines(f.Advice)...)
	}
	return lines
}

func aside(list []facts.SetAside) string {
	var bytes int64
	for _, s := range list {
		bytes += s.Bytes
	}
	if len(list) == 1 {
		return "old data in one directory, " + size(bytes)
	}
	return fmt.Sprintf("old data in %d directories, %s", len(list), size(bytes))
}

// speaker is the host that is asked about the cluster: one with quorum, else one that runs, else one that can be reached.
func (v *view) speaker() string {
	best, rank := "", 0
	for _, n := range v.nodes {
		is := 0
		switch {
		case n.up() && n.f.Live.Quorum:
			is = 3
		case n.up():
			is = 2
		case n.answered() && (!n.isNew || n.member != nil):
			is = 1
		}
		if is > rank {
			best, rank = n.name, is
		}
	}
	return best
}
