package ansible

import (
	"context"
	"fmt"
	"sync"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Call is what Ansible says about this run, beside the arguments.
type Call struct {
	CheckMode bool
	Diff      bool

	mu       sync.Mutex // a module that was left alone may still write
	changed  bool
	warnings []string
}

// MarkChanged records that something on the host has changed, so that a failure later on still reports changed=true.
func (c *Call) MarkChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = true
}

// Warn adds a warning, which Ansible prints above the result.
func (c *Call) Warn(format string, a ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings = append(c.warnings, fmt.Sprintf(format, a...))
}

// report puts the warnings into the answer, and tells whether anything has changed.
func (c *Call) report(answer map[string]any) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.warnings) > 0 {
		answer["warnings"] = append([]string{}, c.warnings...)
	}
	return c.changed
}

// grace is how long a module may take, after its timeout, to end by itself and say how far it got.
const grace = time.Second

type outcome struct {
	result Result
	err    error
}

// within runs the module. One that only reads is left alone when it does not end in time: a read of a pipe or of a dead network file system
// ignores deadlines. Any other is waited for: it finishes what it has begun, and its waits have limits of their own.
func within[A any](ctx context.Context, readOnly bool, call *Call, args A, run Module[A]) (Result, error) {
	done := make(chan outcome, 1)
	go func() {
		result, err := guarded(ctx, call, args, run)
		done <- outcome{result, err}
	}()
	if readOnly {
		select {
		case out := <-done:
			return out.result, out.err
		case <-ctx.Done():
		}
		select {
		case out := <-done:
			return out.result, out.err
		case <-time.After(grace):
			return Result{}, fault.New(fault.Timeout, "time limit reached before a read returned; nothing was changed").
				WithHint("look for a pipe, or a network file system that hangs, among the files of etcd; or give a longer %s", timeoutName)
		}
	}
	out := <-done
	return out.result, out.err
}

// guarded turns a panic into an error: without JSON, Ansible says only "MODULE FAILURE".
func guarded[A any](ctx context.Context, call *Call, args A, run Module[A]) (result Result, err error) {
	err = guard.Call(func() (err error) {
		result, err = run(ctx, call, args)
		return err
	})
	return result, err
}
