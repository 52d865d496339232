package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/procfs"
)

// Stop takes the manifest out. SIGTERM comes from the kubelet; where the node service is down, from here, and etcd stays down for as long as the
// service does. With a kubelet that runs, a signal alone is no stop: the next etcd comes after 0.3 seconds.
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

// terminate looks again before it signals: the number may be another process by now.
func terminate(own procfs.Process) error {
	now, err := procfs.Read(own.PID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || err == nil && !same(now, own) {
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

// Undo puts the same bytes back after a stop that did not end: the same file, by a rename.
func (p *pod) Undo(context.Context) (bool, error) {
	if !p.moved {
		return false, nil
	}
	return true, p.putIn()
}

// Start puts the manifest in, with a new annotation: the kubelet takes the same bytes for the same pod, whose restarts it delays. A manifest that
// is in already and runs nothing (a pod in its back-off) is taken out first, for the same reason.
func (p *pod) Start(ctx context.Context) error {
	if err := p.startable(); err != nil {
		return err
	}
	p.moved = false // what a stop before it has moved is no longer to be put back as it was
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

// startable finds out what would fail later, before anything is moved.
func (p *pod) startable() error {
	_, m, err := p.parsed()
	if err == nil {
		_, err = m.Edit(stamp(change{}))
	}
	return err
}

// Bar: a manifest that is out is a pod that cannot start. It is also the request to stop, so the signal goes out with it. What asks for a forced
// start goes, too: only etcd_force_new_cluster puts it in.
func (p *pod) Bar(ctx context.Context) error {
	if err := p.stop(ctx); err != nil {
		return err
	}
	if _, err := os.Lstat(p.installed()); err != nil {
		return nil // nothing of ours is in the manifest
	}
	return p.SetForce(ctx, false)
}

// Unbar does nothing: the manifest stays out until etcd_service starts it.
func (p *pod) Unbar(context.Context) error { return nil }

func (p *pod) HasBar() bool { return false }

func (p *pod) Barred(context.Context) (bool, string, error) {
	live, err := p.live()
	if err != nil || len(live) == 0 {
		return err == nil, "", err
	}
	return false, live[0] + " is in the kubelet's directory", nil
}
