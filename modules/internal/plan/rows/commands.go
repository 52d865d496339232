package rows

import (
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
func (r Request) Again() string {
	return r.Playbook("restore_quorum.yml") + given(r.Prefer != "", "etcd_survivor="+r.Prefer) + given(r.AcceptLoss, "etcd_accept_loss=yes") + r.LostHostsOption() +
		given(!r.Rejoin, "etcd_rejoin=no")
}

func given(yes bool, variable string) string {
	if !yes {
		return ""
	}
	return " -e " + variable
}
