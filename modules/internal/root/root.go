// Package root is the root directory of the host's fixed paths. It is "/" in every released module. Only the linker can set another one, and only
// tests do so: the real binary then runs on a machine whose own etcd and systemd must not be touched.
package root

import (
	"os/exec"
	"path/filepath"
)

// Dir is set by the linker (-X); "" is the real host.
var Dir string

// Path is the place of path on the host.
func Path(path string) string {
	if Dir == "" {
		return path
	}
	return filepath.Join(Dir, path)
}

// Command is the full path of a program of the host. sshd's PATH may lack the sbin directories, so they are searched as well.
func Command(name string) string {
	if Dir != "" {
		return filepath.Join(Dir, "usr/bin", name)
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return name
}
