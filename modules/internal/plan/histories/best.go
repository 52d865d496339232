package histories

// chooseBest finds the log that all others are compared with. With quorum it is that of a member that has it; without, it is the newest that no
// other contradicts.
func (c *Cluster) chooseBest() {
	c.Splits = c.Families.splits
	if c.Families.Main < 0 {
		return
	}
	pool := c.Families.All[c.Families.Main].Nodes
	if c.HasQuorum() {
		pool = Intersection(pool, c.Quorum)
	}
	ranked := c.current(Ranking(pool))
	if len(ranked) == 0 {
		return
	}
	for _, n := range ranked {
		if contradictedBy(n, ranked) == nil {
			c.sound = append(c.sound, n)
		}
	}
	if len(c.sound) == 0 {
		c.sound = c.afterSplit(ranked)
	}
	if len(c.sound) == 0 {
		return
	}
	c.Best = furthestBack(c.sound)
	if n := c.accepted(ranked); n != nil && Compare(n.Facts.Log, c.Best.Facts.Log).Conflict > 0 {
		c.Best = n // the operator chose this one's entries
	}
}

// furthestBack is the first node, or one with the same end whose log begins earlier: it has more in common with others.
func furthestBack(ranked []*Node) *Node {
	best := ranked[0]
	for _, n := range ranked {
		if !Newer(best.Facts.Log, n.Facts.Log) && n.Facts.Live.Serves == best.Facts.Live.Serves && n.Facts.Log.FirstIndex < best.Facts.Log.FirstIndex {
			best = n
		}
	}
	return best
}

// contradictedBy is a member that knows an entry to be committed where n has a different one.
func contradictedBy(n *Node, others []*Node) *Node {
	for _, o := range others {
		if o == n {
			continue
		}
		if r := Compare(n.Facts.Log, o.Facts.Log); r.Conflict > 0 && KnownCommitted(o.Facts) >= r.Conflict {
			return o
		}
	}
	return nil
}

// afterSplit handles logs of which each is contradicted by another one, as after a split brain. Only the operator can choose.
func (c *Cluster) afterSplit(ranked []*Node) []*Node {
	if n := c.accepted(ranked); n != nil {
		return []*Node{n}
	}
	first := ranked[0]
	other := contradictedBy(first, ranked)
	c.Splits = append(c.Splits, Split{Kind: SplitBrain, A: Family{Nodes: []*Node{first}}, B: Family{Nodes: []*Node{other}}, Index: Compare(first.Facts.Log, other.Facts.Log).Conflict})
	return nil
}
