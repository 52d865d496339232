package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// supersededRefusals: to start such data gives up the writes that were acknowledged since.
func supersededRefusals(v *View, nodes []*histories.Node, accept string) []Refusal {
	if v.Req.AcceptLoss {
		return nil
	}
	var all []Refusal
	for _, s := range LostSince(v, nodes) {
		if s.joined != "" {
			all = append(all, s.leftOut(accept))
			continue
		}
		r := Refusal{
			Code: "superseded",
			Msg:  fmt.Sprintf("%s fenced with %s as the survivor, %s: its writes since then would be given up", wording.Were(s.fenced), s.recorded, s.where()),
			Hint: fmt.Sprintf("bring %s back; if it is permanently lost and stays off, give up its writes: %s", s.recorded, accept),
		}
		if s.recorded == "" {
			r.Msg = fmt.Sprintf("%s fenced, but the survivor was not recorded: what %s acknowledged since then would be given up", wording.Were(s.fenced), s.who())
			r.Hint = fmt.Sprintf("%sif nothing was forced since, remove the fence (etcd_fence state=absent keep_data=yes on %s); if it is permanently lost and "+
				"stays off, give up its writes: %s", bringBack(v, s.May), wording.And(s.fenced), accept)
		}
		all = append(all, r)
	}
	return all
}

// bringBack names those that cannot be reached: one that is here, and whose forced start was begun, needs no bringing.
func bringBack(v *View, names []string) string {
	gone := slices.DeleteFunc(slices.Clone(names), func(name string) bool { n := v.Node(name); return n != nil && n.Answered() })
	if len(gone) == 0 && len(names) > 0 {
		return ""
	}
	if len(gone) == 0 {
		gone = []string{"another host"}
	}
	return "bring " + wording.Or(gone) + " back; "
}

// StartedAgain are hosts whose superseded data the action starts.
func StartedAgain(v *View, d *Decision) []*histories.Node {
	return v.Which(func(n *histories.Node) bool {
		return n.Superseded() && slices.ContainsFunc([]Step{StepForce, StepFinishForce, StepUnfenceKeepData, StepStartFirst, StepStart}, func(s Step) bool { return d.Has(s, n) })
	})
}

// Since is what a survivor has accepted since others were fenced for it, or dropped from its list.
type Since struct {
	Survivor *histories.Node
	recorded string   // its name in the records; "" where they do not have it
	May      []string // if recorded is "": the hosts that it may be
	fenced   []string // hosts
	joined   string   // the host whose etcd.conf shows it, where no fence does
	without  []string // if joined is set: hosts with data that its list lacks
}

// LostSince groups, by survivor, the fences that make the hosts' data superseded; then come the cases without a fence.
func LostSince(v *View, nodes []*histories.Node) []Since {
	var all []Since
	for _, f := range favours(v, nodes) {
		s := sinceFence(v, f)
		at := slices.IndexFunc(all, func(o Since) bool { return o.recorded == s.recorded })
		if at < 0 {
			at, all = len(all), append(all, s)
		}
		all[at].fenced = histories.Unique(append(all[at].fenced, f.Fenced.Name))
		all[at].May = histories.Unique(append(all[at].May, s.May...))
	}
	return append(all, joinedSince(v, nodes)...)
}

// favours are the fences that these hosts' data is superseded by, each once, in the inventory's order.
func favours(v *View, nodes []*histories.Node) (all []histories.Favour) {
	for _, fenced := range v.Nodes {
		for _, n := range nodes {
			for _, f := range n.SupersededBy {
				if f.Fenced == fenced && !slices.Contains(all, f) {
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// joinedSince are hosts that joined a cluster from which these had been dropped.
func joinedSince(v *View, nodes []*histories.Node) (all []Since) {
	for _, x := range v.Nodes {
		s := Since{May: v.JoinedWith(x), joined: x.Name}
		for _, n := range v.InOrder(nodes) {
			if slices.Contains(n.LeftOutBy, x) {
				s.without = append(s.without, n.Name)
			}
		}
		if len(s.without) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func (s Since) leftOut(accept string) Refusal {
	return Refusal{
		Code: "superseded",
		Msg: fmt.Sprintf("etcd.conf of %s shows that it was to join a cluster without %s: what %s acknowledged there would be given up",
			s.joined, wording.And(s.without), wording.Or(s.May)),
		Hint: fmt.Sprintf("bring %s back; if it is permanently lost and stays off, give up its writes: %s", wording.Or(s.May), accept),
	}
}

func sinceFence(v *View, f histories.Favour) (s Since) {
	s.Survivor, s.recorded = v.Called(f.Name), f.Name
	if s.Survivor != nil {
		s.recorded = s.Survivor.Name
	}
	if s.Survivor != f.Fenced && s.recorded != facts.UnknownSurvivor && s.recorded != "" {
		return s
	}
	s.Survivor, s.recorded = nil, ""
	gone, _ := v.MayHaveGoneOn(f.Fenced.FencedID())
	for i := range gone {
		s.May = append(s.May, v.MemberName(&gone[i]))
	}
	return s
}

// who is a name for messages.
func (s Since) who() string {
	switch {
	case s.recorded != "":
		return s.recorded
	case len(s.May) > 0:
		return wording.Or(s.May)
	}
	return "another host"
}

func (s Since) where() string {
	switch {
	case s.Survivor == nil:
		return "which is no longer in the inventory"
	case !s.Survivor.Answered():
		return "which cannot be reached"
	case !s.Survivor.HasData():
		return "which has no data"
	}
	return "which may have continued alone"
}
