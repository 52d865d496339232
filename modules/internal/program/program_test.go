package program

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// The program has the account's IDs, no capability, no way to one, and opens by descriptors what its own rights would not allow.
func TestHostileProgramHasNoRights(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	path := filepath.Join(dir, "grep")
	text, err := os.ReadFile("/bin/grep")
	must(t, err)
	must(t, os.WriteFile(path, text, 0o755))
	must(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "data", "file"), []byte("Uid: handed over\n"), 0o600))
	for _, name := range []string{"data/file", "data"} {
		must(t, os.Chown(filepath.Join(dir, name), 65534, 65534))
	}
	binary, err := os.Open(path)
	must(t, err)
	data, err := os.Open(filepath.Join(dir, "data"))
	must(t, err)
	var out []byte
	must(t, Unprivileged(func() (err error) {
		cmd := Command(t.Context(), binary, Nobody, []*os.File{data}, "-hE", "^(Uid|Gid|Groups|CapEff|CapPrm|CapAmb|NoNewPrivs):", "/proc/self/status", Path(0)+"/file")
		out, err = cmd.Output()
		return err
	}))
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "Groups:\t \n", "CapEff:\t0000000000000000\n",
		"CapPrm:\t0000000000000000\n", "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Uid: handed over\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q in:\n%s", want, out)
		}
	}
	own, err := os.ReadFile("/proc/thread-self/status")
	must(t, err)
	if !strings.Contains(string(own), "NoNewPrivs:\t0\n") {
		t.Error("this process has lost its own way to privileges")
	}
}

// Endless output is cut, and its program ended when the time is over.
// What a program prints is cut, and one that does not end is ended. Two programs: a busy machine may not start one that floods within its time.
func TestHostileOutput(t *testing.T) {
	out, err := Output(t.Context(), "/usr/bin/head", Nobody, "--bytes=1000000", "/dev/zero")
	if err != nil || len(out) != 4096 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Output(ctx, "/usr/bin/yes", Nobody); err == nil {
		t.Error("a program that floods for ever ended well")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHostilePrograms(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string // "" = it runs
	}{
		"root's":                  {func(*testing.T, string) {}, ""},
		"another owner":           {func(t *testing.T, dir string) { must(t, os.Chown(dir+"/bin/etcd", 1234, 0)) }, "/bin/etcd belongs to user 1234"},
		"the group writes":        {func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin/etcd", 0o775)) }, "/bin/etcd can be written to"},
		"others write":            {func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin/etcd", 0o757)) }, "/bin/etcd can be written to"},
		"its directory":           {func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin", 0o777)) }, "/bin can be written to"},
		"a sticky directory":      {func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin", 0o777|os.ModeSticky)) }, "/bin can be written to"},
		"a directory's owner":     {func(t *testing.T, dir string) { must(t, os.Chown(dir+"/bin", 1234, 0)) }, "/bin belongs to user 1234"},
		"the directory above":     {func(t *testing.T, dir string) { must(t, os.Chown(dir, 1234, 0)) }, "belongs to user 1234"},
		"a directory of its name": {func(t *testing.T, dir string) { remake(t, dir, func(at string) error { return os.Mkdir(at, 0o755) }) }, "not a regular file"},
		"not executable":          {func(t *testing.T, dir string) { must(t, os.Chmod(dir+"/bin/etcd", 0o644)) }, "is not executable"},
		"root's link":             {func(t *testing.T, dir string) { link(t, dir, "../lib/etcd") }, ""},
		"root's link to a stranger's": {func(t *testing.T, dir string) {
			link(t, dir, dir+"/lib/etcd")
			must(t, os.Chown(dir+"/lib", 1234, 0))
		}, "/lib belongs to user 1234"},
		"a stranger's link": {func(t *testing.T, dir string) {
			link(t, dir, dir+"/lib/etcd")
			must(t, os.Lchown(dir+"/bin/etcd", 1234, 0))
		}, "/bin/etcd belongs to user 1234"},
		"a link loop": {func(t *testing.T, dir string) {
			remake(t, dir, func(at string) error { return os.Symlink(at, at) })
		}, "too many levels"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Mkdir(dir+"/bin", 0o755))
			must(t, os.WriteFile(dir+"/bin/etcd", nil, 0o755))
			c.spoil(t, dir)
			err := Check(dir + "/bin/etcd")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if kind := fault.KindOf(err); err != nil && kind != fault.Refused && kind != fault.Invalid {
				t.Errorf("kind %s", kind)
			}
		})
	}
	if err := Check(t.TempDir() + "/etcd"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func remake(t *testing.T, dir string, make func(at string) error) {
	t.Helper()
	must(t, os.Remove(dir+"/bin/etcd"))
	must(t, make(dir+"/bin/etcd"))
}

func link(t *testing.T, dir, target string) {
	t.Helper()
	must(t, os.Mkdir(dir+"/lib", 0o755))
	must(t, os.WriteFile(dir+"/lib/etcd", nil, 0o755))
	remake(t, dir, func(at string) error { return os.Symlink(target, at) })
}
