//go:build judge

// systemd itself judges Settings: it has to load the same from a unit file and from the settings that were read in it, written down plainly.
// `systemd --test` loads units, prints them and starts nothing; systemd does not have to be running. `make control` runs this on a host.
//
//	go test -tags judge -run Judge ./modules/internal/systemd/
package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJudgeOfSettings(t *testing.T) {
	dir, err := os.MkdirTemp("", "units") // another user cannot enter the parent of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	unit := func(name, text string) {
		t.Helper()
		for path, text := range map[string]string{name: text, name + ".d/x.conf": "[Unit]\nDefaultDependencies=no\n[Service]\nExecStop=/bin/true\nRemainAfterExit=yes\n"} {
			path = filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, names := "[Unit]\nDefaultDependencies=no\n", []string{}
	for name, tc := range units {
		if tc.text == "" {
			continue // an empty file masks the unit
		}
		names = append(names, name)
		settings, err := Settings(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		plainly := ""
		for _, s := range settings {
			plainly += fmt.Sprintf("[%s]\n%s=%s\n", s.Section, s.Key, s.Value)
		}
		unit(fmt.Sprintf("file%d.service", len(names)), tc.text)
		unit(fmt.Sprintf("read%d.service", len(names)), plainly)
		all += fmt.Sprintf("Wants=file%d.service read%d.service\n", len(names), len(names))
	}
	for _, name := range []string{"all.target", "basic.target", "shutdown.target"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(all), 0o644); err != nil {
			t.Fatal(err)
		}
		all = "[Unit]\nDefaultDependencies=no\n"
	}
	loaded := load(t, dir)
	for i, name := range names {
		file, read := loaded[fmt.Sprintf("file%d.service", i+1)], loaded[fmt.Sprintf("read%d.service", i+1)]
		if !strings.Contains(file, "Load State: loaded") {
			t.Errorf("%s was not loaded: %s", name, file)
		}
		if diff := cmp.Diff(file, read); diff != "" {
			t.Errorf("%s, %q: the file (-), what was read in it (+)\n%s", name, units[name].text, diff)
		}
	}
}

// load returns what systemd has loaded, by unit: the properties that these units set.
func load(t *testing.T, dir string) map[string]string {
	t.Helper()
	cmd := exec.Command("/usr/lib/systemd/systemd", "--test", "--user", "--unit=all.target")
	cmd.Env = []string{"SYSTEMD_UNIT_PATH=" + dir, "SYSTEMD_LOG_TARGET=console", "XDG_RUNTIME_DIR=" + dir, "HOME=" + dir}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}} // systemd refuses to do this as root
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	units, unit := map[string]string{}, ""
	for _, l := range strings.Split(string(out), "\n") {
		l = strings.TrimSpace(l)
		if name, found := strings.CutPrefix(l, "-> Unit "); found {
			unit = strings.TrimSuffix(name, ":")
		}
		for _, property := range []string{"Unit Load State:", "Description:", "Environment:", "Command Line:", "Restart:"} {
			if strings.HasPrefix(l, property) {
				units[unit] += strings.ReplaceAll(l, unit, "UNIT") + "\n"
			}
		}
	}
	return units
}
