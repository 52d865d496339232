package killtest

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Exchange swaps two paths, as their owner does who races with a program of root's, until it is stopped; that returns how often.
func Exchange(a, b string) (stop func() int) {
	ended := make(chan struct{})
	exchanged := 0
	var loop sync.WaitGroup
	loop.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				if unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil {
					exchanged++
				}
			}
		}
	})
	return func() int {
		close(ended)
		loop.Wait()
		return exchanged
	}
}
