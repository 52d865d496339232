package host

import (
	"context"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// MustBeIdle refuses unless several looks in a row find nothing of etcd, and nothing that is about to start it.
func (h *Host) MustBeIdle(ctx context.Context) error {
	ctx, cancel := limited(ctx)
	defer cancel()
	for range cleanLooks {
		e, err := h.Gone()
		if err != nil {
			return err
		}
		v, err := h.Runtime.Look(ctx)
		if err != nil {
			return err
		}
		if !down(v) {
			e.Left = append(e.Left, "the unit is "+v.Detail)
		}
		if len(e.Left) > 0 {
			return fault.New(fault.Refused, "etcd runs on this host; expected it to be stopped, found: %s", strings.Join(e.Left, "; ")).
				WithHint("stop it first: etcd_service state=stopped, or etcd_fence state=present, which also keeps it down")
		}
		if !pause(ctx, lookEvery) {
			return fault.Wrap(fault.Timeout, ctx.Err(), "look for etcd")
		}
	}
	return nil
}
