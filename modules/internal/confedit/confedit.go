// Package confedit edits keys of etcd.conf and the members in ETCD_INITIAL_CLUSTER. It reads the file as systemd and a shell read it alike, and
// writes nothing that would keep etcd from joining by its own name.
package confedit

import (
	"maps"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
)

// Keys of etcd.conf.
const (
	NameKey    = "ETCD_NAME"
	ClusterKey = "ETCD_INITIAL_CLUSTER"
	StateKey   = "ETCD_INITIAL_CLUSTER_STATE"
)

// Edit is what a Request makes of a file; nothing is written yet.
type Edit struct {
	Path      string
	Before    map[string]*string // the keys that the request is about; nil where there is none
	After     map[string]*string
	Unmatched []string // hosts to remove that are not listed

	OldLines string // those that differ, for a diff: never the whole file
	NewLines string

	read, content []byte
}

// Plan reads the file and edits it in memory.
func Plan(path string, r Request) (Edit, error) {
	content, err := edit.Read(path)
	if err != nil {
		failed := fault.Wrap(fault.Invalid, err, "%s", path)
		if failed.Hint == "" {
			failed = failed.WithHint("run this module on hosts of etcd only; etcd_config_backup state=restored brings a lost /etc/etcd back")
		}
		return Edit{}, failed
	}
	file, err := envfile.Parse(content)
	if err != nil {
		return Edit{}, fault.Wrap(fault.Invalid, err, "%s", path).
			WithHint("nothing was changed; put that line right by hand, so that systemd and a shell read the same, and run the task again")
	}
	e, err := r.apply(path, content, file)
	if err != nil {
		return Edit{}, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	return e, nil
}

func (r Request) apply(path string, content []byte, file *envfile.File) (Edit, error) {
	if name, _ := file.Get(NameKey); r.ExpectName != "" && name != r.ExpectName {
		return Edit{}, fault.New(fault.Refused, "expected ETCD_NAME=%s, found %q; nothing was changed", r.ExpectName, name).
			WithHint("this may be another host's file, copied here: compare ETCD_NAME and the URLs with this host")
	}
	wanted, unmatched, err := r.values(file)
	if err != nil {
		return Edit{}, err
	}
	after, err := edited(content, wanted)
	if err != nil {
		return Edit{}, err
	}
	return Edit{Path: path, Before: touched(file, wanted), After: touched(after, wanted), Unmatched: unmatched,
		OldLines: lines(file, after, wanted), NewLines: lines(after, file, wanted), read: content, content: after.Bytes()}, nil
}

// Changes tells whether the file is to be written at all.
func (e Edit) Changes() bool { return !slices.Equal(e.read, e.content) }

// Save writes the file where it changes, and returns the name of the copy if one was asked for.
func (e Edit) Save(backup bool) (copied string, err error) {
	if !e.Changes() {
		return "", nil
	}
	copied, err = edit.Save(e.Path, e.read, e.content, backup)
	if err != nil {
		return copied, fault.Wrap(fault.Invalid, err, "%s", e.Path)
	}
	return copied, nil
}

// edited is the file with all wanted values set; nil removes a key.
func edited(content []byte, wanted map[string]*string) (*envfile.File, error) {
	file, err := envfile.Parse(content)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
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
