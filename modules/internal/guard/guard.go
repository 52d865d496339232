// Package guard runs functions in goroutines and keeps a module's promise of one JSON object: a panic in a goroutine would end the process before
// it could answer.
package guard

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"etcd-quorum-restore/modules/internal/fault"
)

// Call runs f; a panic becomes an error of kind internal, and its stack goes to stderr.
func Call(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", r, debug.Stack())
			err = fault.New(fault.Internal, "internal error: %v", r).WithHint("this is a bug: run the task again with -vvv and report what it prints")
		}
	}()
	return f()
}

// Group runs functions at the same time. Its zero value is ready.
type Group struct {
	all  sync.WaitGroup
	lock sync.Mutex
	err  error
}

// Go runs f in a goroutine.
func (g *Group) Go(f func()) {
	g.all.Go(func() {
		err := Call(func() error { f(); return nil })
		if err != nil {
			g.lock.Lock()
			defer g.lock.Unlock()
			g.err = err
		}
	})
}

// Wait waits for all of them, and panics if one of them has.
func (g *Group) Wait() {
	g.all.Wait()
	if g.err != nil {
		panic(g.err)
	}
}
