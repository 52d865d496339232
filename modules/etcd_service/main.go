// etcd_service starts and stops etcd, and returns when the effect is there: the process, its ports and its locks are gone, or etcd answers.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/record"
	"etcd-quorum-restore/modules/internal/safefile"
)

//go:embed etcd_service.yml
var documentation []byte

type args struct {
	host.Options
	State        string `json:"state"`
	Wait         string `json:"wait"`
	ForceFlags   string `json:"force_flags"`
	Probe        string `json:"probe"` // of a static pod only, as is the next one
	KeepBinaries bool   `json:"keep_binaries"`
}

// evidence is what was seen of the stop, of the start, or of both.
type evidence struct {
	*host.Evidence
	*host.Started
}

type result struct {
	Runtime  string   `json:"runtime"`
	State    string   `json:"state"`
	Seconds  float64  `json:"seconds"`
	Evidence evidence `json:"evidence"`
	Kept     []string `json:"kept,omitempty"`  // where the files that held a force flag are kept
	Probe    string   `json:"probe,omitempty"` // of a static pod
}

var rules = ansible.Rules{RequiredOneOf: [][]string{{"state", "force_flags", "probe"}}}

func main() { onhost.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	before, err := h.Status(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	s := &service{args: a, call: call, host: h, before: before, start: time.Now()}
	s.data = result{Runtime: h.Runtime.Name(), State: before.State, Probe: h.Probe()}
	err = s.do(ctx)
	s.data.Seconds = time.Since(s.start).Seconds()
	if s.changed && !call.CheckMode {
		s.look()
	}
	return ansible.Result{Changed: s.changed, Msg: s.message(), Data: s.data}, err
}

type service struct {
	args    args
	call    *ansible.Call
	host    *host.Host
	before  host.Status
	start   time.Time
	changed bool
	data    result
}

func (s *service) do(ctx context.Context) error {
	if s.args.ForceFlags == "absent" {
		if err := s.removeForceFlags(ctx); err != nil {
			return err
		}
	}
	if s.args.Probe == "installed" && s.host.Probe() == host.ProbeRemoved {
		return s.installProbe(ctx)
	}
	if s.args.State == "" {
		return nil
	}
	if s.args.State != "stopped" {
		if err := s.host.MayStart(ctx, s.before, host.StartOptions{}); err != nil {
			return err // before the stop of a restart, too
		}
	}
	if s.call.CheckMode {
		s.changed = s.changed || s.args.State == "restarted" || (s.args.State == "started") != s.runs()
		return nil
	}
	if s.args.State != "started" {
		if err := s.stop(ctx); err != nil {
			return err
		}
	}
	if s.args.State == "stopped" {
		return nil
	}
	return s.begin(ctx)
}

// removeForceFlags removes the flags that a forced start by the chapter leaves behind in files.
func (s *service) removeForceFlags(ctx context.Context) error {
	flags, err := s.host.ForceFlags(ctx)
	if err != nil {
		return err
	}
	all := len(flags)
	flags = slices.DeleteFunc(flags, func(f facts.ForceFlag) bool { return f.Where == host.InProcess })
	if all == len(flags) && s.runs() {
		if err := s.removeDoneRecord(ctx); err != nil {
			return err
		}
		if err := s.removeStartRecord(); err != nil {
			return err
		}
	}
	if len(flags) == 0 {
		return nil
	}
	if forcing, err := s.host.IsForcing(); err != nil {
		return err
	} else if forcing {
		return fault.New(fault.Refused, "a forced start was interrupted here, and its flag belongs to it").WithHint("finish it: ansible-playbook playbooks/restore_quorum.yml")
	}
	s.changed = true
	if s.call.CheckMode {
		return nil
	}
	s.call.MarkChanged()
	s.data.Kept, err = s.host.RemoveForceFlags(ctx, flags)
	return err
}

// removeDoneRecord removes the record of a forced start that is over: proven, members have joined since, and only a kill kept the record; or its data
// is gone, and etcd runs with that of another member.
func (s *service) removeDoneRecord(ctx context.Context) error {
	r, err := record.Read[facts.Forcing](s.host.ForcingFile())
	if err != nil || r == nil {
		return nil // what cannot be read counts as begun
	}
	files, err := member.Read(ctx, s.host.DataDir, s.host.Config.WALDir)
	if fault.KindOf(err) == fault.Timeout {
		return err
	}
	if err != nil || !(r.Phase == facts.ForcingProven && len(files.Members) >= 2 || r.MemberID != 0 && files.ID != 0 && r.MemberID != files.ID) {
		return nil
	}
	s.changed = true
	if s.call.CheckMode {
		return nil
	}
	s.call.MarkChanged()
	if _, err := safefile.Backup(s.host.ForcingFile()); err != nil {
		return err
	}
	return safefile.Remove(s.host.ForcingFile())
}

// removeStartRecord removes the record that a start is left to do, where somebody else, such as systemd after a reboot, has started etcd since.
func (s *service) removeStartRecord() error {
	if !readfile.Exists(s.host.PutBackFile()) || s.before.Process == nil {
		return nil
	}
	s.changed = true
	if s.call.CheckMode {
		return nil
	}
	s.call.MarkChanged()
	return safefile.Remove(s.host.PutBackFile())
}

// runs is also true of a unit that crashes and is started again and again: a stop changes that.
func (s *service) runs() bool {
	return s.before.State == facts.Running || s.before.State == facts.Starting
}

func (s *service) stop(ctx context.Context) error {
	if s.runs() {
		s.change()
	}
	if s.args.KeepBinaries {
		if err := s.host.KeepBinaries(ctx); err != nil {
			return err
		}
	}
	e, err := s.host.Stop(ctx)
	s.data.Evidence.Evidence = &e
	return err
}

// installProbe puts the liveness probe back. The kubelet takes a manifest only as a whole, so a running etcd is restarted once. A stopped one
// stays stopped, unless state says otherwise.
func (s *service) installProbe(ctx context.Context) error {
	wanted := s.runs() && s.args.State != "stopped" || s.args.State == "started" || s.args.State == "restarted"
	if wanted {
		if err := s.host.MayStart(ctx, s.before, host.StartOptions{}); err != nil {
			return err
		}
	}
	if err := s.host.MayInstallProbe(); err != nil {
		return err
	}
	s.changed = true
	if s.call.CheckMode {
		return nil
	}
	s.call.MarkChanged()
	if err := s.stop(ctx); err != nil {
		return err
	}
	if err := s.host.InstallProbe(ctx); err != nil || !wanted {
		return err
	}
	s.before.Process = nil
	return s.begin(ctx)
}

func (s *service) begin(ctx context.Context) error {
	if s.args.State == "restarted" || s.before.Process == nil {
		s.change()
	}
	started, err := s.host.Start(ctx, host.StartOptions{Wait: host.Wait(s.args.Wait)})
	s.data.Evidence.Started = &started
	if err != nil {
		return err
	}
	return s.host.DropBinaries() // a backup that needed them is done
}

func (s *service) change() {
	s.changed = true
	s.call.MarkChanged()
}

// look returns how etcd is now, also after a failure: the run's time may be over then.
func (s *service) look() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if after, err := s.host.Status(ctx); err == nil {
		s.data.State = after.State
	}
	s.data.Probe = s.host.Probe()
}

func (s *service) message() string {
	switch e := s.data.Evidence; {
	case s.args.Probe != "" && s.args.State == "" && s.args.ForceFlags == "":
		return map[string]string{"": "etcd is no static pod: there is no probe", host.ProbePresent: "the liveness probe is in place",
			host.ProbeRemoved: "the liveness probe is out, and would be put back", host.ProbeNone: "the installer's manifest has no liveness probe"}[s.data.Probe]
	case s.args.State == "" && s.changed:
		return "flags of a forced start are taken out of files"
	case s.args.State == "":
		return "no file asks for a forced start"
	case s.call.CheckMode && s.changed:
		return fmt.Sprintf("etcd is %s, and would be %s", s.before.State, s.args.State)
	case e.Started != nil && e.Serving:
		return "etcd runs and serves clients"
	case e.Started != nil:
		return fmt.Sprintf("etcd is %s (%s)", s.data.State, e.Unit)
	case e.Evidence != nil && e.WasRunning:
		return "etcd is stopped: process gone, ports closed, locks free"
	}
	return "etcd is " + s.data.State + " already"
}
