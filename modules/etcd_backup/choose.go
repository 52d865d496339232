package main

import (
	"etcd-quorum-restore/modules/internal/fault"
)

// Methods.
const (
	snapshot = "snapshot"
	copyAll  = "copy"
	v2       = "v2"
)

// state is what decides which methods are possible now.
type state struct {
	serves   bool   // the member answers status and so gives a snapshot
	silence  error  // why not
	stopped  bool   // proven: no process, ports closed, locks free
	left     string // what is left of a running etcd, in words
	hasData  bool
	dataDir  string
	etcdctl  string // "" = not on this host
	etcdctl2 string // where it was looked for
}

// missing is a method that cannot be used now, with the reason.
type missing struct {
	Method string `json:"method"`
	Why    string `json:"why"`
}

// choose returns the methods to use, and those that are missing. Method all uses what is possible now: a caller who stops etcd and calls the
// module again gets the others too.
func choose(method string, s state) (use []string, left []missing, err error) {
	left = []missing{}
	switch method {
	case "auto":
		if s.serves {
			return []string{snapshot}, left, nil
		}
		return only(copyAll, s)
	case "all":
		for _, each := range []string{snapshot, copyAll, v2} {
			if _, _, err := only(each, s); err == nil {
				use = append(use, each)
			} else {
				left = append(left, missing{each, err.Error()})
			}
		}
		if len(use) == 0 {
			return nil, nil, s.neither()
		}
		return use, left, nil
	}
	return only(method, s)
}

func only(method string, s state) ([]string, []missing, error) {
	left := []missing{}
	switch {
	case method == snapshot && !s.serves:
		return nil, nil, fault.Wrap(fault.Refused, s.silence, "no snapshot can be taken").
			WithHint("a member that was restarted without quorum serves none: stop it (etcd_service state=stopped) and take method=copy")
	case method == snapshot:
		return []string{snapshot}, left, nil
	case !s.stopped && !s.serves:
		return nil, nil, s.neither()
	case !s.stopped:
		return nil, nil, fault.New(fault.Refused, "method %s needs etcd stopped, and it runs: %s", method, s.left).
			WithHint("stop it first (etcd_service state=stopped; this module never does), or take method=snapshot")
	case !s.hasData:
		return nil, nil, fault.New(fault.Refused, "%s holds no member, so there is nothing to back up", s.dataDir)
	case method == v2 && s.etcdctl == "":
		return nil, nil, fault.New(fault.Unsupported, "method v2 needs etcdctl, and %s cannot be used", s.etcdctl2).
			WithHint("method=copy holds the v2 store as well")
	}
	return []string{method}, left, nil
}

func (s state) neither() error {
	if s.stopped {
		return fault.New(fault.Refused, "etcd is stopped and %s holds no member, so there is nothing to back up", s.dataDir)
	}
	return fault.New(fault.Refused, "etcd runs (%s) and serves no client (%v), so neither a snapshot nor a copy is possible", s.left, s.silence).
		WithHint("a member that was restarted without quorum does that: stop it (etcd_service state=stopped), then run this again")
}
