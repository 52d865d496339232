package force

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/wording"
)

// Lines are the outcome for people.
func (o Outcome) Lines() []string {
	if o.ServesSince == "" && !o.alone {
		return nil // it failed, and the error says why
	}
	if o.alone {
		return []string{fmt.Sprintf("etcd runs here as the only member, without the flag: nothing to do. Revision %d, %d keys, %d v2 keys.", o.Member.Revision, o.Member.Keys, o.Member.V2Keys)}
	}
	lines := []string{fmt.Sprintf("etcd serves writes again since %s: member %s (%s) alone, revision %d, %d keys, %d v2 keys.",
		o.ServesSince, o.Member.MemberID, o.Member.Name, o.Member.Revision, o.Member.Keys, o.Member.V2Keys)}
	switch {
	case o.Kept.To > o.Kept.From:
		lines = append(lines, fmt.Sprintf("Kept: %s of the log beyond the commit index on disk (%s); --force-new-cluster alone would have lost that.",
			wording.Entries(o.Kept.To-o.Kept.From), span(o.Kept.From+1, o.Kept.To)))
	case o.GivenUp > 0:
		lines = append(lines, fmt.Sprintf("Given up: %s of the log beyond the commit index on disk.", wording.Entries(o.GivenUp)))
	default:
		lines = append(lines, "The log ended at its commit index: nothing in it was given up.")
	}
	return lines
}

func span(first, last uint64) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}
