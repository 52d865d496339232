// Command flannel_etcd_endpoints edits the list of etcd's URLs in flannel's environment file (39.1.2 of the chapter).
package main

import (
	"context"
	_ "embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/systemd"
)

//go:embed flannel_etcd_endpoints.yml
var documentation []byte

var rules = ansible.Rules{
	MutuallyExclusive: [][]string{{"urls", "add"}, {"urls", "remove"}, {"members", "add"}, {"members", "remove"}, {"members", "urls"}},
	RequiredOneOf:     [][]string{{"add", "remove", "urls", "members"}},
}

type answer struct {
	hosturl.Answer
	Present bool `json:"present"`
	Restart bool `json:"restart"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(_ context.Context, call *ansible.Call, a hosturl.Arguments) (ansible.Result, error) {
	change, err := a.Change()
	if err != nil {
		return ansible.Result{}, err
	}
	content, err := edit.Read(a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return untouched(a, false, ""), nil
	}
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	unit, err := look()
	if err != nil {
		return ansible.Result{}, err
	}
	file, err := envfile.ParseSystemd(content)
	var found lists
	if err == nil {
		found, err = readLists(file)
	}
	switch {
	case err != nil && unit.unused():
		return untouched(a, false, "flanneld.service is neither enabled nor running; "+a.Path+" cannot be read and stays as it is"), nil
	case err != nil:
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	case len(found.keys) == 0:
		return withoutList(a, change, found, unit)
	}
	if a.Compares() {
		return compare(a, found.urls, a.Path+", "+strings.Join(found.keys, " and "), "ansible HOST -m flannel_etcd_endpoints -a urls=%s; then: "+
			"ansible HOST -m systemd_unit -a 'name=flanneld.service state=restarted'")
	}
	warnIfOverruled(call, a.Path, found)
	return apply(call, a, change, content, found, unit)
}

func compare(a hosturl.Arguments, listed []string, where, fix string) (ansible.Result, error) {
	return ansible.Result{Data: answer{Answer: a.Compared(listed), Present: true}}, a.Compare(listed, where, fix)
}

func apply(call *ansible.Call, a hosturl.Arguments, change hosturl.Change, content []byte, found lists, unit unit) (ansible.Result, error) {
	done, err := a.Edit(change, content, found, call.CheckMode)
	data := answer{Answer: done.Answer, Present: true}
	if err != nil {
		return ansible.Result{Data: data}, fault.Wrap(fault.Invalid, err, "%s, %s", a.Path, strings.Join(found.keys, " and "))
	}
	if !done.Changed {
		return ansible.Result{Data: data}, nil
	}
	call.MarkChanged()
	data.Restart = unit.Enabled() && unit.Runs()
	diff := ansible.Diff{Before: done.TextBefore, After: done.TextNow, BeforeHeader: a.Path, AfterHeader: a.Path}
	return ansible.Result{Changed: true, Diff: []ansible.Diff{diff}, Data: data}, nil
}

// withoutList is the answer where no key lists a member. That is right where flannel is not used, or is configured in another way.
func withoutList(a hosturl.Arguments, change hosturl.Change, found lists, unit unit) (ansible.Result, error) {
	inUse := unit.Enabled() || unit.Runs()
	switch {
	case len(found.options) > 0 && !hosturl.OnlyLoopback(found.options) && a.Compares():
		return compare(a, found.options, a.Path+", -etcd-endpoints in FLANNEL_OPTIONS", "by hand in "+a.Path+": -etcd-endpoints=%s; then `systemctl restart flanneld`")
	case len(found.options) > 0 && !hosturl.OnlyLoopback(found.options):
		return byOptions(a, change, found.options)
	case found.loopback && !inUse:
		return untouched(a, false, a.Path+" lists this host alone, and flanneld.service is neither enabled nor running: it stays as it is"), nil
	case found.loopback || len(found.options) > 0:
		return untouched(a, true, a.Path+" lists this host alone, by its loopback address, and no member: it stays as it is"), nil
	case unit.unused():
		return untouched(a, false, "flanneld.service is neither enabled nor running, and "+a.Path+" lists no URL: it stays as it is"), nil
	}
	return ansible.Result{}, fault.New(fault.Invalid, "%s: expected %s=URL,URL, found %s", a.Path, newKey, found.instead).
		WithHint("`systemctl cat flanneld` shows where flanneld has its URLs from; change them there by hand, or name that file: path=…, -e openshift_etcd_clients_flannel_file=… of the playbooks")
}

// byOptions is the answer where the list is an option of flanneld's command line, which is not edited.
func byOptions(a hosturl.Arguments, change hosturl.Change, listed []string) (ansible.Result, error) {
	out, err := change.Apply(listed)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s, -etcd-endpoints in FLANNEL_OPTIONS", a.Path)
	}
	was, is := strings.Join(listed, ","), strings.Join(out.After, ",")
	if was == is {
		data := answer{Answer: a.Untouched(), Present: true}
		data.Before, data.After, data.Unmatched = listed, out.After, out.Unmatched
		return ansible.Result{Data: data}, nil
	}
	return ansible.Result{}, fault.New(fault.Unsupported, "%s: the list is the option -etcd-endpoints in FLANNEL_OPTIONS, and not in %s; only the latter is edited, so nothing was changed", a.Path, newKey).
		WithHint("by hand in %s: -etcd-endpoints=%s becomes -etcd-endpoints=%s; then `systemctl restart flanneld`, one node at a time", a.Path, was, is)
}

func untouched(a hosturl.Arguments, present bool, note string) ansible.Result {
	return ansible.Result{Msg: note, Data: answer{Answer: a.Untouched(), Present: present}}
}

// warnIfOverruled warns where a flag on flanneld's command line wins over the list, which then has no effect.
func warnIfOverruled(call *ansible.Call, path string, found lists) {
	if len(found.options) > 0 {
		call.Warn("%s: FLANNEL_OPTIONS holds -etcd-endpoints, which wins over %s: take it out by hand", path, found.keys[0])
	}
}

// unit is flanneld.service, as far as systemd says.
type unit struct {
	systemd.Unit
	known bool
}

// unused is true where flannel is certainly not used.
func (u unit) unused() bool { return u.known && !u.Enabled() && !u.Runs() }

// look passes over a host without systemd: the file is all that tells.
func look() (unit, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	u, err := systemd.Get(ctx, "flanneld.service")
	if fault.KindOf(err) == fault.Timeout {
		return unit{}, err
	}
	return unit{u, err == nil}, nil
}
