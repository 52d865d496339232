# Adds to the record of a run (module etcd_report) what no task can: which stage has begun, before it acts, and the failure that ended the run.
# Nothing depends on it: without it the record has what the plays themselves have written. It works beside any stdout callback, and is found through
# playbooks/callback_plugins. It runs on the control node, on Python 2.7 with Ansible 2.9 as on Python 3 with today's ansible-core.
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: etcd_record
    callback: etcd_record
    type: notification
    short_description: The stage that has begun, and the failure that ended a run, in its record
    description:
        - Acts only in a run that has a record, which the playbooks write with the module etcd_report.
        - Messages of tasks with C(no_log) are not recorded.
"""

import json
import os
import re
import subprocess
import tempfile

from ansible import context
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import lookup_loader
from ansible.release import __version__

try:
    from shlex import quote
except ImportError: # Python 2.7
    from pipes import quote

_STAGE = re.compile(r"^(.*?)\s*(\(\d+/\d+\))$")
# What -e NAME=VALUE keeps as it is.
_WORD = re.compile(r"[A-Za-z0-9_./:=@%+,-]*$")
# What the next run needs as well. An ID confirms one plan, and the next run may have another.
_CONFIRMED = ("yes", "true", "True")


def short_action(action):
    """debug for ansible.builtin.debug, ansible.legacy.debug and debug."""
    return to_text(action).rsplit(u".", 1)[-1]


def said(result):
    """The sentence and the hint of a failed result, or what the shell said last where no module has run."""
    if "censored" in result:
        return u"not shown (no_log)"
    text = to_text(result.get("msg") or u"failed without a message", nonstring="simplerepr")
    shell = [line for line in to_text(result.get("module_stderr") or u"").splitlines() if line.strip()]
    if shell:
        text += u"\n" + shell[-1]
    if result.get("hint"):
        text += u"\nNext: " + to_text(result["hint"], nonstring="simplerepr")
    return text


def same_command(playbook, extra):
    """The command of this run, from any directory, as far as it holds no secret: of -e the variables of this project."""
    lookup = lookup_loader.get("etcd_given")
    given = lookup.run([])[0] if lookup else {"config": u"", "options": []}
    words = ["ansible-playbook"]
    for source in context.CLIARGS.get("inventory") or []:
        words += ["-i", os.path.abspath(source) if os.path.exists(source) else source]
    words += given["options"]
    words.append(os.path.abspath(playbook))
    for name in sorted(extra):
        value = to_text(extra[name], nonstring="simplerepr")
        if name.startswith("etcd_") and isinstance(extra[name], (type(u""), str, bool, int)) and (name != "etcd_confirm" or value in _CONFIRMED):
            words += ["-e", "%s=%s" % (name, value) if _WORD.match(value) else json.dumps({name: value})]
    command = u" ".join(to_text(quote(str(word))) for word in words)
    return u"ANSIBLE_CONFIG=%s %s" % (to_text(quote(str(given["config"]))), command) if given["config"] else command


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "etcd_record"

    def __init__(self, *args, **kwargs):
        super(CallbackModule, self).__init__(*args, **kwargs)
        self._playbook, self._extra, self._stage = u"", {}, u""
        self._plan, self._record, self._ended, self._fenced = None, None, False, set()
        self._begins, self._task, self._failures = u"", None, []

    def v2_playbook_on_start(self, playbook):
        self._playbook = to_text(playbook._file_name)

    def v2_playbook_on_play_start(self, play):
        manager = play.get_variable_manager()
        self._extra = manager.extra_vars if manager else {}
        found = _STAGE.match(to_text(play.get_name()).strip())
        self._begins = u"%s %s" % (found.group(2), found.group(1)) if found else u""

    def v2_playbook_on_task_start(self, task, is_conditional):
        if not self._begins or self._begins == self._stage: # a play without hosts has no task
            return
        self._stage = self._begins
        if self._record and not self._ended:
            self._write({})

    def v2_runner_on_ok(self, result):
        host, action, returned = self._parts(result)
        if action == u"etcd_quorum_plan" and "do" in returned:
            self._plan = {"do": returned["do"], "report": returned["report"]}
        elif action == u"etcd_report" and "stats" in returned:
            self._record, self._ended = returned["stats"], returned["stats"]["state"] == "ended"
        elif action == u"etcd_fence" and returned.get("fenced"):
            self._fenced.add(host)
        elif action in (u"etcd_fence", u"etcd_force_new_cluster"):
            self._fenced.discard(host)

    v2_runner_item_on_ok = v2_runner_on_ok

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self._failed(result)

    def v2_runner_item_on_failed(self, result):
        self._failed(result)

    def v2_runner_on_unreachable(self, result):
        self._failed(result)

    def _failed(self, result):
        """What fails last ends the run: what failed before, was rescued or let pass."""
        host, unused, returned = self._parts(result)
        task = getattr(result, "task", None) or result._task
        if task is not self._task and (self._task is None or task._uuid != self._task._uuid):
            self._task, self._failures = task, []
        if "results" in returned and any(failure["host"] == host for failure in self._failures): # its items have said so
            return
        self._failures.append({"host": host, "said": said(returned)})

    def v2_playbook_on_stats(self, stats):
        summaries = [stats.summarize(host) for host in stats.processed]
        word = (getattr(stats, "custom", None) or {}).get("_run", {}).get("etcd_end")
        if self._record and self._task and not word and any(each.get("failures") or each.get("unreachable") for each in summaries):
            self._write({"stopped": {"task": to_text(self._task.get_name()), "failures": self._failures, "fenced": sorted(self._fenced),
                                     "next": same_command(self._playbook, self._extra)}})

    @staticmethod
    def _parts(result):
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        found = getattr(result, "result", None)
        return to_text(host.get_name()), short_action(task.action), found if isinstance(found, dict) else result._result

    def _write(self, more):
        """By the module itself, which keeps what is recorded. A record that cannot be written holds nothing up."""
        args = dict({"directory": os.path.dirname(self._record["record"]), "playbook": self._record["playbook"], "state": "going", "stage": self._stage, "plan": self._plan,
                     "ansible": to_text(__version__)}, **more)
        module = os.path.join(os.path.dirname(os.path.abspath(self._playbook)), "library", "etcd_report")
        handle, path = tempfile.mkstemp()
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(to_bytes(json.dumps(args)))
            run = subprocess.Popen([module, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            answer = to_text(run.communicate()[0])
            if run.returncode:
                self._display.vv(u"the record lacks the stage: " + answer)
        except (IOError, OSError, TypeError, ValueError) as error:
            self._display.vv(u"the record lacks the stage: %s" % error)
        finally:
            os.unlink(path)
