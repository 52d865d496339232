"""Tests of the callbacks etcd_page and etcd_record, for Python 2.7 with Ansible 2.9 and Python 3 with today's ansible-core: run it with the Python of either.

The page is driven with results as modules return them; then ansible-playbook, which lies beside that Python, runs a small playbook.
"""
from __future__ import absolute_import, division, print_function

import glob
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "plugins", "callback"))
sys.dont_write_bytecode = True

import etcd_page  # noqa: E402

with io.open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as version:
    VERSION = version.read().strip()

MASTERS = ["master-%d.example.com" % number for number in range(3)]
PLAN = ["etcd: QUORUM LOST (1 of 3 members run, 2 needed)", ""] + ["line %d of the plan" % number for number in range(28)]


GIVEN = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Print it
      debug:
        msg: "given {{ lookup('etcd_given') | to_json }}"
"""


class Terminal:
    """What a page has printed, and a clock that a test moves."""

    def __init__(self, width=120):
        self.lines, self.clock = [], 0
        self.page = etcd_page.Page(lambda text, color: self.lines.extend(text.split("\n")), lambda text: None, lambda: self.clock, width)

    def text(self):
        return "\n".join(self.lines)

    def step(self, name, results, seconds=0, action="etcd_fence", check=False):
        """A task; results: of each host what the module returned."""
        task = (name, name, action, check)
        self.page.task(name, name, action)
        self.clock += seconds
        for host, result in results:
            if result.get("unreachable"):
                self.page.unreachable(host, task, result)
            elif result.get("failed"):
                self.page.failed(host, task, result, result.get("ignored", False))
            else:
                self.page.ok(host, task, result)


class PageTest(unittest.TestCase):
    def test_stage_host_what_and_seconds_on_one_line(self):
        terminal = Terminal()
        terminal.page.play("Fence etcd where it must not run (4/9)", MASTERS)
        terminal.step("Stop etcd", [(MASTERS[1], {"changed": True, "msg": "etcd is stopped and fenced on this host"})], seconds=12)
        terminal.page.flush()
        self.assertEqual(len(terminal.lines), 1)
        self.assertTrue(re.match(r"\(4/9\) master-1\.example\.com  changed: etcd is stopped and fenced on this host +12 s$", terminal.lines[0]),
                        terminal.text())

    def test_hosts_with_the_same_answer_share_a_line(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", MASTERS)
        hosts = ["node-%d" % number for number in range(2000)]
        terminal.step("Copy /etc/etcd", [(host, {"changed": True}) for host in hosts])
        terminal.page.flush()
        self.assertEqual(terminal.lines, ["(5/9) node-0, node-1 and 1998 more  changed: Copy /etc/etcd"])

    def test_unchanged_is_silent_and_long_is_not(self):
        terminal = Terminal()
        terminal.page.play("Look (2/9)", ["m"])
        terminal.step("quick", [("m", {"changed": False, "msg": "fine"})], seconds=1)
        terminal.step("long", [("m", {"changed": False, "msg": "copy verified: 77.1 MiB"})], seconds=30)
        terminal.page.flush()
        self.assertEqual(len(terminal.lines), 1)
        self.assertTrue(re.match(r"\(2/9\) m          copy verified: 77.1 MiB +30 s$", terminal.lines[0]), terminal.lines[0])

    def test_unreachable_is_one_line_a_play(self):
        terminal = Terminal()
        terminal.page.play("Look (2/9)", ["m"])
        gone = {"unreachable": True, "msg": "Task failed: Failed to connect to the host via ssh: Warning: a banner\nssh: connect to host m port 22: No route to host\n"}
        terminal.step("one", [("m", gone)])
        terminal.step("two", [("m", gone)])
        self.assertEqual(terminal.lines, ["(2/9) m          unreachable: ssh: connect to host m port 22: No route to host"])

    def test_a_failure_has_its_sentence_and_its_hint(self):
        terminal = Terminal()
        terminal.page.play("Fence (4/9)", ["m"])
        terminal.step("Stop etcd", [("m", {"failed": True, "msg": "etcd_fence: etcd did not stop", "hint": "run it again", "kind": "timeout"})])
        self.assertEqual(terminal.lines, [
            "(4/9) m          FAILED: Stop etcd", " " * 17 + "etcd_fence: etcd did not stop", " " * 17 + "Next: run it again"])

    def test_a_command_is_a_line_of_its_own(self):
        terminal = Terminal()
        terminal.page.play("Fence (4/9)", ["m"])
        margin = " " * 17
        terminal.step("Stop etcd", [("m", {
            "failed": True, "msg": "it is fenced. Next: ansible-playbook -i hosts playbooks/fence.yml -e etcd_host=m; then start it",
            "hint": "mend it, then: ansible m -i hosts -m etcd_service -a 'state=started wait=process'; look: ansible-playbook -i hosts playbooks/verify.yml"})])
        self.assertEqual(terminal.lines[1:], [margin + line for line in (
            "it is fenced. Next:", "ansible-playbook -i hosts playbooks/fence.yml -e etcd_host=m", "then start it",
            "Next: mend it, then:", "ansible m -i hosts -m etcd_service -a 'state=started wait=process'",
            "look:", "ansible-playbook -i hosts playbooks/verify.yml")])
        with_config = "ANSIBLE_CONFIG='/a b/ansible.cfg' ansible-playbook -i hosts playbooks/restore_quorum.yml"
        terminal.step("Say it", [("m", {"msg": ["left for later: " + with_config, "ansible is used here"]})], action="debug")
        terminal.page.flush()
        self.assertEqual(terminal.lines[-3:], ["(4/9) m          left for later:", margin + with_config, margin + "ansible is used here"])

    def test_the_end_says_where_it_stopped_and_what_is_fenced(self):
        terminal = Terminal()
        terminal.page.play("Fence etcd where it must not run (4/9)", MASTERS)
        terminal.step("Stop etcd", [(host, {"changed": True, "msg": "fenced", "fenced": {"why": "lost"}}) for host in MASTERS])
        terminal.page.play("Rehearse, force a new cluster, verify it (6/9)", MASTERS[:1])
        terminal.step("Force", [(MASTERS[0], {"changed": True, "msg": "forced"})], action="etcd_force_new_cluster")
        terminal.step("Prove", [(MASTERS[0], {"failed": True, "msg": "it ended", "hint": "ansible -m etcd_log_info"})])
        terminal.page.end("restore_quorum.yml", {MASTERS[0]: {"failures": 1}}, False)
        self.assertIn("stopped at (6/9) Rehearse, force a new cluster, verify it; fenced by this run: master-1.example.com, master-2.example.com\n", terminal.text())
        self.assertIn("next: what FAILED says above; then the same command again", terminal.text())

    def test_a_playbook_that_only_tells_is_not_stopped(self):
        terminal = Terminal()
        terminal.page.play("Exit status", ["localhost"])
        terminal.step("End", [("localhost", {"failed": True, "msg": "quorum lost"})], action="fail")
        terminal.page.end("check_quorum.yml", {"localhost": {"failures": 1}}, False)
        self.assertNotIn("stopped at", terminal.text())

    def test_what_debug_repeats_is_said_once(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m"])
        terminal.step("Copy", [("m", {"changed": True, "msg": "copy verified"})])
        terminal.step("Where", [("m", {"msg": ["copy verified", "and more"]})], action="debug")
        terminal.page.flush()
        self.assertEqual(terminal.lines, ["(5/9) m          changed: copy verified", "(5/9) m          and more"])

    def test_a_sentence_over_a_command_is_said_for_each_host(self):
        terminal = Terminal()
        terminal.page.play("What is left (9/9)", ["m", "n"])
        terminal.step("Left", [(host, {"msg": ["where flanneld runs:", "ansible %s -i hosts -m systemd_unit" % host]}) for host in ("m", "n")], action="debug")
        terminal.page.flush()
        self.assertEqual([line.split("  ")[-1].strip() for line in terminal.lines],
                         [line for host in ("m", "n") for line in ("where flanneld runs:", "ansible %s -i hosts -m systemd_unit" % host)])

    def test_what_a_module_has_no_words_for_is_said_by_what_follows(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m", "n"])
        terminal.step("Copy the data", [("m", {"changed": True})], seconds=7)
        terminal.step("Say it", [("m", {"msg": ["copy verified: 77.1 MiB"]})], action="debug")
        terminal.step("Copy the rest", [("m", {"changed": True}), ("n", {"changed": True})])
        terminal.step("Say it", [("m", {"msg": "one"}), ("n", {"msg": "two"})], action="debug")
        terminal.page.flush()
        self.assertTrue(re.match(r"\(5/9\) m          changed: copy verified: 77.1 MiB +7 s$", terminal.lines[0]), terminal.text())
        self.assertEqual(terminal.lines[1:], ["(5/9) m, n       changed: Copy the rest", "(5/9) m          one", "(5/9) n          two"])

    def test_the_end_does_not_repeat_what_hosts_have_said(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m"])
        terminal.step("Copy", [("m", {"msg": ["copy verified", "", "serves"]})], action="debug")
        terminal.page.play("Report (9/9)", ["localhost"])
        end = ["serves", "Backups on m:", "copy verified", "", "what is left to do:", "ansible-playbook add_hosts.yml"]
        terminal.step("Report", [("localhost", {"msg": end})], action="debug")
        for again in range(2):
            terminal.step("Where", [("localhost", {"msg": "the record is in x"})], action="debug")
        self.assertEqual(terminal.lines[3:], ["", "what is left to do:", "ansible-playbook add_hosts.yml", "the record is in x"])

    def test_a_host_is_named_once_in_a_line(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m"])
        terminal.step("Copy", [("m", {"warnings": ["m: the disk is the same"]})])
        task = ("Move", "Move", "etcd_inventory", False)
        terminal.page.task(*task[:3])
        terminal.page.ok("localhost", task, {"changed": True, "msg": "n is in [etcd] now"}, "n")
        terminal.page.flush()
        self.assertEqual(terminal.lines, ["(5/9) m          warning: the disk is the same", "(5/9) localhost  changed: n is in [etcd] now"])

    def test_a_host_cannot_move_the_cursor(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m"])
        terminal.step("Copy", [("m", {"failed": True, "msg": u"a\x1b[2J\x9b\rb\u202ec", "hint": u"\x07"})])
        terminal.step("Debug", [("localhost", {"msg": [u"\x1b]0;title\x07"]})], action="debug")
        self.assertFalse(re.search(u"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", terminal.text()), repr(terminal.text()))

    def test_check_mode_says_would(self):
        terminal = Terminal()
        terminal.page.play("Copy (5/9)", ["m"])
        terminal.step("Copy", [("m", {"changed": True})], check=True)
        terminal.page.end("p.yml", {"m": {"changed": 1}}, True)
        self.assertIn("would change: Copy", terminal.lines[0])
        self.assertIn("END   p.yml: would change: m", terminal.lines[1])

    def test_bookkeeping_is_no_change(self):
        terminal = Terminal()
        terminal.page.play("Confirm (3/9)", ["localhost"])
        terminal.step("Note", [("localhost", {"changed": True})], action="group_by")
        terminal.page.end("p.yml", {"localhost": {"changed": 1}}, False)
        self.assertEqual([line.rstrip(" 0s") for line in terminal.lines], ["END   p.yml: nothing changed"])

    def test_a_note_for_the_next_run_is_no_line(self):
        terminal = Terminal()
        terminal.page.play("Force (6/9)", ["m"])
        terminal.step("Note", [("m", {"changed": True, "msg": "clients that are left to do are recorded: n"})], action="etcd_clients_left")
        terminal.page.flush()
        self.assertEqual(terminal.lines, [])

    def test_an_answer_after_the_lines_were_printed(self):
        terminal = Terminal()
        terminal.page.task("t", "Print the plan", "debug")
        terminal.page.ok("localhost", ("t", "Print the plan", "debug", False), {"msg": "etcd: quorum present"})
        terminal.page.answered()
        self.assertEqual(terminal.lines, ["etcd: quorum present"])

    def test_the_end_has_the_playbooks_word(self):
        for word, summaries, want in (
                ("lost", {"localhost": {"failures": 1}}, "lost; nothing changed"),
                ("refused", {"localhost": {"failures": 1}, "m": {"unreachable": 1}}, "refused; unreachable: m"),
                ("whole", {"localhost": {}}, "whole; nothing changed"),
                # What fails after the word makes it void.
                ("whole", {"localhost": {"failures": 1}}, "failed: localhost"),
                ("whole", {"m": {"failures": 1}}, "failed: m"),
                ("", {"localhost": {"failures": 1}}, "failed: localhost")):
            terminal = Terminal()
            terminal.page.end("p.yml", summaries, False, word)
            self.assertEqual(terminal.lines[0].rstrip(" 0s"), "END   p.yml: " + want)

    def test_a_restore_of_three_hosts_is_a_page(self):
        terminal = Terminal()
        page = terminal.page
        page.play("Look at every host of etcd (2/9)", MASTERS)
        gone = {"unreachable": True, "msg": "ssh: connect to host 192.0.2.1 port 22: No route to host"}
        terminal.step("How etcd runs here", [(MASTERS[0], {"changed": False}), (MASTERS[1], gone), (MASTERS[2], gone)], seconds=3)
        page.play("Decide (2/9)", ["localhost"])
        terminal.step("What was found", [("localhost", {"msg": PLAN})], action="debug")
        for number, stage in enumerate(["4/9", "5/9", "5/9", "5/9", "6/9", "6/9", "7/9", "7/9", "7/9", "9/9"]):
            page.play("A step (%s)" % stage, MASTERS)
            done = "a thing %d was done, 77.1 MiB" % number
            terminal.step("Do it", [(MASTERS[0], {"changed": True, "msg": done})], seconds=5)
            terminal.step("Skip it", [(MASTERS[0], {"changed": False})])
            terminal.step("Tell it", [(MASTERS[0], {"msg": [done]})], action="debug")
        page.play("Report (9/9)", ["localhost"])
        terminal.step("What was done", [("localhost", {"msg": ["line %d" % number for number in range(11)]})], action="debug")
        page.end("restore_quorum.yml", dict((host, {}) for host in MASTERS), False)
        for line in PLAN[2:] + ["line 10"]:
            self.assertIn(line, terminal.lines)
        self.assertLessEqual(len(terminal.lines), 60, terminal.text())


PLAYBOOK = """
- name: Look at hosts (1/3)
  hosts: gone,here
  gather_facts: false
  ignore_unreachable: true
  tasks:
    - name: Where is it
      raw: ":"
- name: Change it (2/3)
  hosts: here
  gather_facts: false
  tasks:
    - name: Write it
      raw: "echo {{ item }}"
      loop: [one, two]
    - name: Hidden
      raw: echo PASSWORD-$((40 + 2))
      no_log: true
    - name: Hidden, and failed
      raw: echo PASSWORD-$((40 + 2)); false
      no_log: true
      ignore_errors: true
    - name: Unhidden
      debug: {msg: ["a line", "{{ command | default('another') }}"]}
    - name: A role
      include_role: {name: writer}
- name: Ask (3/3)
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Question
      pause: {prompt: Type a word}
    - name: Bad
      assert: {that: false, fail_msg: "It is not. Next: make it so"}
"""
ROLE = """
- name: Write by a role
  raw: echo
"""
# A run whose plan is recorded, and that fails in a later stage; a failure before it is rescued.
STOPPED = """
- name: Decide (2/9)
  hosts: localhost
  gather_facts: false
  tasks:
    - etcd_quorum_plan:
      register: etcd_plan
    - etcd_report: {directory: "{{ reports }}", playbook: p.yml, state: planned, plan: "{{ etcd_plan }}"}
- name: Nobody has to do this (3/9)
  hosts: "{{ [] }}"
  tasks:
    - fail:
- name: Fence (4/9)
  hosts: here
  gather_facts: false
  tasks:
    - etcd_fence:
    - block:
        - name: Tried
          raw: exit 1
      rescue:
        - debug:
- name: Copy the data (5/9)
  hosts: here
  gather_facts: false
  tasks:
    - raw: cat {{ reports }}/p-5d41402abc4b2a76.json
      register: seen
    - debug: {msg: "{{ 'the stage is recorded before it acts' if '(5/9) Copy the data' in seen.stdout else seen.stdout }}"}
    - name: Copy
      etcd_backup:
      no_log: "{{ hidden | default(false) }}"
      when: not whole | default(false)
"""
MODULES = {
    "etcd_quorum_plan": {"changed": False, "report": {"hosts": {}, "end": {"now": "lost", "done": "whole"}},
                         "do": {"run": "5d41402abc4b2a76", "action": "force", "survivor": "here"}},
    "etcd_fence": {"changed": True, "fenced": True},
    "etcd_backup": {"failed": True, "msg": "no room <on> the disk PASSWORD-42", "hint": "free some"},
}
HOSTS = """
gone ansible_host=127.0.0.1 ansible_port=1
here ansible_connection=local
localhost ansible_connection=local
"""


class LogTest(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)

    def test_the_newest_logs_are_kept_and_nothing_else_goes(self):
        others = ["restore_quorum-5d41402abc4b2a76.json", "notes.log", "plan-1f2e.txt"]
        logs = ["check_quorum-20251130T%06dZ-%d.log" % (number, number) for number in range(etcd_page.KEEP + 4)]
        for name in others + logs:
            with open(os.path.join(self.work, name), "w"):
                pass
        log = etcd_page.Log()
        log.open(self.work, "restore_quorum")
        left = set(os.listdir(self.work))
        self.assertEqual(left, set(others + logs[5:] + [os.path.basename(log.path)]))
        with io.open(log.path, encoding="utf-8") as handle:
            self.assertIn("of older logs 5 were removed: the newest %d are kept" % etcd_page.KEEP, handle.read())


class Run(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)
        self.reports = os.path.join(self.work, "reports")
        os.makedirs(os.path.join(self.work, "roles", "writer", "tasks"))
        for name, text in (("p.yml", PLAYBOOK), ("hosts", HOSTS), ("roles/writer/tasks/main.yml", ROLE)):
            with open(os.path.join(self.work, name), "w") as handle:
                handle.write(text)

    def run_it(self, *arguments, **environment):
        """Exit status and all that was printed, by the project's own ansible.cfg. before: a command that runs it."""
        before = environment.pop("before", [])
        usual = {"ANSIBLE_CONFIG": os.path.join(ROOT, "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "PYTHONWARNINGS": "ignore", "ANSIBLE_SSH_RETRIES": "0",
                 "ETCD_REPORT_DIR": self.reports, "PYTHONDONTWRITEBYTECODE": "1"}
        environment = dict(os.environ, **dict(usual, **environment))
        with open(os.devnull) as nothing:
            child = subprocess.Popen(
                before + [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", os.path.join(self.work, "hosts"),
                 os.path.join(self.work, "p.yml")] + list(arguments),
                stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.work, env=environment)
            out = child.communicate()[0].decode("utf-8")
        return child.returncode, out


class RunTest(Run):
    def log(self, directory):
        paths = glob.glob(os.path.join(directory, "p-*.log"))
        self.assertEqual(len(paths), 1, paths)
        self.assertEqual(stat.S_IMODE(os.stat(paths[0]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o700)
        with io.open(paths[0], encoding="utf-8") as handle:
            return paths[0], handle.read()

    def test_what_a_run_was_given_is_known_to_its_modules(self):
        files = dict((name, os.path.join(self.work, name)) for name in ("pass word", "more.yml", "p.yml"))
        for name, text in (("pass word", "PASSWORD-42"), ("more.yml", "a: 1"), ("p.yml", GIVEN)):
            with open(files[name], "w") as handle:
                handle.write(text)
        os.symlink(os.path.join(ROOT, "plugins", "lookup"), os.path.join(self.work, "lookup_plugins"))
        given = ["--vault-id", "ops@pass word", "-u", "ops", "-b", "-e", "@more.yml", "-e", "password=PASSWORD-42"]
        for arguments, want in (([], []), (given, ["--vault-id", "ops@" + files["pass word"], "-u", "ops", "-b", "-e", "@" + files["more.yml"]])):
            status, out = self.run_it(*arguments)
            self.assertEqual(status, 0, out)
            self.assertEqual(json.loads(re.search(r"given (\{.*\})", out).group(1)), {"options": want, "config": os.path.join(ROOT, "ansible.cfg")})
            self.assertNotIn("PASSWORD-42", out)
        os.makedirs(os.path.join(self.work, "home"))
        usual = os.path.join(self.work, "home", ".ansible.cfg")
        with open(usual, "w") as handle:
            handle.write("[defaults]\n")
        out = self.run_it(ANSIBLE_CONFIG=usual, HOME=os.path.dirname(usual))[1]
        self.assertIn('"config": ""', out.replace("\\", ""))

    def test_the_page_and_the_log(self):
        status, out = self.run_it()
        self.assertEqual(status, 2, out)
        path, log = self.log(self.reports)
        for line in ("p.yml %s; the whole log: %s" % (VERSION, path), "(1/3) gone       unreachable: ssh: connect to host 127.0.0.1 port 1: Connection refused",
                     "changed: Write it (one, two)", "changed: Hidden", "changed: Write by a role", "failed, and the run continues: Hidden, and failed",
                     "(2/3) here       a line", "FAILED: Bad", "Next: make it so", "END   p.yml: failed: localhost"):
            self.assertIn(line, out)
        for word in ("TASK [", "[ERROR]", "=>", "PLAY RECAP", "DEPRECAT"):
            self.assertNotIn(word, out)
        self.assertLessEqual(len(out.splitlines()), 20, out)
        for line in ("PLAY [Look at hosts (1/3)]", "TASK [Where is it]", "UNREACHABLE! =>", "TASK [Write it]", "TASK [Question]", "PLAY RECAP",
                     "changed: [here] => (item=two)", "failed=1"):
            self.assertIn(line, log)
        self.assertNotIn("\x1b", log)
        for text in (out, log):
            self.assertNotIn("PASSWORD-42", text)

    def test_a_question_at_a_terminal(self):
        status, out = self.run_it(before=["python3", os.path.join(ROOT, "molecule", "shared", "answer.py"), "Type a word", "word"], TERM="xterm")
        self.assertEqual(status, 2, out)
        # What is being done stands on a line that the question does not share.
        self.assertTrue(re.search(r"(\n|\x1b\[K)\[Question\]\r*\nType a word:", out), repr(out))
        self.assertIn("\r\x1b[K(2/3) Write it ...", out)
        self.assertIn("END   p.yml: failed: localhost", out)

    def test_check_mode(self):
        status, out = self.run_it("--check", "-e", "etcd_report_dir=" + os.path.join(self.work, "elsewhere"))
        self.assertEqual(status, 2, out)
        self.assertIn("p.yml %s, check mode; the whole log: " % VERSION + self.log(os.path.join(self.work, "elsewhere"))[0], out)
        self.assertFalse(os.path.exists(self.reports))

    def test_without_a_place_for_the_log_everything_is_printed(self):
        with open(os.path.join(self.work, "file"), "w"):
            pass
        self.reports = os.path.join(self.work, "file")
        status, out = self.run_it()
        self.assertEqual(status, 2, out)
        for line in ("no log beside this", "Not a directory", "TASK [Where is it]", "PLAY RECAP"):
            self.assertIn(line, out)

    def test_verbose_prints_everything(self):
        status, out = self.run_it("-v")
        self.assertEqual(status, 2, out)
        self.assertIn("TASK [Where is it]", out)
        self.assertIn("TASK [Where is it]", self.log(self.reports)[1])

    def test_a_site_may_have_its_own(self):
        status, out = self.run_it(ANSIBLE_STDOUT_CALLBACK="default")
        self.assertEqual(status, 2, out)
        self.assertIn("TASK [Where is it]", out)
        self.assertFalse(os.path.exists(self.reports))


class RecordTest(Run):
    def setUp(self):
        super(RecordTest, self).setUp()
        os.makedirs(os.path.join(self.work, "library"))
        os.symlink(os.path.join(ROOT, "library", "bin", "etcd_report"), os.path.join(self.work, "library", "etcd_report"))
        for kind in ("callback", "lookup"):
            os.symlink(os.path.join(ROOT, "plugins", kind), os.path.join(self.work, kind + "_plugins"))
        with open(os.path.join(self.work, "p.yml"), "w") as handle:
            handle.write(STOPPED)
        for name, answer in MODULES.items():
            path = os.path.join(self.work, "library", name)
            with open(path, "w") as handle:
                handle.write("#!/bin/sh\ncat <<'END'\n%s\nEND\n" % json.dumps(answer))
            os.chmod(path, 0o755)

    def record(self, status, *arguments, **environment):
        found, out = self.run_it("-e", "reports=" + self.reports, "-e", '{"etcd_host": "one two"}', "-e", "etcd_confirm=1f2e", "-e", "word=PASSWORD-42", *arguments, **environment)
        self.assertEqual(found, status, out)
        self.assertIn("the stage is recorded before it acts", out)
        with io.open(os.path.join(self.reports, "p-5d41402abc4b2a76.json"), encoding="utf-8") as handle:
            return json.load(handle)

    def test_a_failure_is_recorded_whatever_prints_the_run(self):
        for callback in ("etcd_page", "default"):
            record = self.record(2, ANSIBLE_STDOUT_CALLBACK=callback)
            self.assertEqual((record["stage"], record["state"], record["end"]), ("(5/9) Copy the data", "going", "failed"))
            stopped = record["stopped"]
            self.assertEqual((stopped["task"], stopped["fenced"]), ("Copy", ["here"]))
            self.assertEqual([failure["host"] for failure in stopped["failures"]], ["here"])
            self.assertEqual(stopped["failures"][0]["said"], "no room <on> the disk PASSWORD-42\nNext: free some")
            self.assertEqual(stopped["next"], "ANSIBLE_CONFIG=%s/ansible.cfg ansible-playbook -i %s/hosts %s/p.yml -e '{\"etcd_host\": \"one two\"}'"
                             % (ROOT, self.work, self.work))

    def test_the_options_of_the_login_and_the_vault_are_kept(self):
        password = os.path.join(self.work, "a password")
        with open(password, "w") as handle:
            handle.write("PASSWORD-42")
        record = self.record(2, "--vault-password-file", password, "-u", "ops", "--private-key", "/nowhere/id", ANSIBLE_STDOUT_CALLBACK="etcd_page")
        self.assertEqual(record["stopped"]["next"], "ANSIBLE_CONFIG=%s/ansible.cfg ansible-playbook -i %s/hosts --vault-password-file '%s' -u ops "
                         "--private-key /nowhere/id %s/p.yml -e '{\"etcd_host\": \"one two\"}'" % (ROOT, self.work, password, self.work))

    def test_what_is_hidden_stays_so(self):
        record = self.record(2, "-e", "hidden=yes")
        self.assertEqual(record["stopped"]["failures"], [{"host": "here", "said": "not shown (no_log)"}])
        self.assertNotIn("PASSWORD-42", json.dumps(record))

    def test_without_a_failure_nothing_has_stopped(self):
        record = self.record(0, "-e", "whole=yes")
        self.assertEqual((record["stage"], record["stopped"]), ("(5/9) Copy the data", None))


if __name__ == "__main__":
    unittest.main()
