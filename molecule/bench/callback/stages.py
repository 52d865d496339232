"""Where a run's seconds and bytes go: for each stage, the tasks, the seconds, and the megabytes of our modules that were sent to hosts.

For ANSIBLE_CALLBACK_PLUGINS=molecule/bench/callback. A stage is the "(4/9)" of a play's name; what a host got is the size of the task's module
in library/bin, for each item of a loop again. ETCD_BENCH_STAGES names the file that gets the table; without it nothing is counted.
"""
import os
import re
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stages
type: aggregate
short_description: tasks, seconds and megabytes of each stage of a playbook
description: Writes a table to the file that ETCD_BENCH_STAGES names.
"""

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "library", "bin")
STAGE = re.compile(r"\((\d+)/\d+\)")


def module_size(action):
    """Bytes of one of our modules, 0 for an action of Ansible's own."""
    path = os.path.join(LIBRARY, action.rpartition(".")[2])
    return os.path.getsize(path) if os.path.isfile(path) else 0


class Stages(object):
    """What each stage took. A play without a number belongs to the stage before it."""

    def __init__(self, clock=time.time, size=module_size):
        self._clock, self._size, self._rows, self._last = clock, size, [], clock()

    def begin(self, play):
        found = STAGE.search(play)
        number = int(found.group(1)) if found else None
        if self._rows and number in (None, self._rows[-1]["stage"]):
            return
        self._take_time()
        self._rows.append({"stage": number or 1, "tasks": 0, "seconds": 0.0, "sent": 0, "modules": 0})

    def task(self):
        self._rows[-1]["tasks"] += 1

    def result(self, host, action, times):
        size = 0 if host == "localhost" else self._size(action)
        self._rows[-1]["sent"] += times * size
        self._rows[-1]["modules"] += times if size else 0

    def _take_time(self):
        now = self._clock()
        if self._rows:
            self._rows[-1]["seconds"] += now - self._last
        self._last = now

    def lines(self):
        """The table, with the sum below it."""
        self._take_time()
        keys = ("tasks", "seconds", "modules", "sent")
        rows = self._rows + [dict({"stage": "all"}, **{key: sum(row[key] for row in self._rows) for key in keys})]
        yield "%-6s %6s %8s %8s %8s" % ("stage", "tasks", "seconds", "sent", "MB")
        for row in rows:
            yield "%-6s %6d %8.1f %8d %8.1f" % (row["stage"], row["tasks"], row["seconds"], row["modules"], row["sent"] / 1e6)


class CallbackModule(CallbackBase):
    """Hands Ansible's events on to Stages."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stages"

    def __init__(self):
        super(CallbackModule, self).__init__()
        self._file = os.environ.get("ETCD_BENCH_STAGES")
        self._stages = Stages()
        self.disabled = not self._file

    def v2_playbook_on_play_start(self, play):
        self._stages.begin(play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._stages.task()

    def _result(self, result, **unused):
        items = result._result.get("results") if result._task.loop else None # each item has the module sent again
        self._stages.result(result._host.get_name(), result._task.action, 1 if items is None else len(items))

    v2_runner_on_ok = v2_runner_on_unreachable = _result

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result)

    def v2_playbook_on_stats(self, stats):
        with open(self._file, "w") as out:
            out.write("\n".join(self._stages.lines()) + "\n")
