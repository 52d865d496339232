package readfile

import (
	"context"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Over is an error of kind timeout once ctx has ended: path is what was being read. Loops over files that others write call it.
func Over(ctx context.Context, path string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.Wrap(fault.Timeout, ctx.Err(), "time limit reached before %s was read completely", path).
		WithHint("look there for files that etcd does not make (ls -la %s), or a network file system that hangs; or give a longer timeout", path)
}

// Await runs a read, and leaves it alone when ctx ends: a read on a network file system that hangs ignores deadlines. What read returns must be
// its own, and it must change nothing.
func Await[T any](ctx context.Context, path string, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		a.err = guard.Call(func() (err error) {
			a.value, err = read()
			return err
		})
		done <- a
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, Over(ctx, path)
	}
}
