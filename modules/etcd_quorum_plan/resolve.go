package main

import (
	"context"
	"maps"
	"sync"
	"time"

	"etcd-quorum-restore/modules/internal/plan"
)

// resolveLimit is for all names together: a resolver that is down must not hold up a restore.
const resolveLimit = 2 * time.Second

// resolveMissing asks for the addresses of hosts that gave no facts, by their inventory names, but for those that were asked for in an earlier
// look. A name that is not known, or not in time, has none. lookup ends when its context does.
func resolveMissing(ctx context.Context, req *plan.Request, lookup func(context.Context, string) ([]string, error)) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	var lock sync.Mutex
	var all sync.WaitGroup
	found := map[string][]string{}
	for name, h := range req.Hosts {
		if _, asked := req.Resolved[name]; asked || !h.Unreachable && !h.Failed && h.Runtime != "" {
			continue
		}
		all.Go(func() {
			addresses, err := lookup(ctx, name)
			if err != nil {
				addresses = []string{}
			}
			lock.Lock()
			defer lock.Unlock()
			found[name] = addresses
		})
	}
	all.Wait()
	maps.Copy(req.Resolved, found)
}
