package plan

import "strings"

// inventory is what follows -i in the commands that are printed.
func (r Request) inventory() string {
	if len(r.Inventory) == 0 {
		return "INVENTORY"
	}
	return strings.Join(r.Inventory, " -i ")
}

func (r Request) playbook(name string) string {
	return "ansible-playbook -i " + r.inventory() + " playbooks/" + name
}
