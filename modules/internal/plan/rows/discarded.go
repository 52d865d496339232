package rows

import (
	"cmp"
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// AllGivenUp lists what the action gives up. All of it stays on its host's disk, set aside.
func AllGivenUp(v *View, d *Decision) []Discarded {
	var all []Discarded
	if d.Action == Fence {
		return nil // the data stays in place
	}
	for _, s := range LostSince(v, StartedAgain(v, d)) {
		all = append(all, s.given())
	}
	all = append(all, emptyGivesUp(v, d)...)
	all = append(all, givenUpSeen(v, d)...)
	for _, n := range v.Nodes {
		if n == d.Survivor || !(d.Has(StepFence, n) || d.Has(StepRejoin, n) || d.Has(StepJoinStarted, n)) || !n.HasData() || slices.Contains(d.Held, n) {
			continue
		}
		if n == staleForced(v) {
			continue // what its quorum acknowledged, a majority without it holds
		}
		if found := givenUp(v, n, d.Survivor); found != nil {
			all = append(all, *found)
		}
	}
	return all
}

// Elsewhere is true for what is not set aside by this run: it is on hosts that are out of reach.
func (g Discarded) Elsewhere() bool {
	return slices.Contains([]string{"superseded", "real_data", "seen"}, g.What)
}

func givenUp(v *View, n, survivor *histories.Node) *Discarded {
	g := Discarded{Host: n.Name}
	if n.Facts.Log != nil {
		g.Last = n.Facts.Log.LastIndex
	}
	switch n.Data {
	case histories.NoneInCommon, histories.NotAMember, histories.CopiedData, histories.Usable, histories.TailConflict, histories.Overruled, histories.OtherHistory:
		if survivor == nil {
			survivor = v.Best
		}
		return lacking(v, g, n, survivor)
	case histories.EmptyCluster:
		g.What, g.Entries = "empty_cluster", g.Last
		g.Text = fmt.Sprintf("what was written to the empty cluster on %s (revision %d)", n.Name, histories.Revision(n.Facts))
	case histories.OtherCluster:
		g.What = "other_cluster"
		g.Text = fmt.Sprintf("the data on %s, of cluster %s", n.Name, n.ClusterID())
	case histories.Damaged, histories.EmptyLog, histories.RemovesSelf:
		g.What = "damaged"
		g.Text = fmt.Sprintf("what only the data on %s holds, which cannot be used: %s", n.Name, n.Why)
	default:
		return nil
	}
	return &g
}

// lacking is the whole part of a log that is not certainly in the survivor's: an upper bound.
func lacking(v *View, g Discarded, n, survivor *histories.Node) *Discarded {
	if survivor == nil || survivor.Facts.Log == nil || n.Facts.Log == nil {
		return nil
	}
	r := against(v, n, survivor)
	g.First = histories.Lowest(r.ApartFrom(n, survivor), survivor.Facts.Log.LastIndex+1)
	if r.Common == 0 && r.Conflict == 0 && (n.Data == histories.NoneInCommon || n.Facts.Log.LastIndex < survivor.Facts.Log.FirstIndex) {
		g.First = n.Facts.Log.FirstIndex
	}
	if g.Last < g.First {
		return nil
	}
	g.Entries = g.Last - g.First + 1
	at := fmt.Sprintf("(index %d to %d)", g.First, g.Last)
	switch {
	case n.Data == histories.NoneInCommon:
		g.What = "behind"
		g.Text = fmt.Sprintf("up to %s on %s: they cannot be compared, because the survivor's log begins later %s", wording.Entries(g.Entries), n.Name, at)
	case r.Conflict > 0:
		g.What = map[histories.Verdict]string{histories.Overruled: "overruled", histories.OtherHistory: "other_history"}[n.Data]
		g.Text = fmt.Sprintf("%s on %s that the survivor's log contradicts %s", wording.Entries(g.Entries), n.Name, at)
	case n.Data == histories.NotAMember:
		g.Text = fmt.Sprintf("%s that only %s holds, which is no longer a member %s", wording.Entries(g.Entries), n.Name, at)
	default:
		g.Text = fmt.Sprintf("%s that only %s holds %s", wording.Entries(g.Entries), n.Name, at)
	}
	g.What = cmp.Or(g.What, "tail")
	return &g
}

func (s Since) given() Discarded {
	g := Discarded{Host: s.recorded, What: "superseded"}
	if s.recorded == "" {
		g.Host = facts.UnknownSurvivor
		if len(s.May) == 1 {
			g.Host = s.May[0]
		}
		if s.joined != "" {
			g.Text = fmt.Sprintf("what %s acknowledged in the cluster without %s that %s was about to join", s.who(), wording.And(s.without), s.joined)
			return g
		}
		g.Text = fmt.Sprintf("what %s acknowledged since %s fenced; no record says whether it continued", s.who(), wording.Were(s.fenced))
		return g
	}
	g.Text = fmt.Sprintf("what %s acknowledged since %s fenced, with it as the survivor", s.recorded, wording.Were(s.fenced))
	return g
}
