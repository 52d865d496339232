// Command etcd_config edits keys of etcd.conf and the members in ETCD_INITIAL_CLUSTER (39.1.2 and 39.1.4 of the chapter).
package main

import (
	"context"
	_ "embed"
	"encoding/json"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/confedit"
)

//go:embed etcd_config.yml
var documentation []byte

var rules = ansible.Rules{
	MutuallyExclusive: [][]string{{"initial_cluster", "initial_cluster_add"}, {"initial_cluster", "initial_cluster_remove"}},
	RequiredOneOf:     [][]string{{"settings", "initial_cluster", "initial_cluster_add", "initial_cluster_remove"}},
}

type args struct {
	Path       string            `json:"path"`
	Settings   map[string]any    `json:"settings"`
	Cluster    []json.RawMessage `json:"initial_cluster"`
	Add        []json.RawMessage `json:"initial_cluster_add"`
	Remove     []json.RawMessage `json:"initial_cluster_remove"`
	ExpectName string            `json:"expect_name"`
	Backup     bool              `json:"backup"`
}

type answer struct {
	Path       string             `json:"path"`
	Before     map[string]*string `json:"before"`
	After      map[string]*string `json:"after"`
	Unmatched  []string           `json:"unmatched"`
	BackupFile string             `json:"backup_file,omitempty"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	asked, err := readRequest(a)
	if err != nil {
		return ansible.Result{}, err
	}
	e, err := confedit.Plan(a.Path, asked)
	if err != nil {
		return ansible.Result{}, err
	}
	data := &answer{Path: e.Path, Before: e.Before, After: e.After, Unmatched: e.Unmatched}
	result := ansible.Result{Changed: e.Changes(), Data: data}
	if !result.Changed {
		return result, nil
	}
	result.Diff = []ansible.Diff{{Before: e.OldLines, After: e.NewLines, BeforeHeader: e.Path, AfterHeader: e.Path}}
	if call.CheckMode {
		return result, nil
	}
	if data.BackupFile, err = e.Save(a.Backup); err != nil {
		return ansible.Result{Data: data}, err
	}
	call.MarkChanged()
	return result, nil
}
