package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// makeNetwork takes the first free slot. Another checkout may have labs too,
// so it is podman that says which network is taken.
func (l *Lab) makeNetwork(ctx context.Context) error {
	unlock, err := lock(filepath.Join(filepath.Dir(l.dir), ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := podman(ctx, "network", "exists", l.network()); err == nil {
		return fmt.Errorf("podman network %s is left over from an earlier lab; `lab down %s` removes it", l.network(), l.Name)
	}
	last := filepath.Join(filepath.Dir(l.dir), ".slot")
	for i := range slots {
		slot := nextSlot(last, i)
		_, err := podman(ctx, "network", "create", "--disable-dns", "--subnet", fmt.Sprintf("10.213.%d.0/24", slot), l.network())
		if err == nil {
			l.Slot, l.Hosts = slot, layout(l.Options, slot)
			return errors.Join(os.WriteFile(last, []byte(strconv.Itoa(slot)), 0o600), l.save())
		}
		if !strings.Contains(err.Error(), "already used") && !strings.Contains(err.Error(), "already being used") {
			return err
		}
	}
	return errors.New("no free network in 10.213.0.0/16: `podman network ls` shows who has them")
}

const slots = 250

// nextSlot goes round, so that a new lab does not get the addresses of one that
// was just removed: ssh's shared connections to those live on for a minute.
func nextSlot(file string, step int) int {
	b, _ := os.ReadFile(file)
	last, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return (last+step)%slots + 1
}

// cut takes hosts off the network without stopping them, and heal undoes it:
// from one another only, or from everybody.
func (l *Lab) cut(ctx context.Context, h Host, from []Host, add bool) error {
	pid, err := l.pid(ctx, h)
	if err != nil {
		return err
	}
	verb := "del"
	if add {
		verb = "add"
	}
	var errs []error
	for _, f := range from {
		// A blackhole route stops what this host sends: no connection
		// survives it, nor do new ones open.
		_, err := command(ctx, nil, "nsenter", "-t", strconv.Itoa(pid), "-n", "ip", "route", verb, "blackhole", f.IP+"/32")
		if err != nil && !strings.Contains(err.Error(), "File exists") && !strings.Contains(err.Error(), "No such process") {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
