package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// DefaultLimit ends a wait whose context has no deadline of its own.
const DefaultLimit = 60 * time.Second

// The looks of a stop. Process, ports and locks go within 40 ms of each other, and a held lock can be invisible for 50 ms: three looks in a row
// that find nothing span more than that.
const (
	lookEvery  = 50 * time.Millisecond
	cleanLooks = 3
)

// Stop ends etcd by SIGTERM and returns when process, ports and locks are gone. A second etcd on the same data directory that the runtime did not
// start is not killed, but named. A stop that fails is undone where that is possible, unless a fence or a forced start needs etcd to stay down in
// any case.
func (h *Host) Stop(ctx context.Context) (Evidence, error) {
	e, err := h.stop(ctx)
	if err == nil || exists(h.FenceFile()) || exists(h.ForcingFile()) {
		return e, err
	}
	undone, failed := h.Runtime.Undo(context.WithoutCancel(ctx))
	switch {
	case failed != nil:
		return e, errors.Join(err, failed)
	case undone:
		return e, fault.New(fault.KindOf(err), "%v; the same manifest is back in its place", err).WithHint("%s", fault.HintOf(err))
	}
	return e, err
}

func (h *Host) stop(ctx context.Context) (Evidence, error) {
	ctx, cancel := limited(ctx)
	defer cancel()
	before, err := h.Status(ctx)
	if err != nil {
		return Evidence{}, err
	}
	running := before.Process != nil || len(before.Strangers) > 0
	if running || !down(before.View) {
		if err := h.Runtime.Stop(ctx); err != nil {
			return Evidence{WasRunning: running}, fault.Wrap(fault.Internal, err, "stop etcd")
		}
	}
	e, err := h.waitGone(ctx)
	e.WasRunning = running
	if err != nil {
		return e, err
	}
	after, err := h.Runtime.Look(ctx)
	e.Graceful = running && before.View.Ready && len(before.Strangers) == 0 && !after.Killed
	return e, err
}

func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, DefaultLimit)
}

func down(v View) bool { return v.State != "running" && v.State != "starting" && !v.Pending }

// waitGone polls until several looks in a row find nothing, and the runtime has finished.
func (h *Host) waitGone(ctx context.Context) (Evidence, error) {
	var v View
	for clean := 0; ; {
		e, err := h.gone(false)
		if err != nil {
			return e, err
		}
		if now, err := h.Runtime.Look(ctx); err == nil {
			v = now
		} else if ctx.Err() == nil {
			return e, err
		}
		if clean++; !e.gone() || !down(v) {
			clean = 0
		}
		if clean >= cleanLooks {
			return e, nil
		}
		if !pause(ctx, lookEvery) {
			return h.notGone(v)
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (h *Host) notGone(v View) (Evidence, error) {
	e, err := h.Gone()
	if err != nil {
		return e, err
	}
	left := append([]string{}, e.Left...)
	if !down(v) {
		left = append(left, h.Runtime.Words().Self+v.Detail)
	}
	if len(left) == 0 {
		left = append(left, "nothing more at the very last look") // it went just as the time was over
	}
	return e, fault.New(fault.Timeout, "etcd did not stop in time; expected no process, closed ports and free locks, found: %s", strings.Join(left, "; ")).
		WithHint("%s", h.stopHint(v))
}

// stopHint tells a unit that hangs from an etcd that somebody started by hand.
func (h *Host) stopHint(v View) string {
	found, err := h.Processes()
	if err == nil {
		for _, p := range found {
			if down(v) || (p.PID != v.PID && p.Parent != v.PID) {
				return fmt.Sprintf("process %d was not started by %s: end it by `%s`, then run this again", p.PID, h.Runtime.Words().Starter, h.EndBy(p))
			}
		}
	}
	return h.Runtime.Words().Slow
}
