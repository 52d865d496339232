package host

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
)

// Status is the state of etcd on this host, as processes and the runtime show it.
type Status struct {
	State     string // of package facts
	View      View
	Process   *procfs.Process  // nil where none runs
	Strangers []procfs.Process // further etcds on the same data directory, or one that the runtime did not start
	Fence     *facts.Fence     // the record, whether or not the fence is complete
	FenceHole string           // why the fence does not hold; "" where it does, or there is none
}

// Status looks once and changes nothing.
func (h *Host) Status(ctx context.Context) (Status, error) {
	var s Status
	var err error
	if s.View, err = h.Runtime.Look(ctx); err != nil {
		return s, err
	}
	found, err := h.Processes()
	if err != nil {
		return s, err
	}
	s.assign(found)
	if s.Fence, err = h.FenceRecord(); err != nil {
		return s, err
	}
	if s.Fence != nil {
		holds, hole, err := h.Runtime.Barred(ctx)
		if err != nil {
			return s, err
		}
		if !holds {
			s.FenceHole = hole
		}
	}
	s.State = s.judge()
	return s, nil
}

// assign takes the runtime's own process for the one, and the rest for strangers. A unit whose command does not exec has a shell as its main
// process and etcd as a child of it.
func (s *Status) assign(found []procfs.Process) {
	for _, p := range found {
		if p.Exiting() {
			continue // gone in a moment, and its cgroup may be so already; a stop still waits for it
		}
		own := s.View.PID != 0 && (p.PID == s.View.PID || p.Parent == s.View.PID)
		if s.View.InPods {
			own = uidOf(p) != "" // also one that came, or came anew, since the runtime was looked at
		}
		if own && s.Process == nil {
			s.Process = &p
			continue
		}
		s.Strangers = append(s.Strangers, p)
	}
}

func (s *Status) judge() string {
	switch {
	case len(s.Strangers) > 0:
		return facts.Running
	case s.Process != nil && s.View.Ready:
		return facts.Running
	case s.Process != nil:
		return facts.Starting
	case s.Fence != nil && s.FenceHole == "":
		return facts.Fenced
	case s.View.State == facts.Running:
		return facts.Starting // the unit is up, and its process is not etcd yet
	}
	return s.View.State
}
