// Command openshift_etcd_urls edits the list of etcd's URLs in master-config.yaml (39.1.2 of the chapter).
package main

import (
	_ "embed"
	"encoding/json"
	"slices"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

//go:embed openshift_etcd_urls.yml
var documentation []byte

var rules = ansible.Rules{
	MutuallyExclusive: [][]string{{"urls", "add"}, {"urls", "remove"}},
	RequiredOneOf:     [][]string{{"add", "remove", "urls"}},
}

type args struct {
	Path   string            `json:"path"`
	Add    []json.RawMessage `json:"add"`
	Remove []json.RawMessage `json:"remove"`
	URLs   []string          `json:"urls"`
	Backup bool              `json:"backup"`
}

type answer struct {
	Path       string   `json:"path"`
	Before     []string `json:"before"`
	After      []string `json:"after"`
	Unmatched  []string `json:"unmatched"`
	BackupFile string   `json:"backup_file,omitempty"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	change, err := hosturl.ParseChange(a.Add, a.Remove, a.URLs)
	if err != nil {
		return ansible.Result{}, err
	}
	content, err := edit.Read(a.Path)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path).
			WithHint("run this module on masters only; path= names another file")
	}
	list, err := yamlfile.Open(content, "etcdClientInfo", "urls")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	return apply(call, a, change, content, list)
}

func apply(call *ansible.Call, a args, change hosturl.Change, content []byte, list *yamlfile.List) (ansible.Result, error) {
	before, text := list.Values(), list.Text()
	out, err := change.Apply(before)
	if err == nil {
		err = list.Set(out.After)
	}
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s, etcdClientInfo.urls", a.Path)
	}
	data := &answer{Path: a.Path, Before: before, After: out.After, Unmatched: out.Unmatched}
	result := ansible.Result{Changed: !slices.Equal(before, out.After), Data: data}
	if !result.Changed {
		return result, nil
	}
	result.Diff = []ansible.Diff{{Before: text, After: list.Text(), BeforeHeader: a.Path, AfterHeader: a.Path}}
	if call.CheckMode {
		return result, nil
	}
	data.BackupFile, err = edit.Save(a.Path, content, list.Bytes(), a.Backup)
	if err != nil {
		return ansible.Result{Data: data}, fault.Wrap(fault.Internal, err, "%s", a.Path)
	}
	call.MarkChanged()
	return result, nil
}
