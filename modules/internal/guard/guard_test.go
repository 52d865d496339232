package guard

import (
	"errors"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestCall(t *testing.T) {
	wrong := errors.New("wrong")
	if err := Call(func() error { return wrong }); err != wrong {
		t.Error(err)
	}
	if err := Call(func() error { panic("x") }); fault.KindOf(err) != fault.Internal || fault.HintOf(err) == "" {
		t.Error(err)
	}
}

// A panic in one goroutine comes once, in the goroutine that waits, after all others have ended.
func TestGroup(t *testing.T) {
	var g Group
	done := make([]bool, 3)
	for i := range done {
		g.Go(func() {
			if i == 1 {
				panic("x")
			}
			done[i] = true
		})
	}
	err := Call(func() error { g.Wait(); return nil })
	if fault.KindOf(err) != fault.Internal || !done[0] || !done[2] {
		t.Error(err, done)
	}
}
