package health

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// doubt is a key that one member has, and that another member, at a higher index, lacks. It was deleted or has expired in between, unless the
// first member still has it at that index.
type doubt struct {
	at       string // the endpoint that has it
	key      string
	modified uint64
	until    uint64 // the index of the other member
}

// compareV2 compares v2 stores that were read at different moments. A write that a member cannot have yet, by its index, is no difference.
func compareV2(stores map[string]etcd.V2Store) (differ []string, doubts []doubt) {
	for _, x := range sorted(stores) {
		for _, y := range sorted(stores) {
			if x != y {
				d, o := compareTwo(x, stores[x], y, stores[y])
				differ, doubts = append(differ, d...), append(doubts, o...)
			}
		}
	}
	slices.Sort(differ)
	return slices.Compact(differ), doubts
}

// compareTwo looks at x's keys; the caller also calls it with x and y exchanged.
func compareTwo(x string, one etcd.V2Store, y string, other etcd.V2Store) (differ []string, doubts []doubt) {
	for name, key := range one.Keys {
		theirs, there := other.Keys[name]
		switch {
		case there && theirs == key:
		case key.Modified > other.Index: // y is not at that index yet
		case there && theirs.Modified > key.Modified: // decided when the roles are exchanged
		case !there && other.Index > one.Index:
			doubts = append(doubts, doubt{at: x, key: name, modified: key.Modified, until: other.Index})
		default:
			differ = append(differ, name)
		}
	}
	return differ, doubts
}

func sorted(stores map[string]etcd.V2Store) []string {
	var out []string
	for endpoint := range stores {
		out = append(out, endpoint)
	}
	slices.Sort(out)
	return out
}

// addV2 compares the members' v2 stores, where they have one.
func (d *Data) addV2(ctx context.Context, cfg etcd.Config, endpoints []string) error {
	stores, err := readStores(ctx, cfg, endpoints)
	if err != nil || len(stores) == 0 {
		return err
	}
	for endpoint, store := range stores {
		d.V2Keys[endpoint] = int64(len(store.Keys))
	}
	differ, doubts := compareV2(stores)
	for _, o := range doubts {
		still, err := o.stillThere(ctx, cfg, stores)
		if err != nil {
			return err
		}
		if still {
			differ = append(differ, o.key)
		}
	}
	slices.Sort(differ)
	d.V2Differ = append(d.V2Differ, slices.Compact(differ)...)
	return nil
}

func readStores(ctx context.Context, cfg etcd.Config, endpoints []string) (map[string]etcd.V2Store, error) {
	stores, failures := map[string]etcd.V2Store{}, map[string]error{}
	var lock sync.Mutex
	var all guard.Group
	for _, endpoint := range endpoints {
		all.Go(func() {
			store, present, err := readStore(ctx, cfg, endpoint)
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				failures[endpoint] = err
			} else if present {
				stores[endpoint] = store
			}
		})
	}
	all.Wait()
	for endpoint, err := range failures {
		return nil, fault.Wrap(fault.KindOf(err), err, "the v2 keys of %s cannot be read", endpoint)
	}
	return stores, nil
}

func readStore(ctx context.Context, cfg etcd.Config, endpoint string) (etcd.V2Store, bool, error) {
	v2, err := etcd.DialV2(ctx, endpoint, cfg)
	if err != nil {
		return etcd.V2Store{}, false, err
	}
	defer v2.Close()
	return v2.Store(ctx)
}

// stillThere reads the member again until it is at the index of the one that lacks the key. The store that was read is kept for the next doubt.
func (o doubt) stillThere(ctx context.Context, cfg etcd.Config, stores map[string]etcd.V2Store) (bool, error) {
	for {
		if store := stores[o.at]; store.Index >= o.until {
			key, there := store.Keys[o.key]
			return there && key.Modified == o.modified, nil
		}
		store, _, err := readStore(ctx, cfg, o.at)
		if err != nil {
			return false, err
		}
		stores[o.at] = store
		select {
		case <-ctx.Done():
			return false, fault.New(fault.Timeout, "%s has come to index %d of the v2 store, another member is at %d", o.at, store.Index, o.until)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// v2 is the comparison of the v2 keys in words.
func (d *Data) v2() string {
	switch {
	case len(d.V2Keys) == 0:
		return ""
	case len(d.V2Differ) > 0:
		return fmt.Sprintf(", but %d v2 keys DIFFER, such as %s", len(d.V2Differ), d.V2Differ[0])
	}
	most := int64(0)
	for _, n := range d.V2Keys {
		most = max(most, n)
	}
	return fmt.Sprintf(", %d v2 keys, equal too", most)
}
