package health

import (
	"context"
	"fmt"
	"sync"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Data is a comparison of the members' v3 data at one revision. etcd 3.2 has no HashKV, so the keys themselves are read, from each
// member alone.
type Data struct {
	Equal    bool              `json:"equal"`
	Revision int64             `json:"revision"`
	Keys     map[string]int64  `json:"keys"`      // by endpoint
	Sums     map[string]string `json:"sums"`      // by endpoint: sha256 of keys, revisions and versions (and values, if asked for)
	V2Keys   map[string]int64  `json:"v2_keys"`   // by endpoint, where the server has a v2 store
	V2Differ []string          `json:"v2_differ"` // v2 keys that are not the same on all members
	Errors   map[string]string `json:"errors"`    // by endpoint
}

// Compare reads all serving members at the revision of a linearizable read, so that each of them must have the very same keys.
func Compare(ctx context.Context, cfg etcd.Config, p Picture, values bool) (*Data, error) {
	d := &Data{Keys: map[string]int64{}, Sums: map[string]string{}, V2Keys: map[string]int64{}, V2Differ: []string{}, Errors: map[string]string{}}
	if len(serving(p)) == 0 {
		return d, fault.New(fault.Unreachable, "the data cannot be compared: no member answers").WithHint("see why: the same without compare")
	}
	leader, err := etcd.DialQuorum(ctx, cfg.At(serving(p)...))
	if err != nil {
		return d, fault.Wrap(fault.Unreachable, err, "the data cannot be compared")
	}
	d.Revision, err = leader.LinearizableRead(ctx)
	leader.Close()
	if err != nil {
		return d, err
	}
	var lock sync.Mutex
	var all guard.Group
	for _, endpoint := range serving(p) {
		all.Go(func() {
			m, err := readMember(ctx, cfg, endpoint, d.Revision, values)
			lock.Lock()
			defer lock.Unlock()
			d.add(endpoint, m, err)
		})
	}
	all.Wait()
	if err := d.addV2(ctx, cfg, serving(p)); err != nil {
		return d, err
	}
	return d, d.judge(p.expected())
}

// judge calls data equal only where every member was compared.
func (d *Data) judge(members int) error {
	d.Equal = len(d.Sums) == members && d.distinct() == 1 && len(d.V2Differ) == 0
	if d.Equal {
		return nil
	}
	if d.distinct() > 1 || len(d.V2Differ) > 0 {
		return fault.New(fault.Corrupt, "%s", d.Line()).
			WithHint("do not restart or remove any member before backups of all of them exist: ansible-playbook playbooks/backup.yml")
	}
	return fault.New(fault.Unreachable, "only %d of %d members could be compared at revision %d", len(d.Sums), members, d.Revision)
}

func (d *Data) distinct() int {
	seen := map[string]bool{}
	for _, sum := range d.Sums {
		seen[sum] = true
	}
	return len(seen)
}

// Line is the result in one sentence.
func (d *Data) Line() string {
	switch {
	case d.distinct() == 1 && (d.Equal || len(d.V2Differ) > 0):
		for _, n := range d.Keys {
			return fmt.Sprintf("%s: %d keys at revision %d%s", whose(len(d.Sums)), n, d.Revision, d.v2())
		}
	case d.distinct() > 1:
		return fmt.Sprintf("DATA DIFFER between members at revision %d: keys %v", d.Revision, d.Keys)
	}
	return fmt.Sprintf("data compared on %d members only", len(d.Sums))
}

func whose(members int) string {
	if members == 1 {
		return "data of the only member"
	}
	return fmt.Sprintf("data equal on %d members", members)
}

func serving(p Picture) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range p.Endpoints {
		if e.Serves && !p.foreign(e) && !seen[memberOf(p, e)] {
			seen[memberOf(p, e)] = true
			out = append(out, e.Endpoint)
		}
	}
	return out
}

// content is what one member holds.
type content struct {
	sum  string
	keys int64
}

func readMember(ctx context.Context, cfg etcd.Config, endpoint string, revision int64, values bool) (content, error) {
	c, err := etcd.DialOne(ctx, endpoint, cfg)
	if err != nil {
		return content{}, err
	}
	defer c.Close()
	var m content
	m.sum, m.keys, err = c.SumKeys(ctx, revision, values)
	return m, err
}

func (d *Data) add(endpoint string, m content, err error) {
	if err != nil {
		d.Errors[endpoint] = err.Error()
		return
	}
	d.Sums[endpoint], d.Keys[endpoint] = m.sum, m.keys
}
