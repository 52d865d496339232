package histories

// findSeen keeps the best end of each host's log: of this look, as far as it could be read, and of earlier ones. A host whose log cannot be read
// now had it all the same.
func (c *Cluster) findSeen() {
	for _, n := range c.Nodes {
		own, before := c.input.Hosts[n.Name], c.input.Earlier[n.Name]
		n.Seen = later(c.input.Seen[n.Name], later(EndOf(&own), EndOf(&before)))
	}
}

// LastSeen is the input of the next look of the same run.
func (c *Cluster) LastSeen() map[string]Position {
	all := map[string]Position{}
	for _, n := range c.Nodes {
		if n.Seen != (Position{}) {
			all[n.Name] = n.Seen
		}
	}
	return all
}
