package plan

// changedMeanwhile: a plan waits for an answer for as long as somebody takes to think, or to sleep, and hosts come back meanwhile.
func (v *view) changedMeanwhile(d *decision) *decision {
	then := v.req.Decided
	if then.Action == "" || d.action == Refuse || then.Action == d.action && (d.survivor == nil || then.Survivor == d.survivor.name) {
		return nil
	}
	return refuse(Refusal{
		Code: "changed_meanwhile",
		Msg:  "the cluster has changed since the plan was agreed to: " + d.reason,
		Hint: v.req.playbook("restore_quorum.yml") + ", which looks anew",
	})
}
