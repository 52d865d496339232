package rows

import "slices"

// changedMeanwhile refuses where the plan has changed while it waited for an answer: that can take hours, and hosts come back meanwhile.
func changedMeanwhile(v *View, d *Decision) *Decision {
	then := v.Req.Decided
	if more := givesUpMore(v, d); more != nil && d.Acts() {
		return refuse(Refusal{
			Code: "changed_meanwhile",
			Msg:  "more would be given up now than was confirmed: " + more.Text,
			Hint: "recompute the plan: " + v.Req.Again(),
		})
	}
	if then.Action == "" || d.Action == Refuse || then.Action == d.Action && (d.Survivor == nil || then.Survivor == d.Survivor.Name) {
		return nil
	}
	return refuse(Refusal{
		Code: "changed_meanwhile",
		Msg:  "the cluster has changed since the plan was confirmed: " + d.Reason,
		Hint: "recompute the plan: " + v.Req.Again(),
	})
}

// givesUpMore is what is given up beyond what was named in the question: a consent, or an answer, covers no more than that. Where another action
// may follow by itself, as after a copy that could not be read in full, the gates ask for a missing consent.
func givesUpMore(v *View, d *Decision) *Discarded {
	then := v.Req.Decided.Discarded
	if then == nil || !v.Req.AcceptLoss && v.Req.Decided.Action == "" {
		return nil
	}
	for _, now := range AllGivenUp(v, d) {
		if !slices.ContainsFunc(then, func(o Discarded) bool { return o.covers(now) }) {
			return &now
		}
	}
	return nil
}

// covers is true where g includes o. An empty cluster that serves grows from one look to the next, and is given up as a whole.
func (g Discarded) covers(o Discarded) bool {
	return g.Host == o.Host && g.What == o.What && (g.First <= o.First && g.Last >= o.Last || g.What == "empty_cluster")
}
