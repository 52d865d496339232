// Package root says where the host's fixed paths begin. It is "/" in every module that is delivered; only the linker can set another one, and
// only tests ask it to, so that the real binary runs on a machine whose own etcd and systemd must not be touched.
package root

import (
	"os/exec"
	"path/filepath"
)

// Dir is set by the linker (-X); "" is the real host.
var Dir string

// Path is where the host keeps path.
func Path(path string) string {
	if Dir == "" {
		return path
	}
	return filepath.Join(Dir, path)
}

// Command is the full path of a program of the host. sshd's PATH may lack the sbin directories, so they are looked into by themselves.
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
