package main

import "testing"

const refusal = `etcd: QUORUM LOST (1 of 3 members run, 2 needed)

Action      none: nothing was changed
Refused     master-2.example.com and master-1.example.com cannot be reached and could be a majority
            of their own (2 of 3) [etcd_lost_hosts_off]
Next        bring them back, or make sure that they are powered off and stay off, then:
            ansible-playbook -i /a/hosts /b/playbooks/restore_quorum.yml -e etcd_lost_hosts_off=master-1.example.com,master-2.example.com
the record of this run: /root/etcd-quorum-restore/restore_quorum-ab98662df7a7964b.html
`

func TestPlay(t *testing.T) {
	for _, c := range []struct{ name, said, plan, next string }{
		{"a refusal", refusal, "etcd_lost_hosts_off",
			"ansible-playbook -i /a/hosts /b/playbooks/restore_quorum.yml -e etcd_lost_hosts_off=master-1.example.com,master-2.example.com"},
		{"two plans", "Action      start: a and b\n...\nAction      force: a becomes\n", "force", ""},
		{"a sentence behind it", "Action      force: x\nFAILED: no. Next: ansible a -i /h -m etcd_fence -a 'state=absent'; then look\n", "force",
			"ansible a -i /h -m etcd_fence -a 'state=absent'"},
		{"only the last counts", "Next: ansible a -i /h -m x\nNext: look at the disk\n", "-", ""},
		{"what failed last", "FAILED: a\nNext: ansible a -i /h -m x\n(9/9) FAILED: b: mend the cause and run ansible b -i /h -m y\nEND\n", "-", "ansible b -i /h -m y"},
		{"the end speaks of the failure", "FAILED: a\n b:\n ansible b -i /h -m y\nEND   failed: b\n      next: what FAILED says above\n", "-", "ansible b -i /h -m y"},
		{"a failure without a command", "Next  look:\n   ansible a -i /h -m x\nFAILED: see above\n", "-", "ansible a -i /h -m x"},
		{"healthy", "quorum present, 3 of 3: nothing to do\n", "nothing", ""},
		{"a program's name alone is no command", "Next: ansible-playbook is there\n", "-", ""},
	} {
		p := play{said: c.said}
		if p.plan() != c.plan || p.next() != c.next {
			t.Errorf("%s: plan %q, next %q; want %q, %q", c.name, p.plan(), p.next(), c.plan, c.next)
		}
	}
}

func TestGivenUp(t *testing.T) {
	const plan = "Action      force: x\nGiven up    749 entries on master-1 that the survivor's log contradicts (index 142 to\n            890); set aside\n" +
		"Given up    1 entry on master-2 that\n            nobody has\nMeanwhile   x\n"
	for said, want := range map[string]int{
		"Action      start: x\nGiven up    nothing\n": 0,
		plan: 750,
		plan + "Action      force: x\nGiven up    9 entries on master-1 that\n":                             750,
		"Action      force: x\nGiven up    acknowledged writes that only master-1 held, if there are any\n": unbounded,
	} {
		if got := (play{said: said}).givenUp(); got != want {
			t.Errorf("%q: %d, expected %d", said, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for said, want := range map[string]bool{
		"a FAILED: x\n mend the cause and run ansible m -i /h -m openshift_master_restart\nEND\n":      true,
		"ansible m -i /h -m x\nFAILED: the disk is full\nEND\n":                                        false,
		"FAILED: a\n b:\n ansible b -i /h -m y\nEND   failed: b\n      next: what FAILED says above\n": true,
		"END\n": false,
	} {
		if got := (play{said: said}).names(); got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}

func TestConfirmed(t *testing.T) {
	for command, want := range map[string]string{
		"": "",
		"ansible-playbook -i h restore_quorum.yml -e etcd_survivor=HOST -e etcd_accept_loss=yes": "ansible-playbook -i h restore_quorum.yml -e etcd_survivor=master-1 -e etcd_accept_loss=yes -e etcd_confirm=yes",
		"ansible a -i h -m etcd_fence": "ansible a -i h -m etcd_fence",
	} {
		if got := confirmed(command, state{Host: "master-1"}); got != want {
			t.Errorf("%q becomes %q, want %q", command, got, want)
		}
	}
}

func TestAsks(t *testing.T) {
	for command, want := range map[string]bool{"x": false, "x -e etcd_accept_loss=yes": true, "x -e etcd_lost_hosts_off=a,b": true, "x -e etcd_survivor=a": false} {
		if asks(command) != want {
			t.Errorf("%q asks: %v", command, !want)
		}
	}
}

func TestStates(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range states() {
		if seen[s.Name] {
			t.Errorf("two states are called %q", s.Name)
		}
		seen[s.Name] = true
		if s.End == mended && (s.Says == "" || s.Cure == nil) {
			t.Errorf("%s: a cause that is taken away by hand has to be named, and how", s.Name)
		}
		if s.Skip != "" && s.Short {
			t.Errorf("%s is skipped, and part of make test", s.Name)
		}
		for _, step := range append(s.Trouble, s.Cure...) {
			if len(step) < 2 {
				t.Errorf("%s: %q does nothing to a host", s.Name, step)
			}
		}
	}
	if _, err := find("no such state"); err == nil {
		t.Error("a state that does not exist is found")
	}
}
