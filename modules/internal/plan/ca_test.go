package plan

import (
	"slices"
	"testing"
)

func (c *cluster) copyOn(hosts ...int) *cluster {
	for _, i := range hosts {
		h := c.Hosts[host(i)]
		h.CACopy = "/backup/etcd-config-20261101/etcd/ca"
		c.Hosts[host(i)] = h
	}
	return c
}

func (c *cluster) removing(i int) *cluster {
	c.RemoveHost = host(i)
	return c
}

// The CA is where its key is, else where a copy is put back; and that host becomes the first of the group, but not before one that may have a key.
func TestTheCAsHost(t *testing.T) {
	for name, c := range map[string]struct {
		facts             *cluster
		host, copy, first int // -1 is none
		brought           bool
	}{
		"on the first":                  {lost(3).healthy(0, 1, 2).caOn(0), 0, -1, -1, false},
		"its host leaves":               {lost(3).healthy(1, 2).off(0).copyOn(2).removing(0), 2, 2, 2, true},
		"its host leaves, both have it": {lost(3).healthy(1, 2).off(0).copyOn(1, 2).removing(0), 1, 1, 1, true},
		"its host answers, and leaves":  {lost(3).healthy(0, 1, 2).removing(0), 0, -1, 1, false},
		"the next is out of reach":      {lost(5).healthy(0, 2, 3, 4).off(1).removing(0), 0, -1, 2, false},
		"brought back by a killed run":  {lost(3).healthy(1, 2).off(0).caOn(2).removing(0), 2, -1, 2, false},
		"its host is out of reach":      {lost(3).healthy(1, 2).off(0).copyOn(2), 2, 2, -1, false},
		"nobody has anything":           {lost(3).healthy(1, 2).off(0), -1, -1, -1, false},
		"a key counts more than a copy": {lost(3).healthy(0, 1, 2).withoutCA().copyOn(0).caOn(1), 1, -1, -1, false},
	} {
		do := Make(c.facts.Request).Do
		named := func(i int) string {
			if i < 0 {
				return ""
			}
			return host(i)
		}
		if do.CAHost != named(c.host) || do.CACopyHost != named(c.copy) || do.CAFirst != named(c.first) || slices.Contains(do.Plays["bring_ca"], named(c.host)) != c.brought {
			t.Errorf("%s: CA on %q, copy on %q, first %q, brought back on %v", name, do.CAHost, do.CACopyHost, do.CAFirst, do.Plays["bring_ca"])
		}
	}
}
