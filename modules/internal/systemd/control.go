package systemd

import (
	"context"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Unit is a unit's state as systemd has it.
type Unit struct {
	Name     string `json:"name"`
	Load     string `json:"load_state"`   // loaded, not-found, masked, error
	Active   string `json:"active_state"` // active, inactive, failed, activating, …
	Sub      string `json:"sub_state"`
	FileText string `json:"unit_file_state"` // enabled, disabled, static, masked, …
	started  string // changes with each start of the main process
	pending  bool
}

// FullName adds .service, as systemctl does, so that a unit has only one name.
func FullName(name string) string {
	kinds := []string{"service", "socket", "target", "timer", "mount", "automount", "path", "slice", "scope", "swap", "device"}
	if at := strings.LastIndexByte(name, '.'); at > 0 && slices.Contains(kinds, name[at+1:]) {
		return name
	}
	return name + ".service"
}

// Get looks at a unit. A missing unit has Load not-found.
func Get(ctx context.Context, name string) (Unit, error) {
	p, err := Show(ctx, name, "LoadState", "ActiveState", "SubState", "UnitFileState", "ExecMainStartTimestampMonotonic", "Job")
	u := Unit{Name: name, Load: p["LoadState"], Active: p["ActiveState"], Sub: p["SubState"], FileText: p["UnitFileState"]}
	u.started = p["ExecMainStartTimestampMonotonic"]
	u.pending = p["Job"] != "" && p["Job"] != "0"
	return u, err
}

// Runs is true for an active unit, and for one that is starting.
func (u Unit) Runs() bool {
	return u.Active == "active" || u.Active == "reloading" || u.Active == "activating"
}

// Enabled tells whether the unit itself starts at boot.
func (u Unit) Enabled() bool { return u.FileText == "enabled" || u.FileText == "enabled-runtime" }

// Masked tells whether the unit cannot be started at all.
func (u Unit) Masked() bool { return u.Load == "masked" || u.FileText == "masked" }

// Wish is the desired state of a unit; nil and "" mean no change.
type Wish struct {
	State           string // started, stopped, restarted, reloaded
	Enabled, Masked *bool
}

// Verbs are the systemctl commands that make a wish true, in an order that works: a masked unit can be neither enabled nor started.
func (u Unit) Verbs(w Wish) []string {
	var verbs []string
	if w.Masked != nil && *w.Masked != u.Masked() {
		verbs = append(verbs, map[bool]string{true: "mask", false: "unmask"}[*w.Masked])
	}
	if w.Enabled != nil && *w.Enabled != u.Enabled() {
		verbs = append(verbs, map[bool]string{true: "enable", false: "disable"}[*w.Enabled])
	}
	switch runs := u.Runs(); {
	case w.State == "started" && !runs, w.State == "reloaded" && !runs:
		verbs = append(verbs, "start")
	case w.State == "stopped" && (runs || u.Active == "deactivating"):
		verbs = append(verbs, "stop")
	case w.State == "restarted":
		verbs = append(verbs, "restart")
	case w.State == "reloaded":
		verbs = append(verbs, "reload")
	}
	return verbs
}

// settled is how long a started unit has to stay up: a unit of type simple that ends at once looks active for a moment.
const settled = 500 * time.Millisecond

// Await waits until the effect of a verb is there. before is the unit as it was.
func Await(ctx context.Context, before Unit, verb string) (Unit, error) {
	up := verb == "start" || verb == "restart"
	var since time.Time
	for {
		u, err := Get(ctx, before.Name)
		if err != nil {
			return u, err
		}
		done := u.Active == "inactive" || u.Active == "failed"
		switch {
		case up && u.Active == "failed" && !u.pending:
			return u, fault.New(fault.Internal, "%s was started and failed (%s)", u.Name, u.Sub).WithHint("journalctl -u %s -n 50", u.Name)
		case up:
			done = u.Active == "active" && !u.pending && (verb == "start" || u.started != before.started || before.started == "0")
		}
		if !done {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		if done && (!up || time.Since(since) >= settled) {
			return u, nil
		}
		select {
		case <-ctx.Done():
			return u, fault.New(fault.Timeout, "%s did not %s in time; it is %s (%s)", u.Name, verb, u.Active, u.Sub).
				WithHint("systemctl status %s", u.Name)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
