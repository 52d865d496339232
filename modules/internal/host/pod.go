package host

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
)

// pod is etcd as a static pod: the kubelet runs it for as long as its manifest is in the manifest directory. Only files, processes and sockets
// are read: without a quorum neither the API nor `oc` answers.
type pod struct {
	host *Host
	node node

	searched bool // for manifests that were left elsewhere: once a run, since a search takes up to two seconds
	found    []stray

	moved bool // the manifest was in when this run began, and this run has taken it out

	asked  time.Time // when Stop was asked for
	grace  time.Duration
	killed bool // the grace period was over before etcd was gone

	ready       procfs.Process // served clients when it was last asked
	nextAsk     time.Time
	answersSlow bool
}

func (p *pod) Name() string { return facts.StaticPod }

func (p *pod) Words() Words {
	return Words{Self: "the pod: ", Starter: "the kubelet", Log: "`ansible HOST -m etcd_log_info`, or `master-logs etcd etcd`",
		Slow: "a frozen etcd is killed by the kubelet after 30 seconds, so a larger timeout may be enough; else look at systemctl status atomic-openshift-node"}
}

// uidOf is the UID of the pod that a process belongs to, from its cgroup; "" for a process that the kubelet did not start. The cgroupfs driver
// has …/kubepods/burstable/pod<UID>/<container>, the systemd driver …/kubepods-burstable-pod<UID with underscores>.slice/docker-<id>.scope.
func uidOf(p procfs.Process) string {
	m := inPod.FindStringSubmatch(p.CGroup)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "_", "-")
}

var inPod = regexp.MustCompile(`kubepods[^\n]*[/-]pod([0-9a-f][0-9a-f_-]{30,35})(?:\.slice)?/`)

// Look never parses the manifest: facts are needed of a host with an odd one too.
func (p *pod) Look(ctx context.Context) (View, error) {
	v := View{User: "root", Once: true} // of the container: root may read everything
	live, err := p.live()
	if err != nil {
		return v, err
	}
	v.Enabled = len(live) > 0
	found, err := p.host.Processes()
	if err != nil {
		return v, err
	}
	own := p.own(found)
	switch {
	case own != nil:
		v.PID, v.State, v.Ready = own.PID, facts.Running, p.serves(ctx, *own)
		v.Detail = fmt.Sprintf("pod %s runs", uidOf(*own))
		if v.Leaving = !v.Enabled; v.Leaving {
			v.Detail += ", its manifest is out"
		}
	case v.Enabled:
		v.State, v.Detail = facts.Starting, "the manifest is in place, and no etcd runs (the kubelet waits up to 300 seconds after crashes)"
		if p.node.down(ctx) {
			v.Detail = "the manifest is in place, and the node service is down"
		}
	default:
		v.State, v.Detail = facts.Stopped, "the manifest is out"
		if dirs := podDirs(); len(dirs) > 0 && !p.node.down(ctx) {
			v.Pending, v.Detail = true, "the kubelet still clears up "+dirs[0]
		}
	}
	p.noteEnd(own)
	v.Killed = p.killed
	return v, nil
}

// Owns is true for a process of a static pod: only root can write its manifest. Other pods may be anybody's, and have UIDs of another form.
func (p *pod) Owns(one procfs.Process) bool {
	return staticUID.MatchString(uidOf(one)) && p.host.uses(one)
}

// own is the etcd that the kubelet started.
func (p *pod) own(found []procfs.Process) *procfs.Process {
	for _, each := range found {
		if p.Owns(each) {
			return &each
		}
	}
	return nil
}

// noteEnd infers a SIGKILL from the time: /proc has no exit status of a process that is not our child.
func (p *pod) noteEnd(own *procfs.Process) {
	if p.asked.IsZero() {
		return
	}
	p.killed = time.Since(p.asked) >= p.grace
	if own == nil {
		p.asked = time.Time{}
	}
}

// Limits of the question whether etcd serves clients. A member without quorum accepts the connection and never answers, so after the first time
// the question must be short: others wait for its end.
const (
	firstAnswer = time.Second
	laterAnswer = 200 * time.Millisecond
	askAgain    = 500 * time.Millisecond
)

// serves is for a pod what READY=1 is for a unit: etcd answers clients, so its signal handler is in place.
func (p *pod) serves(ctx context.Context, own procfs.Process) bool {
	if same(p.ready, own) {
		return true
	}
	if time.Now().Before(p.nextAsk) {
		return false
	}
	limit := firstAnswer
	if p.answersSlow {
		limit = laterAnswer
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := p.host.ask(ctx, p.host.Config.ListenClientURLs, p.host.Config.ClientURLs, "/version")
	if err == nil {
		p.ready = own
		return true
	}
	if p.answersSlow = ctx.Err() != nil; p.answersSlow {
		p.nextAsk = time.Now().Add(askAgain)
	}
	return false
}

func same(a, b procfs.Process) bool { return a.PID == b.PID && a.Started == b.Started && a.PID != 0 }
