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
		e, err := h.gone(false)
		if err != nil {
			return err
		}
		v, err := h.Runtime.Look(ctx)
		if err != nil {
			return err
		}
		if !e.gone() || !down(v) {
			return h.notIdle(e, v)
		}
		if !pause(ctx, lookEvery) {
			return fault.Wrap(fault.Timeout, ctx.Err(), "look for etcd")
		}
	}
	return nil
}

func (h *Host) notIdle(e Evidence, v View) error {
	left := e.Left
	if named, err := h.Gone(); err == nil && len(named.Left) > 0 {
		left = named.Left
	}
	if !down(v) {
		left = append(left, h.Runtime.Words().Self+v.Detail)
	}
	return fault.New(fault.Refused, "etcd runs on this host; expected it to be stopped, found: %s", strings.Join(left, "; ")).
		WithHint("stop it first: etcd_service state=stopped, or etcd_fence state=present, which also keeps it down")
}
