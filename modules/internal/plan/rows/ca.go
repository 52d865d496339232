package rows

import "slices"

// bringCA puts the CA's directory back where its host is gone: new hosts need certificates, and once the dead host has left the group,
// openshift-ansible's scaleup makes another CA on the first host that it finds without one.
func bringCA(v *View, d *Decision) {
	if d.changesGroup() {
		d.give(StepBringCA, v.Node(v.CACopyHost()))
	}
}

// changesGroup is true where hosts leave the inventory's group or are taken into it.
func (d *Decision) changesGroup() bool {
	return d.Acts() && d.Action != Fence && d.Action != Undo && len(d.Out)+len(d.Work[StepTakeIn]) > 0
}

// CAFirst is the CA's host where it has to become the first of the group, for openshift-ansible has the CA there: all before it leave, or have no
// key. A host that is only out of reach may have one, so it keeps its place. An order that works is left as it is until the group changes.
func CAFirst(v *View, d *Decision) string {
	host := CAHost(v)
	if !d.changesGroup() && v.CACopyHost() == "" {
		return ""
	}
	for i, n := range v.Nodes {
		switch {
		case n.Name == host && (n.IsNew || i == 0):
			return ""
		case n.Name == host:
			return host
		case n.Answered() && !n.Facts.CAKey || slices.Contains(d.Out, n.Name):
		default:
			return ""
		}
	}
	return ""
}

// CAHost has the CA's key, or a copy that is put back before somebody needs it.
func CAHost(v *View) string {
	if host := v.CAHost(); host != "" {
		return host
	}
	return v.CACopyHost()
}
