package histories

// findSeen keeps the best end of each host's log: of this look, as far as it could be read, and of earlier ones. A host whose log cannot be read
// now, or is gone, had it all the same.
func (c *Cluster) findSeen() {
	for _, n := range c.Nodes {
		own, before := c.input.Hosts[n.Name], c.input.Earlier[n.Name]
		n.Seen = later(c.input.Seen[n.Name], EndOf(&own))
		if m := before.Member; m == nil || c.ClusterID == 0 || m.ClusterID == 0 || m.ClusterID == c.ClusterID {
			n.Seen = later(n.Seen, EndOf(&before))
		}
	}
}

// LastSeen is the input of the next look of the same run. What another cluster's log held does not count once it is set aside.
func (c *Cluster) LastSeen() map[string]Position {
	all := map[string]Position{}
	for _, n := range c.Nodes {
		if n.Seen != (Position{}) && n.Data != OtherCluster && n.Data != EmptyCluster {
			all[n.Name] = n.Seen
		}
	}
	return all
}
