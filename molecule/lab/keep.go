package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Directories that a lab has beside its hosts' disks: the writer's log, and an inventory that a playbook may edit.
var controlDirs = []string{"writer", "inventory"}

// keep cuts the power of all hosts, copies their disks, and powers them on again: reset returns the lab to this state.
func (l *Lab) keep(ctx context.Context, args []string) error {
	if err := l.keepable(args); err != nil {
		return err
	}
	if err := errors.Join(l.allOff(ctx), os.RemoveAll(l.path("kept"))); err != nil {
		return err
	}
	for _, dir := range controlDirs {
		if err := copyTree(ctx, l.path(dir), l.path("kept", dir)); err != nil {
			return err
		}
	}
	if err := l.saveAs("kept", "lab.json"); err != nil {
		return err
	}
	err := each(l.Hosts, func(h Host) error {
		disk, err := l.disk(ctx, h)
		if err != nil {
			return err
		}
		return copyTree(ctx, disk, l.path("kept", "disks", h.Short()))
	})
	if err != nil {
		return err
	}
	return l.start(ctx)
}

// reset returns all hosts to the state in which they were kept. It takes a third of the time that new hosts take.
func (l *Lab) reset(ctx context.Context, args []string) error {
	if err := l.keepable(args); err != nil {
		return err
	}
	if _, err := os.Stat(l.path("kept", "disks")); err != nil {
		return fmt.Errorf("nothing is kept (%w); `lab keep %s` does it", err, l.Name)
	}
	if err := l.allOff(ctx); err != nil {
		return err
	}
	for _, dir := range controlDirs {
		if err := errors.Join(os.RemoveAll(l.path(dir)), copyTree(ctx, l.path("kept", dir), l.path(dir))); err != nil {
			return err
		}
	}
	if err := each(l.Hosts, func(h Host) error { return l.resetDisk(ctx, h) }); err != nil {
		return err
	}
	if err := errors.Join(l.readFrom("kept", "lab.json"), l.save()); err != nil { // addresses, where hosts were given others
		return err
	}
	return l.start(ctx)
}

func (l *Lab) keepable(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("what is %q? all hosts are meant", args[0])
	}
	if l.Options.MountData {
		return errors.New("data on a volume of its own is not kept; make the lab without --mount-data")
	}
	return nil
}

// allOff ends what runs on the control node for this lab, and cuts the power of what is on.
func (l *Lab) allOff(ctx context.Context) error {
	on := where(l.Hosts, func(h Host) bool { return l.running(ctx, h) })
	return errors.Join(l.stopWriter(), l.endBackground("flags"), l.kill(ctx, on))
}

// disk is the layer that holds everything that a host has beyond its image. It is not in use while the host is off.
func (l *Lab) disk(ctx context.Context, h Host) (string, error) {
	dir, err := podman(ctx, "inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", l.container(h))
	if err == nil && !filepath.IsAbs(dir) {
		err = fmt.Errorf("podman keeps the files of %s in %q, and not as layers", h.Short(), dir)
	}
	return dir, err
}

func (l *Lab) resetDisk(ctx context.Context, h Host) error {
	disk, err := l.disk(ctx, h)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(disk)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(disk, e.Name())); err != nil {
			return err
		}
	}
	return copyTree(ctx, l.path("kept", "disks", h.Short()), disk)
}

// copyTree copies the content of a directory, with owners, times, and overlay's marks of deleted files.
func copyTree(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	_, err := command(ctx, nil, "cp", "--archive", from+"/.", to)
	return err
}
