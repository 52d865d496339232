package timelimit

import (
	"slices"
	"testing"
	"time"
)

func TestCollect(t *testing.T) {
	got := Collect(time.Minute, func(add func(int)) {
		for i := range 3 {
			add(i)
		}
	})
	if !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("%v", got)
	}
}

func TestCollectDoesNotWaitForWhatHangs(t *testing.T) {
	hang, more := make(chan struct{}), make(chan struct{})
	got := Collect(50*time.Millisecond, func(add func(int)) {
		add(1)
		<-hang
		add(2)
		close(more)
	})
	close(hang)
	<-more
	if !slices.Equal(got, []int{1}) {
		t.Errorf("%v", got)
	}
}
