// etcd_data_dir moves a member's data aside within its data directory, or back.
package main

import (
	"context"
	_ "embed"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/setaside"
)

//go:embed etcd_data_dir.yml
var documentation []byte

type args struct {
	host.Options
	etcd.Access
	State string `json:"state"`
	Path  string `json:"path"`
}

type result struct {
	Path     string           `json:"path"`
	MemberID facts.ID         `json:"member_id"`
	Bytes    int64            `json:"bytes"`
	SetAside []facts.SetAside `json:"set_aside"`
}

func main() { onhost.Main(documentation, ansible.Rules{}, run) }

func (a args) OfHost() (host.Options, error) {
	if a.Path != "" && a.State != "restored" {
		return a.Options, fault.New(fault.Invalid, "path is for state=restored: where data goes when it is set aside is not a choice")
	}
	return a.Options, nil
}

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	if h.Config.WALDir != "" {
		return ansible.Result{}, fault.New(fault.Unsupported, "ETCD_WAL_DIR puts the log at %s, apart from the database; the two cannot be moved in one step", h.WALDir()).
			WithHint("with etcd stopped, move the .wal files of %s to %s/wal, keep their owner, and remove the line ETCD_WAL_DIR from %s; then run this again",
				h.WALDir(), h.MemberDir(), h.EtcdConf)
	}
	copies, err := setaside.List(ctx, h.DataDir)
	if err != nil {
		return ansible.Result{}, err
	}
	m := mover{call: call, args: a, host: h, copies: copies}
	if a.State == "restored" {
		return m.restore(ctx)
	}
	return m.aside(ctx)
}

type mover struct {
	call   *ansible.Call
	args   args
	host   *host.Host
	copies []facts.SetAside
}

func (m mover) aside(ctx context.Context) (ansible.Result, error) {
	data, err := m.host.HasMember()
	if err != nil {
		return ansible.Result{}, err
	}
	if !data {
		return m.noData()
	}
	if err := m.mayLeave(ctx); err != nil {
		return ansible.Result{}, err
	}
	moved := facts.SetAside{Path: setaside.Place(m.host.DataDir, time.Now())}
	if who, err := m.host.Member(); err == nil && who != nil {
		moved.MemberID = who.ID
	}
	if moved.Bytes, err = setaside.Bytes(ctx, m.host.MemberDir()); err != nil {
		return ansible.Result{}, err
	}
	forcing, err := recordAt(filepath.Dir(m.host.ForcingFile()), m.host.ForcingFile())
	if err != nil {
		return ansible.Result{}, err
	}
	if m.call.CheckMode {
		return m.answer("would be moved to ", moved), nil
	}
	m.call.MarkChanged()
	if err := setaside.Aside(m.host.DataDir, moved.Path); err != nil {
		return ansible.Result{}, err
	}
	if err := forcing.move(filepath.Dir(moved.Path)); err != nil {
		return ansible.Result{}, err
	}
	m.copies = append(m.copies, moved)
	return m.answer("was moved to ", moved), nil
}

// noData is the answer where there is no member. A record of a forced start may be left, of data that is gone or that an earlier run has moved.
func (m mover) noData() (ansible.Result, error) {
	answer := ansible.Result{Msg: m.host.DataDir + " holds no member", Data: result{SetAside: m.copies}}
	forcing, err := m.host.IsForcing()
	if err != nil || !forcing {
		return answer, err
	}
	answer.Changed = true
	answer.Msg += "; the record of the forced start belongs to data that is gone, and is moved aside"
	if m.call.CheckMode {
		return answer, nil
	}
	m.call.MarkChanged()
	return answer, forcingAway(m.host.ForcingFile())
}

func (m mover) restore(ctx context.Context) (ansible.Result, error) {
	data, err := m.host.HasMember()
	if err != nil {
		return ansible.Result{}, err
	}
	if data && m.args.Path == "" && len(m.copies) == 0 {
		return ansible.Result{Msg: "nothing is set aside, and a member is in place", Data: result{SetAside: m.copies}}, nil
	}
	chosen, err := setaside.Choose(m.copies, m.args.Path)
	if err != nil {
		return ansible.Result{Data: result{SetAside: m.copies}}, err
	}
	if data {
		return ansible.Result{}, fault.New(fault.Refused, "%s holds a member already; nothing is put in its place", m.host.DataDir).
			WithHint("move that one aside first: etcd_data_dir state=set_aside")
	}
	if err := m.host.MustBeIdle(ctx); err != nil {
		return ansible.Result{}, err
	}
	forcing, err := recordAt(filepath.Dir(chosen.Path), m.host.ForcingFile())
	if err != nil {
		return ansible.Result{}, err
	}
	if m.call.CheckMode {
		return m.answer("would be put back from ", chosen), nil
	}
	m.call.MarkChanged()
	if err := forcing.move(filepath.Dir(m.host.ForcingFile())); err != nil { // first: without it the data looks like any other
		return ansible.Result{}, err
	}
	if err := setaside.Back(m.host.DataDir, chosen); err != nil {
		return ansible.Result{}, err
	}
	if m.copies, err = setaside.List(ctx, m.host.DataDir); err != nil {
		return ansible.Result{}, err
	}
	return m.answer("was put back from ", chosen), nil
}

func (m mover) answer(what string, moved facts.SetAside) ansible.Result {
	return ansible.Result{
		Changed: true,
		Msg:     m.host.MemberDir() + " " + what + filepath.Dir(moved.Path),
		Data:    result{Path: moved.Path, MemberID: moved.MemberID, Bytes: moved.Bytes, SetAside: m.copies},
	}
}
