package rows

import "fmt"

// justLost waits: a change of the leader takes quorum away for some seconds. Such short losses are ignored.
func justLost(v *View) *Decision {
	for _, n := range v.Nodes {
		if was, ok := v.Req.Earlier[n.Name]; ok && was.Live.Quorum && v.Families.Real(n) {
			return refuse(Refusal{
				Code: "just_lost",
				Msg:  fmt.Sprintf("%s had quorum a few seconds ago; short losses, such as elections, are ignored", n.Name),
				Hint: "run it again: " + v.Req.Again(),
			})
		}
	}
	return nil
}
