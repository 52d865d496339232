// Command etcd_config edits keys of etcd.conf and the members in ETCD_INITIAL_CLUSTER (39.1.2 and 39.1.4 of the chapter).
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
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
	content, err := edit.Read(a.Path)
	if err != nil {
		failed := fault.Wrap(fault.Invalid, err, "%s", a.Path)
		if failed.Hint == "" {
			failed = failed.WithHint("run this module on hosts of etcd only; etcd_config_backup state=restored brings a lost /etc/etcd back")
		}
		return ansible.Result{}, failed
	}
	file, err := envfile.Parse(content)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path).
			WithHint("nothing was changed; put that line right by hand, so that systemd and a shell read the same, and run the task again")
	}
	result, err := apply(call, a, asked, content, file)
	if err != nil {
		return result, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	return result, nil
}

func apply(call *ansible.Call, a args, asked request, content []byte, file *envfile.File) (ansible.Result, error) {
	if name, _ := file.Get(nameKey); a.ExpectName != "" && name != a.ExpectName {
		return ansible.Result{}, fault.New(fault.Refused, "expected ETCD_NAME=%s, found %q; nothing was changed", a.ExpectName, name).
			WithHint("this may be another host's file, copied here: compare ETCD_NAME and the URLs with this host")
	}
	wanted, unmatched, err := asked.values(file)
	if err != nil {
		return ansible.Result{}, err
	}
	after, err := edited(content, wanted)
	if err != nil {
		return ansible.Result{}, err
	}
	data := &answer{Path: a.Path, Before: touched(file, wanted), After: touched(after, wanted), Unmatched: unmatched}
	result := ansible.Result{Changed: !slices.Equal(content, after.Bytes()), Data: data}
	if !result.Changed {
		return result, nil
	}
	result.Diff = []ansible.Diff{{Before: lines(file, after, wanted), After: lines(after, file, wanted), BeforeHeader: a.Path, AfterHeader: a.Path}}
	if call.CheckMode {
		return result, nil
	}
	data.BackupFile, err = edit.Save(a.Path, content, after.Bytes(), a.Backup)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	call.MarkChanged()
	return result, nil
}

// edited is the file with all wanted values set; nil removes a key.
func edited(content []byte, wanted map[string]*string) (*envfile.File, error) {
	file, err := envfile.Parse(content)
	if err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(wanted) {
		if value := wanted[key]; value != nil {
			err = file.Set(key, *value)
		} else {
			err = file.Unset(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return file, nil
}

func touched(file *envfile.File, wanted map[string]*string) map[string]*string {
	out := map[string]*string{}
	for key := range wanted {
		out[key] = nil
		if value, ok := file.Get(key); ok {
			out[key] = &value
		}
	}
	return out
}

// lines are those of file that differ in other, for the diff.
func lines(file, other *envfile.File, wanted map[string]*string) string {
	var out strings.Builder
	for _, key := range file.Keys() {
		if _, ok := wanted[key]; ok && file.Text(key) != other.Text(key) {
			out.WriteString(file.Text(key))
		}
	}
	return out.String()
}
