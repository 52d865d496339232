// Package timelimit limits work that may hang in a system call, such as a look into a file system whose server does not answer.
package timelimit

import (
	"slices"
	"sync"
	"time"
)

// Collect runs f and returns what it has added, once it has ended or the limit is over. If f hangs, it goes on in the background, and the
// caller's result no longer changes.
func Collect[T any](limit time.Duration, f func(add func(T))) []T {
	var lock sync.Mutex
	var found []T
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(func(one T) {
			lock.Lock()
			defer lock.Unlock()
			found = append(found, one)
		})
	}()
	select {
	case <-ended:
	case <-time.After(limit):
	}
	lock.Lock()
	defer lock.Unlock()
	return slices.Clone(found)
}
