// Command flannel_etcd_endpoints edits the list of etcd's URLs in flannel's environment file (39.1.2 of the chapter).
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
)

//go:embed flannel_etcd_endpoints.yml
var documentation []byte

const key = "FLANNEL_ETCD_ENDPOINTS"

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
	Present    bool     `json:"present"`
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
	if errors.Is(err, fs.ErrNotExist) { // this host does not use flannel
		return ansible.Result{Data: answer{Path: a.Path, Before: []string{}, After: []string{}, Unmatched: []string{}}}, nil
	}
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	file, err := envfile.ParseSystemd(content)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	result, err := apply(call, a, change, content, file)
	if err != nil {
		return result, fault.Wrap(fault.Invalid, err, "%s", a.Path)
	}
	warnIfOverruled(call, a.Path, file)
	return result, nil
}

func apply(call *ansible.Call, a args, change hosturl.Change, content []byte, file *envfile.File) (ansible.Result, error) {
	before, err := endpoints(file)
	if err != nil {
		return ansible.Result{}, err
	}
	out, err := change.Apply(before)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, key)
	}
	data := &answer{Path: a.Path, Present: true, Before: before, After: out.After, Unmatched: out.Unmatched}
	if slices.Equal(before, out.After) {
		return ansible.Result{Data: data}, nil
	}
	text := file.Text(key)
	if err := file.Set(key, strings.Join(out.After, ",")); err != nil {
		return ansible.Result{}, err
	}
	diff := ansible.Diff{Before: text, After: file.Text(key), BeforeHeader: a.Path, AfterHeader: a.Path}
	result := ansible.Result{Changed: true, Diff: []ansible.Diff{diff}, Data: data}
	if call.CheckMode {
		return result, nil
	}
	data.BackupFile, err = edit.Save(a.Path, content, file.Bytes(), a.Backup)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	call.MarkChanged()
	return result, nil
}

// endpoints reads the list. An empty or missing one is refused: flannel would then use http://127.0.0.1:4001, so something else than
// this file configures it.
func endpoints(file *envfile.File) ([]string, error) {
	value, ok := file.Get(key)
	if !ok || strings.TrimSpace(value) == "" {
		return nil, fault.New(fault.Invalid, "expected %s=URL,URL, found %s", key, map[bool]string{true: "an empty value", false: "no such key"}[ok]).
			WithHint("put the key into the file by hand, or pass the path of the file that flanneld.service really reads")
	}
	var out []string
	for _, each := range strings.Split(value, ",") {
		each = strings.TrimSpace(each)
		if err := hosturl.CheckURL(each); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "line %d: %s", file.Line(key), key)
		}
		out = append(out, each)
	}
	return out, nil
}

// warnIfOverruled: a flag on flanneld's command line wins over the list, which then has no effect.
func warnIfOverruled(call *ansible.Call, path string, file *envfile.File) {
	if options, _ := file.Get("FLANNEL_OPTIONS"); strings.Contains(options, "-etcd-endpoints") {
		call.Warn("%s: FLANNEL_OPTIONS holds -etcd-endpoints, which wins over %s: take it out by hand", path, key)
	}
}
