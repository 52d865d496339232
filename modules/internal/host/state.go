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
	Strangers []procfs.Process // further etcds on the same data directory, which the runtime did not start
	Namesakes []procfs.Process // called etcd, but without this host's data
	Fence     *facts.Fence     // the record, whether or not the fence is complete
	FenceHole string           // why the fence does not hold; "" where it holds, or there is none
}

// Status looks once and changes nothing.
func (h *Host) Status(ctx context.Context) (Status, error) {
	var s Status
	var err error
	if s.View, err = h.Runtime.Look(ctx); err != nil {
		return s, err
	}
	found, namesakes, err := h.processes()
	if err != nil {
		return s, err
	}
	s.Namesakes = namesakes
	s.assign(found, h.Runtime.Owns)
	if s.Fence, err = h.FenceRecord(); err != nil {
		return s, err
	}
	if s.Fence != nil {
		holds, hole, err := h.Runtime.Blocked(ctx)
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

// assign separates the runtime's own process from strangers.
func (s *Status) assign(found []procfs.Process, owns func(procfs.Process) bool) {
	for _, p := range found {
		if p.Exiting() {
			continue // about to end, and its cgroup may be gone already; a stop still waits for it
		}
		if owns(p) && s.Process == nil { // also one that has started since the runtime was asked
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
