package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// Lab is one running set of hosts; several can exist side by side.
type Lab struct {
	Name    string
	Slot    int
	Options Options
	Hosts   []Host

	dir string
}

var labName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// projectRoot finds the checkout: from the installed tool (.cache/bin/lab), or
// upwards from the current directory under `go run`.
func projectRoot() (string, error) {
	if exe, err := os.Executable(); err == nil {
		root := filepath.Join(filepath.Dir(exe), "..", "..")
		if isRoot(root) {
			return filepath.Clean(root), nil
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if isRoot(dir) {
			return dir, nil
		}
	}
	return "", errors.New("not inside the project: no molecule/lab/go.mod in any parent directory")
}

func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "molecule/lab/go.mod"))
	return err == nil
}

func labsDir(root string) string { return filepath.Join(root, ".cache/labs") }

// newLab reserves a name; its slot is chosen when its network is made.
func newLab(root, name string, o Options) (*Lab, error) {
	if !labName.MatchString(name) {
		return nil, fmt.Errorf("lab name %q: lower-case letters, digits and dashes, at most 31", name)
	}
	l := &Lab{Name: name, Options: o, dir: filepath.Join(labsDir(root), name)}
	if _, err := os.Stat(l.path("lab.json")); err == nil {
		return nil, fmt.Errorf("lab %s exists already; `lab down %s` removes it", name, name)
	}
	return l, os.MkdirAll(l.dir, 0o700)
}

func openLab(root, name string) (*Lab, error) {
	l := &Lab{dir: filepath.Join(labsDir(root), name)}
	b, err := os.ReadFile(l.path("lab.json"))
	if err != nil {
		return nil, fmt.Errorf("no lab named %s (%w); `lab up %s` makes it", name, err, name)
	}
	return l, json.Unmarshal(b, l)
}

func (l *Lab) save() error { return l.saveAs("lab.json") }

func (l *Lab) saveAs(file ...string) error {
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(l.path(file...), append(b, '\n'), 0o600)
}

// readFrom takes what saveAs has written.
func (l *Lab) readFrom(file ...string) error {
	b, err := os.ReadFile(l.path(file...))
	if err != nil {
		return err
	}
	l.Hosts = nil
	return json.Unmarshal(b, l)
}

func (l *Lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

// prefix keeps labs of two checkouts apart: podman's names are shared by the
// whole machine.
func (l *Lab) prefix() string {
	sum := crc32.ChecksumIEEE([]byte(filepath.Dir(l.dir)))
	return fmt.Sprintf("lab%04x-%s", sum&0xffff, l.Name)
}

func (l *Lab) container(h Host) string { return l.prefix() + "-" + h.Short() }
func (l *Lab) volume(h Host) string    { return l.container(h) + "-data" }
func (l *Lab) network() string         { return l.prefix() }

// lock serializes what must not run twice at once: builds, the choice of a
// network.
func lock(file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
