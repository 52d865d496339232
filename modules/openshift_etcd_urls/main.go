// Command openshift_etcd_urls edits the list of etcd's URLs in master-config.yaml (39.1.2 of the chapter).
package main

import (
	"context"
	_ "embed"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

//go:embed openshift_etcd_urls.yml
var documentation []byte

var rules = ansible.Rules{
	MutuallyExclusive: [][]string{{"urls", "add"}, {"urls", "remove"}, {"members", "add"}, {"members", "remove"}, {"members", "urls"}},
	RequiredOneOf:     [][]string{{"add", "remove", "urls", "members"}},
}

func main() { ansible.Main(documentation, rules, run) }

func run(_ context.Context, call *ansible.Call, a hosturl.Arguments) (ansible.Result, error) {
	change, err := a.Change()
	if err != nil {
		return ansible.Result{}, err
	}
	content, err := edit.Read(a.Path)
	if err != nil {
		failed := fault.Wrap(fault.Invalid, err, "%s", a.Path)
		if failed.Hint == "" {
			failed = failed.WithHint("run this module on masters only; path= names another file")
		}
		return ansible.Result{}, failed
	}
	list, err := yamlfile.Open(content, "etcdClientInfo", "urls")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	if a.Compares() {
		err := a.Compare(list.Values(), a.Path+", etcdClientInfo.urls", "ansible HOST -m openshift_etcd_urls -a urls=%s; then, one master after the other: "+
			"ansible HOST -m openshift_master_restart")
		return ansible.Result{Data: a.Compared(list.Values())}, err
	}
	done, err := a.Edit(change, content, list, call.CheckMode)
	if err != nil {
		return ansible.Result{Data: done.Answer}, fault.Wrap(fault.Invalid, err, "%s, etcdClientInfo.urls", a.Path)
	}
	result := ansible.Result{Changed: done.Changed, Data: done.Answer}
	if done.Changed {
		call.MarkChanged()
		result.Diff = []ansible.Diff{{Before: done.TextBefore, After: done.TextNow, BeforeHeader: a.Path, AfterHeader: a.Path}}
	}
	return result, nil
}
