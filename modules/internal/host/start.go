package host

import (
	"context"
	"fmt"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Wait is how far a start has to get before Start returns.
type Wait string

const (
	WaitNone    Wait = "none"    // the runtime took the request and did not refuse it at once
	WaitProcess Wait = "process" // the process runs and its peer port answers: all that a member without quorum can show
	WaitServing Wait = "serving" // it serves clients: /health, which takes a linearizable read
)

// StartOptions say what to wait for. Forced is for the start that etcd_force_new_cluster makes on a host that it has fenced itself.
type StartOptions struct {
	Wait   Wait
	Forced bool
}

// Started is what was seen after a start.
type Started struct {
	AlreadyRunning bool   `json:"already_running"`
	PID            int    `json:"pid,omitempty"`
	PeerPort       bool   `json:"peer_port"` // it answers /version
	Serving        bool   `json:"serving"`
	Unit           string `json:"unit,omitempty"` // in systemd's words
	LastProbe      string `json:"last_probe,omitempty"`
}

// crashes is how many processes of one start count as a crash loop.
const crashes = 4

// Start starts etcd where it is not running, and waits for evidence. It never uses the runtime's own waiting: without a quorum that ends in a
// kill after 90 seconds.
func (h *Host) Start(ctx context.Context, o StartOptions) (Started, error) {
	ctx, cancel := limited(ctx)
	defer cancel()
	before, err := h.Status(ctx)
	if err != nil {
		return Started{}, err
	}
	if err := h.MayStart(ctx, before, o); err != nil {
		return Started{}, err
	}
	s := Started{AlreadyRunning: before.Process != nil}
	if !s.AlreadyRunning {
		if err := h.Runtime.Start(ctx); err != nil {
			return s, err
		}
	}
	s, err = h.watch(ctx, s, o.Wait)
	if err == nil {
		err = safefile.Remove(h.PutBackFile())
	}
	return s, err
}

// MayStart refuses a start that could lose data, or that cannot succeed.
func (h *Host) MayStart(ctx context.Context, s Status, o StartOptions) error {
	if s.Fence != nil && !o.Forced {
		return fault.New(fault.Refused, "etcd is fenced on this host since %s: %s", s.Fence.When, s.Fence.Why).
			WithHint("etcd_fence state=absent takes the fence away, once the host is to be a member again")
	}
	if len(s.Strangers) > 0 {
		return fault.New(fault.Refused, "an etcd that %s did not start runs here: %s", h.Runtime.Words().Starter, describe(s.Strangers[0])).
			WithHint("end it by `%s`, then run this again", h.EndBy(s.Strangers[0]))
	}
	if s.View.Leaving {
		return fault.New(fault.Refused, "etcd is on its way out (%s%s): what would be found running now is gone in a moment", h.Runtime.Words().Self, s.View.Detail).
			WithHint("etcd_service state=stopped, which waits for its end, then state=started")
	}
	if s.Process != nil {
		return nil
	}
	data, err := h.HasData()
	if err == nil && !data && h.Config.InitialClusterState != "existing" {
		return fault.New(fault.Refused, "%s holds no member, and ETCD_INITIAL_CLUSTER_STATE is %q: started like this, etcd would make a new, empty cluster",
			h.DataDir, h.Config.InitialClusterState).
			WithHint("to join a cluster, add the member there first, then set ETCD_INITIAL_CLUSTER_STATE=existing in %s", h.EtcdConf)
	}
	if err == nil && data {
		err = h.CheckOwner(ctx, s.View.User)
	}
	return err
}

func (h *Host) watch(ctx context.Context, s Started, wait Wait) (Started, error) {
	var pids []int
	var last Status
	begin := time.Now()
	for {
		st, err := h.Status(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return s, h.late(ctx, s, wait, last, len(pids), begin)
			}
			return s, err
		}
		last = st
		s.note(st)
		if s.PID != 0 && !slices.Contains(pids, s.PID) {
			pids = append(pids, s.PID)
		}
		if err := h.ended(ctx, st, len(pids), begin); err != nil {
			return s, err
		}
		h.probe(ctx, &s, wait)
		if s.enough(wait) {
			return s, nil
		}
		if !pause(ctx, 2*lookEvery) {
			return s, h.late(ctx, s, wait, last, len(pids), begin)
		}
	}
}

func (s *Started) note(st Status) {
	s.PID, s.Unit = 0, st.View.Detail
	if st.Process != nil {
		s.PID = st.Process.PID
		return
	}
	s.PeerPort, s.Serving = false, false
}

func (h *Host) probe(ctx context.Context, s *Started, wait Wait) {
	if s.PID == 0 || wait == WaitNone {
		return
	}
	err := h.PeerAnswers(ctx)
	if s.PeerPort = err == nil; s.PeerPort && wait == WaitServing {
		err = h.Healthy(ctx)
		s.Serving = err == nil
	}
	s.LastProbe = ""
	if err != nil {
		s.LastProbe = err.Error()
	}
}

func (s Started) enough(wait Wait) bool {
	switch wait {
	case WaitNone:
		return true
	case WaitProcess:
		return s.PeerPort
	}
	return s.Serving
}

// ended recognizes a start that has failed for good, and says why in etcd's own words.
func (h *Host) ended(ctx context.Context, st Status, processes int, begin time.Time) error {
	switch {
	case st.View.Refused != "" && st.Process == nil && !st.View.Pending:
		return fault.New(fault.Refused, "systemd refuses to start %s: %s", unitName, st.View.Refused).
			WithHint("systemctl status %s says which one", unitName)
	case st.View.Once && processes > 0 && st.Process == nil:
		return h.because(ctx, begin, "etcd ended after its start")
	case processes >= crashes:
		return h.because(ctx, begin, "etcd ends again and again after its start")
	case st.Process == nil && !st.View.Pending && down(st.View):
		return h.because(ctx, begin, "etcd ended right after its start; "+h.Runtime.Words().Self+st.View.Detail)
	}
	return nil
}

// crashedBefore is how far back a process may have ended for which the runtime still waits: the kubelet's longest pause.
const crashedBefore = 5 * time.Minute

// late says what there was when the time was over. An etcd that ends and is started again is a crash, and neither a slow start nor a member that
// waits for others.
func (h *Host) late(ctx context.Context, s Started, wait Wait, last Status, processes int, begin time.Time) error {
	waits := last.Process == nil && last.View.State == facts.Starting // the runtime will start it again
	switch {
	case processes > 1:
		return h.because(ctx, begin, "etcd ended after its start, and was started again")
	case waits && processes == 1:
		return h.because(ctx, begin, "etcd ended after its start; "+h.Runtime.Words().Self+last.View.Detail)
	case waits && h.crashed(ctx, begin.Add(-crashedBefore)):
		return h.because(ctx, begin.Add(-crashedBefore), "etcd ended; "+h.Runtime.Words().Self+last.View.Detail)
	}
	return h.notStarted(s, wait)
}

// crashed tells whether etcd has logged its own end since then.
func (h *Host) crashed(ctx context.Context, since time.Time) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	entries, err := h.Runtime.Entries(ctx, since.Format(sinceLayout), lastLines)
	worst, some := etcdlog.Worst(entries)
	return err == nil && some && worst.Level <= etcdlog.Critical
}

// How the end of etcd's log is asked for.
const (
	sinceLayout = "2006-01-02 15:04:05"
	lastLines   = 100
)

func (h *Host) because(ctx context.Context, begin time.Time, what string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	entries, err := h.Runtime.Entries(ctx, begin.Format(sinceLayout), lastLines) // without the lines of an earlier crash
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s", what)
	}
	return fault.New(fault.Internal, "%s%s", what, lastWords(entries)).WithHint("%s", h.nextStep(entries))
}

// lastWords is the gravest line that etcd logged.
func lastWords(entries []etcdlog.Entry) string {
	worst, ok := etcdlog.Worst(entries)
	if !ok {
		return ", and logged nothing"
	}
	return ": " + worst.Text
}

// nextStep is the advice for a failure that is known.
func (h *Host) nextStep(entries []etcdlog.Entry) string {
	if problems := etcdlog.Explain(entries); len(problems) > 0 {
		return problems[0].Line + ". " + problems[0].Advice
	}
	return h.Runtime.Words().Log
}

func (h *Host) notStarted(s Started, wait Wait) error {
	seen := "no etcd process"
	switch {
	case s.PeerPort:
		seen = fmt.Sprintf("process %d, whose peer port answers, and which does not serve clients", s.PID)
	case s.PID != 0:
		seen = fmt.Sprintf("process %d, whose peer port does not answer", s.PID)
	}
	if s.LastProbe != "" {
		seen += " (" + s.LastProbe + ")"
	}
	err := fault.New(fault.Timeout, "etcd was started; expected it to be %s in time, found %s", map[Wait]string{WaitProcess: "there", WaitServing: "serving"}[wait], seen)
	if s.PeerPort {
		return err.WithHint("without a quorum etcd never serves: start the other members at the same time (wait=process), or look first: ansible-playbook playbooks/check_quorum.yml")
	}
	return err.WithHint("%s", h.Runtime.Words().Log)
}
