package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/runlock"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

type m = map[string]any

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

func lock(t *testing.T) m {
	return m{"inventory": []string{"/etc/ansible/hosts"}, "directory": t.TempDir()}
}

// heldBy writes the record of another run.
func heldBy(t *testing.T, args m, change func(*runlock.Holder)) string {
	t.Helper()
	sleep := exec.Command("sleep", "600")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sleep.Process.Kill(); sleep.Wait() })
	p, err := procfs.Read(sleep.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	h, err := runlock.This()
	if err != nil {
		t.Fatal(err)
	}
	h.PID, h.Started, h.Command = p.PID, p.Started, "restore_quorum.yml"
	if change != nil {
		change(&h)
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	path := runlock.Path(args["directory"].(string), args["inventory"].([]string))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTakesItAndTakesItAgain(t *testing.T) {
	args := lock(t)
	for range 2 {
		a := moduletest.Run(t, args).OK(t, false)
		if _, err := os.Stat(a.JSON["path"].(string)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusesWhileAnotherLives(t *testing.T) {
	args := lock(t)
	path := heldBy(t, args, nil)
	before, _ := os.ReadFile(path)
	a := moduletest.Run(t, args).Failed(t, "refused")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(a.Msg(), "restore_quorum.yml of ") || !strings.Contains(hint, "kill ") || strings.Contains(hint, "beside it") {
		t.Errorf("%s", a.Stdout)
	}
	args["way_on"] = "fence.yml -e go=on"
	if hint, _ := moduletest.Run(t, args).Failed(t, "refused").JSON["hint"].(string); !strings.Contains(hint, "this runs beside it: ansible-playbook playbooks/fence.yml -e go=on") {
		t.Error(hint)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("the other run's record is now %s", after)
	}
	args["inventory"] = []string{"/elsewhere"}
	moduletest.Run(t, args).OK(t, false)
}

func TestAnotherUsersRun(t *testing.T) {
	args := lock(t)
	mine := heldBy(t, args, nil)
	theirs := mine[:strings.LastIndexByte(mine, '-')] + "-4711.lock"
	if err := os.Rename(mine, theirs); err != nil {
		t.Fatal(err)
	}
	moduletest.Run(t, args).Failed(t, "refused")
	if text, err := os.ReadFile(mine); err == nil && len(text) > 0 {
		t.Errorf("a run that was refused holds the lock: %s", text)
	}
	if os.Geteuid() == 0 { // a process that does not belong to the file's owner proves nothing
		if err := os.Chown(theirs, 4711, -1); err != nil {
			t.Fatal(err)
		}
		moduletest.Run(t, args).OK(t, false)
	}
}

func TestOnlyWarnsWhereItReads(t *testing.T) {
	for _, key := range []string{"reads", "_ansible_check_mode"} {
		args := lock(t)
		path := heldBy(t, args, nil)
		before, _ := os.ReadFile(path)
		args[key] = true
		a := moduletest.Run(t, args).OK(t, false)
		if a.JSON["other"] == nil || !strings.Contains(a.Stdout, "is running: what is shown here may change") {
			t.Errorf("%s: %s", key, a.Stdout)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: the record is now %s", key, after)
		}
	}
}

// A run that was killed, also by a reboot, and files that are no record do not block anybody.
func TestTheDeadHoldNothing(t *testing.T) {
	for name, change := range map[string]func(*runlock.Holder){
		"ended":                 func(h *runlock.Holder) { h.PID = 1 << 30 },
		"its number used again": func(h *runlock.Holder) { h.Started++ },
		"another boot":          func(h *runlock.Holder) { h.Boot = "b" },
	} {
		args := lock(t)
		heldBy(t, args, change)
		a := moduletest.Run(t, args)
		if a.JSON["failed"] == true {
			t.Errorf("%s: %s", name, a.Stdout)
		}
	}
	for name, text := range map[string]string{"empty": "", "half": `{"pid": 1`, "no record": `{"pid": "x"}`} {
		args := lock(t)
		if err := os.WriteFile(heldBy(t, args, nil), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if a := moduletest.Run(t, args); a.JSON["failed"] == true {
			t.Errorf("%s: %s", name, a.Stdout)
		}
	}
}

// The holder is ansible-playbook itself, above the shells and forks that run a module.
func TestTheHolderIsThePlaybook(t *testing.T) {
	args := lock(t)
	dir := args["directory"].(string)
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	file, script := filepath.Join(dir, "args.json"), filepath.Join(dir, "ansible-playbook")
	for path, content := range map[string]string{file: string(text), script: "#!/bin/sh\necho $$ >\"$4\"\n(sh -c \"$1 $2; true\"; true)\n"} {
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(script, moduletest.Binary(t), file, "x/fence.yml", filepath.Join(dir, "pid")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Holder runlock.Holder }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(pid)); fmt.Sprint(answer.Holder.PID) != want || answer.Holder.Command != "fence.yml" {
		t.Errorf("%+v, want process %s", answer.Holder, want)
	}
	moduletest.Run(t, args).OK(t, false) // that run has ended
}

// A host's lock is seen by runs of other control nodes. It holds nobody up for ever.
func TestTheLockOfAHost(t *testing.T) {
	mine, err := runlock.This()
	if err != nil {
		t.Fatal(err)
	}
	theirs := mine
	theirs.Boot, theirs.Node, theirs.User, theirs.Command, theirs.PID = "b", "installer-2", "ops", "restore_quorum.yml", 4711
	directory := t.TempDir()
	path := runlock.HostPath(directory)
	take := func(h runlock.Holder, more m) moduletest.Answer {
		args := m{"directory": directory, "holder": h}
		for key, value := range more {
			args[key] = value
		}
		return moduletest.Run(t, args)
	}
	take(theirs, nil).OK(t, false)
	take(theirs, nil).OK(t, false)
	a := take(mine, nil).Failed(t, "refused")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(a.Msg(), "restore_quorum.yml of ops (process 4711, since ") || !strings.Contains(a.Msg(), "on installer-2") ||
		!strings.Contains(hint, "ansible HOST -m etcd_run_lock -a 'state=absent directory="+directory+"'") {
		t.Errorf("%s", a.Stdout)
	}
	take(mine, m{"_ansible_check_mode": true}).Failed(t, "refused")
	a = take(mine, m{"hosts": []string{"etcd-0", "etcd-1"}, "way_on": "fence.yml -e go=on"}).Failed(t, "refused")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(hint, "ansible etcd-0,etcd-1 -m etcd_run_lock") || !strings.HasSuffix(hint, "this runs beside it: ansible-playbook playbooks/fence.yml -e go=on") {
		t.Errorf("%s", a.Stdout)
	}
	if a := take(mine, m{"reads": true}).OK(t, false); a.JSON["other"] == nil || !strings.Contains(a.Stdout, "continues beside it") {
		t.Errorf("%s", a.Stdout)
	}
	take(mine, m{"state": "absent"}).OK(t, false) // another run's lock stays
	take(mine, nil).Failed(t, "refused")

	old := time.Now().Add(-3 * time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if a := take(mine, nil).OK(t, false); !strings.Contains(a.Stdout, "it is treated as ended") {
		t.Errorf("%s", a.Stdout)
	}
	next := mine
	next.PID++ // the same control node: that one has ended, or its own lock would have refused this one
	take(next, nil).OK(t, false)
	take(next, m{"state": "absent"}).OK(t, false)
	take(theirs, nil).OK(t, false)

	moduletest.Run(t, m{"directory": directory, "state": "absent"}).OK(t, false)
	take(mine, nil).OK(t, false)
	if a := take(mine, m{"reads": true}).OK(t, false); a.JSON["other"] != nil {
		t.Errorf("%s", a.Stdout)
	}
	take(mine, m{"directory": t.TempDir(), "reads": true}).OK(t, false)
	moduletest.Run(t, m{"directory": directory, "holder": m{"pid": 0}}).Failed(t, "invalid")
	moduletest.Run(t, m{"directory": t.TempDir(), "state": "absent"}).OK(t, false)
}

// Two inventories of one control node may name the same cluster: a copy, or another user's. The hosts' locks keep their runs apart.
func TestTwoInventoriesOfOneControlNode(t *testing.T) {
	mine := lock(t)
	copied := m{"inventory": []string{"/home/ops/hosts"}, "directory": mine["directory"]}
	var theirs runlock.Holder
	heldBy(t, copied, func(h *runlock.Holder) { theirs = *h })
	me := moduletest.Run(t, mine).OK(t, false).JSON["holder"]
	host := m{"directory": t.TempDir(), "holder": theirs}
	moduletest.Run(t, host).OK(t, false)
	host["holder"] = me
	if a := moduletest.Run(t, host).Failed(t, "refused"); !strings.Contains(a.Msg(), "restore_quorum.yml of ") {
		t.Errorf("alive when this run began: %s", a.Stdout)
	}

	began, err := runlock.This()
	if err != nil {
		t.Fatal(err)
	}
	later := m{"directory": t.TempDir(), "holder": theirs}
	moduletest.Run(t, later).OK(t, false)
	began.Started = theirs.Started - 1
	later["holder"] = began
	moduletest.Run(t, later).Failed(t, "refused")
	began.Started = theirs.Started + 1
	later["holder"] = began
	moduletest.Run(t, later).OK(t, false) // it began before this one, and did not live then
}

func TestBadInput(t *testing.T) {
	link := lock(t)
	if err := os.Symlink("/etc/hostname", runlock.Path(link["directory"].(string), link["inventory"].([]string))); err != nil {
		t.Fatal(err)
	}
	for _, args := range []m{{}, {"inventory": "x", "reads": "perhaps"}, link} {
		moduletest.Run(t, args).Failed(t, "invalid")
	}
	for _, directory := range []string{"/nowhere", "/proc"} { // where no file can be made
		args := lock(t)
		args["directory"] = directory
		a := moduletest.Run(t, args).Failed(t, "invalid")
		if hint, _ := a.JSON["hint"].(string); !strings.Contains(a.Msg(), "directory") || !strings.Contains(hint, "-e etcd_lock_dir=PATH") {
			t.Errorf("%s", a.Stdout)
		}
	}
}
