package host

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/procfs"
)

// Stop moves the manifest out. The kubelet then sends SIGTERM. Where the node service is down, Stop sends it, and etcd stays down for as long as
// the service does. Under a running kubelet a signal alone stops nothing: the next etcd starts after 0.3 seconds.
func (p *pod) Stop(ctx context.Context) error {
	if _, err := p.one(); err != nil {
		return err
	}
	return p.stop(ctx)
}

func (p *pod) stop(ctx context.Context) error {
	p.grace = 30 * time.Second
	if _, m, err := p.parsed(); err == nil {
		p.grace = time.Duration(m.Grace()) * time.Second
	}
	found, err := p.host.Processes()
	if err != nil {
		return err
	}
	own := p.own(found)
	if err := p.takeOut(); err != nil {
		return err
	}
	p.asked, p.killed = time.Now(), false
	if own == nil || !p.node.down(ctx) {
		return nil
	}
	return terminate(*own)
}

// terminate looks again before it signals: the PID may belong to another process by now.
func terminate(own procfs.Process) error {
	now, err := procfs.Look(own.PID)
	if procfs.Gone(err) || err == nil && !same(now, own) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := syscall.Kill(own.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Undo puts the same file back, by a rename, after a stop that did not end.
func (p *pod) Undo(context.Context) (bool, error) {
	if !p.moved {
		return false, nil
	}
	return true, p.putIn()
}

// Start moves the manifest in, with a new annotation: the kubelet takes the same bytes for the same pod, whose restarts it delays. A manifest
// that is in and runs nothing (a pod in its back-off) is moved out first, for the same reason.
func (p *pod) Start(ctx context.Context) error {
	if err := p.startable(); err != nil {
		return err
	}
	p.moved = false // Undo must no longer put back what an earlier stop has moved
	if err := p.takeOut(); err != nil {
		return err
	}
	if err := p.adopt(); err != nil {
		return err
	}
	if p.node.down(ctx) {
		if err := p.node.start(ctx); err != nil {
			return err
		}
	}
	if err := settled(ctx); err != nil {
		_, err2 := p.Undo(ctx)
		return errors.Join(err, err2)
	}
	text, err := p.forStart()
	if err != nil {
		return err
	}
	if err := p.write(text); err != nil {
		return err
	}
	if err := p.putIn(); err != nil {
		return err
	}
	return p.tidy(text)
}

// startable refuses, before anything is moved, what would fail later.
func (p *pod) startable() error {
	_, m, err := p.parsed()
	if err == nil {
		_, err = m.Edit(stamp(change{}))
	}
	return err
}

// Block moves the manifest out, so that the pod cannot start. That is also the request to stop, so the signal is sent as well. What asks for a
// forced start is removed, too: only etcd_force_new_cluster puts it in.
func (p *pod) Block(ctx context.Context) error {
	if err := p.stop(ctx); err != nil {
		return err
	}
	if _, err := os.Lstat(p.installed()); err != nil {
		return nil // nothing of ours is in the manifest
	}
	return p.SetForce(ctx, false)
}

// Unblock does nothing: the manifest stays out until etcd_service starts it.
func (p *pod) Unblock(context.Context) error { return nil }

func (p *pod) IsBlocked() bool { return false }

func (p *pod) Blocked(context.Context) (bool, string, error) {
	live, err := p.live()
	if err != nil || len(live) == 0 {
		return err == nil, "", err
	}
	return false, live[0] + " is in the kubelet's directory", nil
}
