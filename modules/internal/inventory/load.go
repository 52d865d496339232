package inventory

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Names that Ansible skips in an inventory directory, and endings of names (its INVENTORY_IGNORE_EXTS). Ansible 2.9 also skips .ini there, which
// is edited all the same: a later Ansible reads it.
var (
	ignoredNames = []string{"host_vars", "group_vars", "vars_plugins"}
	ignoredEnds  = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"}
)

// Find lists the files of an inventory in Ansible's order: a directory's by name, and those of its directories in their place.
func Find(paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, fault.New(fault.Invalid, "no inventory is given; expected a file or a directory")
	}
	var out []string
	for _, p := range paths {
		files, err := find(p)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fault.New(fault.Invalid, "the directory %s holds no inventory file", p)
		}
		for _, f := range files {
			if out, err = appendOnce(out, f); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// appendOnce skips a file that is in the list already, perhaps under another name: it would wait for its own lock.
func appendOnce(list []string, path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	for _, have := range list {
		if other, err := os.Stat(have); err == nil && os.SameFile(info, other) {
			return list, nil
		}
	}
	return append(list, path), nil
}

func find(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Invalid, "the inventory %s does not exist", path).
			WithHint("give the file or directory that `ansible-playbook -i` gets; a list of hosts on the command line cannot be edited")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the inventory %s cannot be read", path)
	}
	if info.Mode().IsRegular() {
		return []string{path}, nil
	}
	if !info.IsDir() {
		return nil, fault.New(fault.Unsupported, "the inventory %s is neither a file nor a directory", path)
	}
	list, err := readfile.Dir(path)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the inventory %s cannot be read", path)
	}
	var out []string
	for _, each := range list {
		if ignored(each.Name()) {
			continue
		}
		more, err := find(filepath.Join(path, each.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func ignored(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	for _, n := range ignoredNames {
		if name == n {
			return true
		}
	}
	for _, end := range ignoredEnds {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// Load reads and parses the files. Scripts and plugins' configurations are only named in the set; where there is nothing else, that is an error,
// since there is no file to edit.
func Load(files []string) (*Set, error) {
	set := &Set{Logins: logins(files)}
	for _, path := range files {
		text, err := edit.Read(path)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the inventory %s cannot be read", path)
		}
		if why := dynamic(path, text); why != "" {
			set.Dynamic = append(set.Dynamic, path+" ("+why+")")
			continue
		}
		if ext := filepath.Ext(path); ext == ".json" || ext == ".toml" {
			return nil, fault.New(fault.Unsupported, "%s: only INI and YAML inventories can be edited; %s has no place for the comment of a host that leaves", path, ext[1:]).
				WithHint("change the group in that file by hand")
		}
		if bytes.HasPrefix(text, []byte("$ANSIBLE_VAULT;")) {
			return nil, fault.New(fault.Unsupported, "%s is encrypted by ansible-vault, so it cannot be edited", path).
				WithHint("`ansible-vault edit %s`, and change the group by hand", path)
		}
		parsed, err := Parse(path, string(text))
		if err != nil {
			return nil, inFile(path, err)
		}
		set.Sources = append(set.Sources, parsed)
	}
	return set, nil
}

// dynamic says why Ansible would run the file, or a plugin, rather than read hosts from it.
func dynamic(path string, text []byte) string {
	if bytes.HasPrefix(text, []byte("#!")) {
		return "a script: it begins with #!"
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
		return "executable, so Ansible runs it; `chmod a-x` makes it a file that is read"
	}
	if ext := filepath.Ext(path); ext == ".yml" || ext == ".yaml" {
		var config struct {
			Plugin string `yaml:"plugin"`
		}
		if yaml.Unmarshal(text, &config) == nil && config.Plugin != "" {
			return "a configuration of the inventory plugin " + config.Plugin
		}
	}
	return ""
}
