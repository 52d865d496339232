package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// object is one stored line of text.
type object struct {
	Name, Value string
	Revision    int64
}

// cache is what the watch has seen. Its revision only rises: that is how a
// cache from a lost revision goes unnoticed.
type cache struct {
	mu       sync.Mutex
	changed  *sync.Cond
	objects  map[string]object
	log      []object // in the order of revisions, for watchers
	revision int64
}

func newCache() *cache {
	c := &cache{objects: map[string]object{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

func (c *cache) set(o object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[o.Name] = o
	c.log = append(c.log, o)
	c.revision = max(c.revision, o.Revision)
	c.changed.Broadcast()
}

func (c *cache) get(name string) (object, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.objects[name]
	return o, ok
}

// after waits for objects of a later revision, starting at position from of
// the log; it returns nil when the watcher has gone.
func (c *cache) after(ctx context.Context, from int, revision int64) ([]object, int) {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil {
		var found []object
		for ; from < len(c.log); from++ {
			if c.log[from].Revision > revision {
				found = append(found, c.log[from])
			}
		}
		if found != nil {
			return found, from
		}
		c.changed.Wait()
	}
	return nil, from
}

// follow lists once and then watches from there for ever. The client resumes a
// broken watch at the revision after the last one it saw, whatever happened to
// etcd in between.
func (c *cache) follow(ctx context.Context, client *clientv3.Client) error {
	list, err := client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, kv := range list.Kvs {
		c.set(object{strings.TrimPrefix(string(kv.Key), prefix), string(kv.Value), kv.ModRevision})
	}
	c.mu.Lock()
	c.revision = list.Header.Revision
	c.mu.Unlock()
	events := client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(list.Header.Revision+1))
	go c.feed(events)
	return nil
}

func (c *cache) feed(events clientv3.WatchChan) {
	for r := range events {
		if err := r.Err(); err != nil {
			log.Printf("watch: %v", err)
		}
		for _, e := range r.Events {
			c.set(object{strings.TrimPrefix(string(e.Kv.Key), prefix), string(e.Kv.Value), e.Kv.ModRevision})
		}
	}
	log.Print("the watch has ended; the cache is frozen")
}
