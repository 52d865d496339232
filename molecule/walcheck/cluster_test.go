package walcheck

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/member"
)

// cluster is three real members.
type cluster struct {
	t       *testing.T
	dirs    [3]string
	peers   [3]string
	initial string
	members [3]*server
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	var initial []string
	for i := range c.dirs {
		c.dirs[i], c.peers[i] = filepath.Join(t.TempDir(), "data"), freeURL(t)
		initial = append(initial, fmt.Sprintf("m%d=%s", i, c.peers[i]))
	}
	c.initial = strings.Join(initial, ",")
	for i := range c.dirs {
		c.start(i)
	}
	c.members[0].serves()
	return c
}

func (c *cluster) start(i int) {
	c.members[i] = launch(c.t, c.dirs[i], fmt.Sprint("m", i), c.peers[i], c.initial, "--heartbeat-interval", "200", "--election-timeout", "2000")
}

// read reads a member with the project's reader, running or not.
func (c *cluster) read(i int) *member.State {
	c.t.Helper()
	s, err := member.Read(c.t.Context(), c.dirs[i], "")
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *cluster) await(what string, condition func() bool) {
	c.t.Helper()
	await(c.t, what, condition)
}

// await polls a condition, for at most a minute.
func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until ", what)
		}
	}
}

// healthy checks each member, killed: the project's reader and etcd's packages agree, and no member is damaged.
func (c *cluster) healthy() {
	c.t.Helper()
	for i, m := range c.members {
		m.kill()
		s, taken := check(c.t, c.dirs[i])
		if !taken || len(s.Damage) > 0 || len(s.Members) != 3 || s.MayKeep() != nil {
			c.t.Errorf("member %d: taken by etcd: %v, damage %v, %d members, %v", i, taken, s.Damage, len(s.Members), s.MayKeep())
		}
	}
}

// TestOverwrittenTail: a leader that has lost the others writes entries that the others, with a new leader, overwrite when it is back.
func TestOverwrittenTail(t *testing.T) {
	c := newCluster(t)
	lonely := c.leader()
	others := []int{(lonely + 1) % 3, (lonely + 2) % 3}
	for _, i := range others {
		c.members[i].kill()
	}
	before := c.read(lonely)
	for i := range 4 {
		go c.members[lonely].put(i, "to be overwritten")
	}
	c.await("the lonely leader has entries of its own", func() bool { return c.read(lonely).LastIndex >= before.LastIndex+4 })
	c.members[lonely].kill()
	for _, i := range others {
		c.start(i)
	}
	c.members[others[0]].serves()
	c.start(lonely)
	c.await("its entries are overwritten", func() bool { return c.read(lonely).LastTerm > before.LastTerm })
	for _, sum := range c.read(lonely).Sums {
		if sum.Term == before.LastTerm && sum.Index > before.LastIndex {
			t.Errorf("entry %d of term %d is still there", sum.Index, sum.Term)
		}
	}
	c.healthy()
}

// leader is the member that says it leads.
func (c *cluster) leader() (leader int) {
	c.t.Helper()
	c.await("there is a leader", func() bool {
		for i, m := range c.members {
			resp, err := client.Get(m.url + "/v2/stats/self")
			if err != nil {
				continue
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && strings.Contains(string(body), "StateLeader") {
				leader = i
				return true
			}
		}
		return false
	})
	return leader
}

// TestSnapshotFromTheLeader: a member that was away too long gets a snapshot, and its log jumps.
func TestSnapshotFromTheLeader(t *testing.T) {
	c := newCluster(t)
	c.members[2].kill()
	behind := c.read(2).LastIndex
	stop := writers(c.members[0], 16)
	c.await("the leader has dropped what the third member lacks", func() bool { return c.read(0).SnapshotIndex > behind+5600 })
	stop()
	c.start(2)
	c.await("it has caught up", func() bool { s := c.read(2); return s.SnapshotIndex > behind+500 && s.LastIndex >= c.read(0).LastIndex })
	if s := c.read(2); s.FirstIndex != 0 && s.FirstIndex <= s.SnapshotIndex {
		t.Errorf("first index %d, snapshot %d", s.FirstIndex, s.SnapshotIndex)
	}
	c.healthy()
}
