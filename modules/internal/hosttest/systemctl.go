package hosttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/systemd"
)

// state is what the systemctl stand-in remembers between calls.
type state struct {
	DropIns  []string          // loaded, in order
	Texts    map[string]string // their texts when they were loaded
	PID      int
	Asked    bool // a start was asked for, and no stop since
	Checked  int  // how often the assertions were checked
	Refused  bool
	Failed   bool
	Disabled bool
	Masked   bool
	Started  int // how often a process was started
}

func stateFile(root string) string { return filepath.Join(root, "fake/state") }

func loadState(root string) state {
	var s state
	raw, _ := os.ReadFile(stateFile(root))
	json.Unmarshal(raw, &s)
	return s
}

func (s state) save(root string) {
	raw, _ := json.Marshal(s)
	os.WriteFile(stateFile(root), raw, 0o644)
}

// systemctl is the stand-in for the unit etcd.service; any other unit is not found.
func systemctl(root string, args []string) int {
	if args[len(args)-1] == nodeService {
		return nodectl(root, args)
	}
	s := loadState(root)
	if args[0] == "show" {
		s.show(root, strings.Split(args[2], ","), args[3])
		return 0
	}
	calls := filepath.Join(root, "fake/calls")
	done, _ := os.ReadFile(calls)
	now := bytes.Count(done, []byte("\n")) + 1
	killCaller(root, now, "before")
	switch args[0] {
	case "daemon-reload":
		s.load(root)
	case "start", "restart":
		if args[0] == "restart" {
			s.stop()
			for alive(s.PID) {
				time.Sleep(time.Millisecond)
			}
		}
		s.start(root)
	case "stop":
		s.stop()
	case "reset-failed":
		s.Failed = false
	case "enable", "disable":
		s.Disabled = args[0] == "disable"
	case "mask", "unmask":
		s.Masked = args[0] == "mask"
	default:
		fmt.Fprintf(os.Stderr, "Unknown operation %s.\n", args[0])
		return 1
	}
	s.save(root)
	os.WriteFile(calls, append(done, args[0]+"\n"...), 0o644)
	killCaller(root, now, "after")
	return 0
}

// load reads the drop-ins of all directories, in the order of their names.
func (s *state) load(root string) {
	byName := map[string]string{}
	for _, dir := range []string{"usr/lib/systemd/system", "run/systemd/system", "etc/systemd/system"} {
		files, _ := filepath.Glob(filepath.Join(root, dir, "etcd.service.d/*.conf"))
		for _, f := range files {
			byName[filepath.Base(f)] = f
		}
	}
	var names []string
	for name := range byName {
		names = append(names, name)
	}
	sort.Strings(names)
	s.DropIns, s.Texts = nil, map[string]string{}
	for _, name := range names {
		text, _ := os.ReadFile(byName[name])
		s.DropIns = append(s.DropIns, byName[name])
		s.Texts[byName[name]] = string(text)
	}
}

func (s *state) settings() []systemd.Setting {
	var out []systemd.Setting
	for _, path := range s.DropIns {
		settings, _ := systemd.Settings(s.Texts[path])
		out = append(out, settings...)
	}
	return out
}

func (s *state) start(root string) {
	s.Checked++
	s.Refused = !assertionsHold(s.settings())
	if s.Refused || alive(s.PID) {
		return
	}
	var env []string
	for _, set := range s.settings() {
		if set.Section == "Service" && set.Key == "Environment" {
			env = append(env, set.Value)
		}
	}
	pid, err := spawn(root, unitEnvironment(root, env))
	if err == nil {
		s.PID, s.Asked, s.Failed = pid, true, false
		s.Started++
	}
}

func assertionsHold(settings []systemd.Setting) bool {
	var paths []string
	for _, set := range settings {
		switch {
		case set.Section != "Unit" || set.Key != "AssertPathExists":
		case set.Value == "":
			paths = nil
		default:
			paths = append(paths, set.Value)
		}
	}
	for _, p := range paths {
		_, err := os.Stat(strings.TrimPrefix(p, "!"))
		if (err == nil) == strings.HasPrefix(p, "!") {
			return false
		}
	}
	return true
}

func (s *state) stop() {
	s.Asked = false
	if alive(s.PID) {
		syscall.Kill(s.PID, syscall.SIGTERM)
	}
}

func (s *state) show(root string, names []string, unit string) {
	all := s.properties(root)
	if _, err := os.Stat(filepath.Join(root, "usr/lib/systemd/system", unit)); err != nil {
		all = map[string]string{"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
	}
	for _, name := range names {
		if value, ok := all[name]; ok {
			fmt.Printf("%s=%s\n", name, value)
		}
	}
}

func (s *state) properties(root string) map[string]string {
	running := alive(s.PID)
	ready := running && mode(root) != NoQuorum
	p := map[string]string{
		"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "UnitFileState": "enabled", "MainPID": "0",
		"FragmentPath": filepath.Join(root, "usr/lib/systemd/system/etcd.service"), "DropInPaths": strings.Join(s.DropIns, " "),
		"ExecStart":    fmt.Sprintf("{ path=%[1]s ; argv[]=%[1]s ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }", filepath.Join(root, "usr/bin/etcd")),
		"AssertResult": "yes", "AssertTimestampMonotonic": fmt.Sprint(s.Checked),
		"ExecMainStartTimestampMonotonic": fmt.Sprint(s.Started),
	}
	if user, err := os.ReadFile(filepath.Join(root, "fake/user")); err == nil { // User= of the unit
		p["User"] = string(user)
	}
	if s.Refused || s.Checked == 0 {
		p["AssertResult"] = "no"
	}
	if s.Disabled {
		p["UnitFileState"] = "disabled"
	}
	if s.Masked {
		p["LoadState"], p["UnitFileState"], p["DropInPaths"] = "masked", "masked", ""
	}
	switch {
	case running && !s.Asked:
		p["ActiveState"], p["SubState"] = "deactivating", "stop-sigterm"
	case ready:
		p["ActiveState"], p["SubState"] = "active", "running"
	case running:
		p["ActiveState"], p["SubState"] = "activating", "start"
	case s.Asked && mode(root) == Loops:
		p["ActiveState"], p["SubState"], p["Result"] = "activating", "auto-restart", "exit-code"
	case s.Asked:
		p["ActiveState"], p["SubState"], p["Result"] = "failed", "failed", "exit-code"
	}
	if running {
		p["MainPID"] = fmt.Sprint(s.PID)
	}
	return p
}

func mode(root string) string {
	raw, _ := os.ReadFile(filepath.Join(root, "fake/mode"))
	return string(raw)
}

// alive is false for a zombie: it no longer holds anything.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	for {
		p, err := procfs.Read(pid)
		if !errors.Is(err, syscall.ESRCH) { // a process in the middle of an exec shows this, too
			return err == nil && !p.Zombie()
		}
	}
}

// journalctl prints the journal that the test has written, and what etcd has printed itself.
func journalctl(root string, _ []string) int {
	raw, _ := os.ReadFile(filepath.Join(root, "fake/journal"))
	os.Stdout.Write(raw)
	raw, _ = os.ReadFile(filepath.Join(root, "fake/etcd.log"))
	for line := range strings.Lines(string(raw)) {
		fmt.Println(journalLine(strings.TrimSpace(line), 6))
	}
	return 0
}

func journalLine(text string, priority int) string {
	raw, _ := json.Marshal(map[string]string{"MESSAGE": text, "PRIORITY": fmt.Sprint(priority), "__REALTIME_TIMESTAMP": fmt.Sprint(time.Now().UnixMicro())})
	return string(raw)
}

// Journal writes the journal: every line is an error, logged now.
func (h *Host) Journal(lines ...string) {
	var out strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&out, journalLine(line, 3))
	}
	h.Write("fake/journal", out.String())
}
