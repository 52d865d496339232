package rows

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/commands"
	"etcd-quorum-restore/modules/internal/facts"
)

// Sources is what follows -i in printed commands. Package commands completes them on output.
func (r Request) Sources() string {
	if len(r.Inventory) == 0 {
		return "INVENTORY"
	}
	var quoted []string
	for _, each := range r.Inventory {
		quoted = append(quoted, commands.Quote(each))
	}
	return strings.Join(quoted, " -i ")
}

// TakeOut is the command that removes a member, whose host may no longer be in the inventory. Where the operator has chosen between two clusters,
// only the chosen one can be asked.
func (v *View) TakeOut(m *facts.ClusterMember) string {
	command := v.Req.Playbook("remove_host.yml") + " -e etcd_host=" + v.MemberName(m)
	if v.Req.Prefer != "" && v.Req.AcceptLoss {
		command += " -e etcd_survivor=" + v.Req.Prefer + " -e etcd_accept_loss=yes"
	}
	if v.HostOf(m) == nil {
		return "write " + v.MemberName(m) + " into [etcd] of the inventory again, then: " + command
	}
	return command
}

// Playbook is the command that runs one of the playbooks on this inventory.
func (r Request) Playbook(name string) string {
	return "ansible-playbook -i " + r.Sources() + " playbooks/" + name
}

// Again is the command that carries out a restore with the operator's same options.
func (r Request) Again() string { return r.With() }

// With is the same with these variables (NAME=VALUE) in addition, or in the place of those of the same name: a refusal that asks for one consent
// must not drop another.
func (r Request) With(set ...string) string {
	all := slices.DeleteFunc(r.given(), func(had string) bool {
		return slices.ContainsFunc(set, func(s string) bool { return nameOf(s) == nameOf(had) })
	})
	all = append(all, set...)
	slices.SortStableFunc(all, func(a, b string) int { return place(a) - place(b) })
	command := r.Playbook("restore_quorum.yml")
	for _, variable := range all {
		command += " -e " + variable
	}
	return command
}

func nameOf(variable string) string {
	name, _, _ := strings.Cut(variable, "=")
	return name
}

// place is that of a variable in a command; all others come first.
func place(variable string) int {
	return slices.Index([]string{"etcd_survivor", "etcd_accept_loss", "etcd_lost_hosts_off", "etcd_rejoin"}, nameOf(variable))
}

// given are the variables of a restore that the operator gave.
func (r Request) given() (all []string) {
	if r.Prefer != "" {
		all = append(all, "etcd_survivor="+r.Prefer)
	}
	if r.AcceptLoss {
		all = append(all, "etcd_accept_loss=yes")
	}
	if len(r.LostHosts) > 0 {
		all = append(all, "etcd_lost_hosts_off="+strings.Join(r.LostHosts, ","))
	}
	if !r.Rejoin {
		all = append(all, "etcd_rejoin=no")
	}
	return all
}
