package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// result is a row of the table.
type result struct {
	plans []string
	end   end
	lost  int // acknowledged writes; -1: not known
	why   string

	givenUp int // entries, at most, that somebody has agreed to lose
}

// attempt makes a state and does what its operator does: the command, then each printed command, pasted once, three times at most.
func attempt(ctx context.Context, l lab, s state) (r result, err error) {
	r.lost = -1
	if err := l.fresh(ctx); err != nil {
		return r, fmt.Errorf("no healthy cluster to begin with: %w", err)
	}
	if err := l.all(ctx, s.Trouble...); err != nil {
		return r, fmt.Errorf("the state could not be made: %w", err)
	}
	command, err := l.control(s)
	if err != nil {
		return r, err
	}
	if _, err := l.do(ctx, step{"writer", "start", "--no-wait", "--v2"}); err != nil {
		return r, err
	}
	asked, byHand, last, err := r.follow(ctx, l, s, command)
	if err != nil {
		return r, err
	}
	return r, r.judge(ctx, l, s, last, asked, byHand)
}

// control prepares the control node for a state, and returns the first command.
func (l lab) control(s state) (string, error) {
	inventory := l.path("inventory", "hosts")
	if s.Control == "program" {
		if err := program(inventory); err != nil {
			return "", err
		}
	}
	return "ansible-playbook -i " + inventory + " playbooks/restore_quorum.yml -e etcd_confirm=yes", nil
}

const pastes = 3

// askedAgain is no loop: what was consented to grew until the hosts were fenced, and now stays as it is.
const askedAgain = "changed_meanwhile"

// follow the commands to their end.
func (r *result) follow(ctx context.Context, l lab, s state, command string) (asked, byHand bool, last play, err error) {
	first := command
	for range 2 + pastes {
		asked = asked || asks(command)
		if last, err = l.play(ctx, command, s); err != nil {
			return asked, byHand, last, fmt.Errorf("%s: %w", command, err)
		}
		r.plans = append(r.plans, last.plan())
		r.givenUp = max(r.givenUp, last.givenUp())
		if last.status == 0 && restores(command) {
			return asked, byHand, last, nil
		}
		if last.status != 0 && s.Cure != nil && !byHand && regexp.MustCompile(s.Says).MatchString(last.said) {
			byHand = true
			if err := l.all(ctx, s.Cure...); err != nil {
				return asked, byHand, last, fmt.Errorf("the cure: %w", err)
			}
			command = first
			continue
		}
		next := first
		if last.status != 0 && !looks(command) {
			next = confirmed(last.next(), s)
			if next == "" || next == command && last.plan() != askedAgain {
				return asked, byHand, last, nil
			}
		}
		command = next
	}
	return asked, byHand, last, nil
}

// looks is true for a command that only looks: what it finds to do, the first command does.
func looks(command string) bool { return strings.Contains(command, "check_quorum.yml") }

func restores(command string) bool { return strings.Contains(command, "restore_quorum.yml") }

// confirmed is a printed command, with placeholders filled in and the question answered.
func confirmed(command string, s state) string {
	host := s.Host
	if host == "" {
		host = "master-0.example.com"
	}
	command = placeholder.ReplaceAllString(command, "="+host)
	if command != "" && strings.Contains(command, "ansible-playbook") {
		command += " -e etcd_confirm=yes"
	}
	return command
}

var placeholder = regexp.MustCompile(`=(HOST|NAME)\b`)

// judge looks at the cluster with other tools than the ones under test.
func (r *result) judge(ctx context.Context, l lab, s state, last play, asked, byHand bool) error {
	if _, err := l.do(ctx, step{"writer", "stop"}); err != nil {
		return err
	}
	wrong := l.whole(ctx, s, asked)
	r.lost = l.lost(ctx, s)
	for _, text := range s.Needs {
		if !regexp.MustCompile(text).MatchString(last.said) && wrong == nil {
			wrong = fmt.Errorf("the last run does not say %q", text)
		}
	}
	switch {
	case last.status != 0 && wrong == nil && last.names():
		r.end, r.why = named, "what it says is left to do: see the log"
	case last.status != 0:
		r.end, r.why = stuck, last.next()
	case asked && r.lost > r.givenUp:
		r.end, r.why = lost, fmt.Sprintf("%d acknowledged writes are gone, and the plan named %d entries", r.lost, r.givenUp)
	case r.lost > 0 && !asked:
		r.end, r.why = lost, fmt.Sprint(r.lost, " acknowledged writes are gone")
	case wrong != nil:
		r.end, r.why = broken, wrong.Error()
	case byHand:
		r.end = mended
	case asked:
		r.end = consent
	default:
		r.end = whole
	}
	return nil
}

// in are the hosts that are members at the end.
func (s state) in() (hosts []string) {
	for _, host := range members {
		if !strings.Contains(strings.Join(s.Out, " "), host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// A drop-in that sets nothing, as a line of the chapter leaves it, is left alone.
const leftovers = `! ls /etc/etcd/fenced.json /etc/etcd/forcing.json 2>/dev/null | grep . &&
! grep -sH = /etc/systemd/system/etcd.service.d/*.conf /run/systemd/system/etcd.service.d/*.conf &&
! grep FORCE_NEW /etc/etcd/etcd.conf && ! tr '\0' '\n' </proc/$(pidof etcd)/environ | grep FORCE_NEW && ! tr '\0' ' ' </proc/$(pidof etcd)/cmdline | grep force-new`

// whole checks that the members are healthy, are exactly these, have equal data, and that nothing of a forced start is left. What somebody agreed to
// give up is missing on all of them.
func (l lab) whole(ctx context.Context, s state, asked bool) error {
	hosts := s.in()
	out, err := l.do(ctx, step{"writer", "check", "--hosts", strings.Join(hosts, ",")})
	if equal := fmt.Sprintf("equal data on %d members", len(hosts)); err != nil && !(asked && strings.Contains(out, equal)) {
		return err
	}
	tools := prelude
	if l.pods {
		tools = podPrelude
	}
	for _, host := range hosts {
		if _, err := l.do(ctx, strictly(host, tools+`etcdctl3 endpoint health`)); err != nil {
			return err
		}
		out, err := l.do(ctx, strictly(host, tools+`etcdctl3 member list | grep -c started`))
		if n, _ := strconv.Atoi(strings.TrimSpace(out)); err != nil || n != len(hosts) {
			return fmt.Errorf("%s lists %q members, not %d", host, strings.TrimSpace(out), len(hosts))
		}
		if out, err := l.do(ctx, strictly(host, leftovers)); err != nil {
			return fmt.Errorf("%s: left behind: %s", host, strings.TrimSpace(out))
		}
	}
	return nil
}

var counted = regexp.MustCompile(`v[23]: (\d+) of (\d+) acknowledged writes`)

// lost is the number of acknowledged writes that the worst member lacks.
func (l lab) lost(ctx context.Context, s state) int {
	out, _ := l.do(ctx, step{"writer", "check", "--loss-only", "--hosts", strings.Join(s.in(), ",")})
	most := -1
	for _, line := range strings.Split(out, "\n") {
		gone := 0
		found := counted.FindAllStringSubmatch(line, -1)
		for _, f := range found {
			have, _ := strconv.Atoi(f[1])
			want, _ := strconv.Atoi(f[2])
			gone += want - have
		}
		if found != nil {
			most = max(most, gone)
		}
	}
	return most
}
