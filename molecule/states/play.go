package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const playLimit = 15 * time.Minute

// play is a command line on the control node, as typed or pasted, and its result.
type play struct {
	command string
	status  int
	said    string
}

func (l lab) play(ctx context.Context, command string, s state) (play, error) {
	ctx, cancel := context.WithTimeout(ctx, playLimit)
	defer cancel()
	p := play{command: command}
	fmt.Fprintf(l.log, "\n== %s\n", command)
	argv := l.shell(s, command)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = l.root
	// A fixed width, so that the output does not depend on the caller's terminal.
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "ANSIBLE_NOCOLOR=1", "COLUMNS=160")
	var said bytes.Buffer
	cmd.Stdout = io.MultiWriter(&said, l.log)
	cmd.Stderr = cmd.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	p.said, p.status = said.String(), cmd.ProcessState.ExitCode()
	var exit *exec.ExitError
	if ctx.Err() == nil && (err == nil || errors.As(err, &exit)) {
		return p, nil
	}
	return p, errors.Join(err, ctx.Err())
}

// shell runs a command line; where the inventory must not be written, in a mount namespace of its own.
func (l lab) shell(s state, command string) []string {
	if s.Control != "read-only" {
		return []string{"sh", "-c", command}
	}
	const readOnly = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec sh -c "$2"`
	return []string{"unshare", "-m", "sh", "-c", readOnly, "sh", l.path("inventory"), command}
}

// plan is what the run decided: the action, or a refusal's code.
func (p play) plan() string {
	if found := refusedCode.FindStringSubmatch(p.said); found != nil {
		return found[1]
	}
	if found := action.FindAllStringSubmatch(p.said, -1); found != nil {
		return found[len(found)-1][1]
	}
	if strings.Contains(p.said, "nothing to do") {
		return "nothing"
	}
	return "-"
}

var (
	action      = regexp.MustCompile(`(?m)^Action +([a-z_]+)`)
	refusedCode = regexp.MustCompile(`(?ms)^Refused .*?\[([a-z_]+)\]$`)
	// A command is the rest of its line, up to where the sentence continues.
	pasted = regexp.MustCompile(`(?m)\b(ansible(?:-playbook)? [^;\n]*?)(?:; |, |\. |,? then |\.?$)`)
)

// unbounded is what givenUp returns where the plan cannot know how much it is.
const unbounded = math.MaxInt

// givenUp is how many entries the run said would be given up: an upper bound of the writes that may be missing. A run may print two plans.
func (p play) givenUp() (most int) {
	for _, plan := range strings.Split(p.said, "\nAction ") {
		entries := 0
		for _, found := range givenUp.FindAllStringSubmatch(plan, -1) {
			entries = add(entries, strings.Join(strings.Fields(found[1]), " "))
		}
		most = max(most, entries)
	}
	return most
}

func add(entries int, text string) int {
	some := someEntries.FindStringSubmatch(text)
	switch {
	case entries == unbounded || text == "nothing":
		return entries
	case some == nil:
		return unbounded
	}
	n, err := strconv.Atoi(some[1])
	if err != nil {
		return unbounded
	}
	return entries + n
}

var (
	givenUp     = regexp.MustCompile(`(?m)^Given up +(.*(?:\n {12}.*)*)`)
	someEntries = regexp.MustCompile(`^(\d+) entr(?:y|ies) on `)
)

// failed begins a failure. The last lines of a run have the word without the colon.
const failed = "FAILED:"

// next is the next command that a run which did not finish printed: the first one behind the last failure, or else behind the last "Next".
func (p play) next() string {
	for _, word := range []string{failed, "Next"} {
		at := strings.LastIndex(p.said, word)
		if at < 0 {
			continue
		}
		for _, found := range pasted.FindAllStringSubmatch(p.said[at:], -1) {
			if strings.Contains(found[1], " -i ") {
				return found[1]
			}
		}
	}
	return ""
}

// names tells whether a failed run says what to type for what failed.
func (p play) names() bool {
	at := strings.LastIndex(p.said, failed)
	return at >= 0 && pasted.MatchString(p.said[at:])
}

// asks tells whether a command gives a consent.
func asks(command string) bool {
	return strings.Contains(command, "etcd_accept_loss=yes") || strings.Contains(command, "etcd_lost_hosts_off=")
}
