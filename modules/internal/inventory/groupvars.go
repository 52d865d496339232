package inventory

import (
	"path/filepath"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/inventory/source"
	"etcd-quorum-restore/modules/internal/readfile"
)

// logins lists, by group, the files of group_vars beside the inventory that set connection variables (ansible_user and the like). Those files are
// never edited, so a host that moves to another group may lose their variables.
func logins(files []string) map[string][]string {
	out := map[string][]string{}
	var dirs []string
	for _, f := range files {
		if dir := filepath.Join(filepath.Dir(f), "group_vars"); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		list, err := readfile.Dir(dir)
		if err != nil {
			continue // no group_vars here
		}
		for _, each := range list {
			group := strings.TrimSuffix(each.Name(), filepath.Ext(each.Name()))
			for _, file := range varFiles(filepath.Join(dir, each.Name()), each.IsDir()) {
				if setsConnection(file) {
					out[group] = append(out[group], file)
				}
			}
		}
	}
	return out
}

// varFiles is the file itself, or the files of a directory named after a group.
func varFiles(path string, isDir bool) []string {
	if !isDir {
		return []string{path}
	}
	list, err := readfile.Dir(path)
	if err != nil {
		return nil
	}
	var out []string
	for _, each := range list {
		if !each.IsDir() {
			out = append(out, filepath.Join(path, each.Name()))
		}
	}
	return out
}

func setsConnection(path string) bool {
	text, err := edit.Read(path) // regular files only: a pipe would never end
	if err != nil {
		return false
	}
	for _, l := range source.SplitLines(string(text)) {
		if strings.HasPrefix(l.Text, "ansible_") {
			return true
		}
	}
	return false
}
