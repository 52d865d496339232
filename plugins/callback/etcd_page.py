# The whole run on one page of a terminal, and all that Ansible's own callback would print in a file.
# Nothing depends on it: without this file, or with another stdout callback, the playbooks do the same.
# It runs on the control node, on Python 2.7 with Ansible 2.9 as on Python 3 with today's ansible-core.
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: etcd_page
    callback: etcd_page
    type: stdout
    short_description: A run on one page, the whole log in a file
    description:
        - A line for each change, failure, warning and unreachable host, with its stage, host and seconds, and what debug prints.
        - What Ansible's default callback would print goes into a file of mode 0600, whose name is printed first and last.
        - Of the logs in that directory the newest 200 are kept, and a line of the new log says how many older ones were removed.
        - With C(-v) the terminal shows what the default callback shows.
        - On a terminal a line that is not kept says what is being done, and how many hosts have answered.
    requirements:
        - set as stdout in configuration
    options:
        report_dir:
            name: Directory of the log
            description:
                - Created with mode 0700. The extra variable C(etcd_report_dir) comes first.
                - Where no file can be written there, the terminal says so, and shows what the default callback shows.
            type: str
            default: ~/etcd-quorum-restore
            env:
                - name: ETCD_REPORT_DIR
            ini:
                - section: callback_etcd_page
                  key: report_dir
"""

import codecs
import errno
import functools
import inspect
import io
import os
import re
import stat
import sys
import time
import types

from ansible import constants as C
from ansible import context
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import callback_loader

# Logs that are kept in the directory, the new one with them.
KEEP = 200
# A task that changed nothing is worth a line from here on, in seconds.
LONG = 10
# Where seconds stand, on a terminal that is wide enough.
WIDTH = 110
# They say "changed" where no host changed, or print nothing of their own. etcd_clients_left notes for the next run what this one is about to do; what
# is not done is printed at the end.
BOOKKEEPING = frozenset(("add_host", "group_by", "import_role", "import_tasks", "include_role", "include_tasks", "include", "meta", "set_fact",
                         "pause", "assert", "etcd_clients_left"))

_LOG = re.compile(r"[A-Za-z0-9_.-]+-(\d{8}T\d{6}Z)-\d+\.log$")
# How a run may end without anything being wrong.
GOOD = (u"whole",)

_COMMAND = re.compile(r"(?:^|: )((?:ANSIBLE_CONFIG=(?:'[^']*'|\S+) )?ansible(?:-playbook)? )")
_STAGE = re.compile(r"\s*(\(\d+/\d+\))\s*")
# What a host says is text: it must not move the cursor, or turn the direction of writing around.
_CONTROL = re.compile(u"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_COLOR = re.compile(u"\x1b\\[[0-9;]*m")
_SSH_WORDS = re.compile(r"^(Task failed: |Failed to connect to the host via ssh: |Data could not be sent to remote host [^.]*\. )+")


def printable(value):
    """value as text without control characters; a line feed stays."""
    return _CONTROL.sub(u"?", to_text(value, nonstring="simplerepr", errors="surrogate_or_replace").replace(u"\r\n", u"\n").expandtabs(4))


def lines_of(value):
    """The lines of what a module or debug says: of text, or of a list of lines."""
    if isinstance(value, (list, tuple)):
        return [line for part in value for line in (printable(part).split(u"\n") if part != "" else [u""])]
    return printable(value).rstrip(u"\n").split(u"\n")


def short_action(action):
    """debug for ansible.builtin.debug, ansible.legacy.debug and debug."""
    return to_text(action).rsplit(u".", 1)[-1]


def task_name(task):
    """The task's own name: the role before it tells an operator nothing."""
    name, role = printable(task.get_name()).strip(), getattr(task, "_role", None)
    prefix = u"%s : " % printable(role.get_name()) if role else u""
    return name[len(prefix):] if prefix and name.startswith(prefix) else name


def names(hosts):
    """Up to three names; of more, the first two and a count."""
    return u", ".join(hosts) if len(hosts) <= 3 else u"%s, %s and %d more" % (hosts[0], hosts[1], len(hosts) - 2)


def unreachable_reason(message):
    """One line of what ssh said. Its last line is the cause; banners and warnings stand before it."""
    said = [line.strip() for line in lines_of(message) if line.strip()]
    return _SSH_WORDS.sub(u"", said[-1])[:200] if said else u"no answer"


def commands_apart(lines):
    """The lines, each command in one piece on a line of its own, so that it can be pasted. A command begins at the start of a line or after a
    colon, and ends at the end of the line or before a semicolon: so the modules and the playbooks write it."""
    out = []
    for line in lines:
        rest, found = line, _COMMAND.search(line)
        while found:
            before = rest[:found.start(1)].rstrip()
            command, unused, rest = rest[found.start(1):].partition(u"; ")
            out += [before, command] if before else [command]
            found = _COMMAND.search(rest)
        if rest or rest == line:
            out.append(rest)
    return out


def failure_lines(result):
    """What a failed result says, without what explains nothing: the sentence, the hint, and of a program the end of its output."""
    said = lines_of(result.get("msg", result.get("censored", u"failed without a message")))
    for key in ("stderr", "module_stderr", "stdout", "module_stdout"):
        tail = [line for line in lines_of(result.get(key) or u"") if line.strip()][-5:]
        if tail and not all(line in u"\n".join(said) for line in tail):
            said += tail
            break
    hint = result.get("hint")
    if hint:
        more = lines_of(hint)
        said += [u"Next: " + more[0]] + more[1:]
    return commands_apart(said)


def suite_version():
    """The version of the playbooks that this file came with."""
    try:
        with io.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "VERSION"), encoding="utf-8") as handle:
            return printable(handle.readline().strip())
    except (IOError, OSError, ValueError):
        return u"of unknown version"


class Log:
    """The file: made when the first play begins, of mode 0600, in a directory of mode 0700. What was said before that waits."""

    def __init__(self):
        self.path, self.failed, self._file, self._waiting = None, None, None, []

    def open(self, directory, name):
        directory = os.path.abspath(os.path.expanduser(to_text(directory)))
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = os.path.join(directory, "%s-%s-%d.log" % (name, stamp, os.getpid()))
        try:
            self._private(directory)
            # O_EXCL: nobody's link or file of that name is written through.
            handle = os.open(to_bytes(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except (IOError, OSError) as error:
            self.failed = u"%s: %s" % (printable(path), printable(error.strerror or error))
            self._waiting = []
            return
        self.path, self._file = path, os.fdopen(handle, "wb")
        removed = self._remove_old(directory)
        if removed:
            self.write(u"of older logs %d were removed: the newest %d are kept in %s\n" % (removed, KEEP, directory))
        for text in self._waiting:
            self.write(text)
        self._waiting = []

    @staticmethod
    def _private(directory):
        try:
            os.makedirs(to_bytes(directory), 0o700)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
        found = os.stat(to_bytes(directory))
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            raise OSError(errno.EPERM, "others may write in the directory; chmod 700 it")

    @staticmethod
    def _remove_old(directory):
        """How many were removed. Only what has the name of a log of ours: records and plans beside them stay."""
        found = [(match.group(1), name) for name, match in ((to_text(name), _LOG.match(to_text(name))) for name in os.listdir(to_bytes(directory))) if match]
        removed = 0
        for unused, name in sorted(found, reverse=True)[KEEP:]:
            try:
                os.unlink(to_bytes(os.path.join(directory, name)))
                removed += 1
            except (IOError, OSError):
                pass # another run has removed it, or it is no file
        return removed

    def write(self, text):
        if self.failed:
            return
        if self._file is None:
            self._waiting.append(text)
            return
        try:
            self._file.write(_COLOR.sub(u"", text).encode("utf-8", "replace"))
            self._file.flush()
        except (IOError, OSError) as error:
            self.failed = u"%s: %s" % (printable(self.path), printable(error.strerror or error))


class LogDisplay:
    """Ansible's display, for the default callback: its methods are Ansible's own, but what they print goes to the file, and to the
    terminal only where the page is off."""

    def __init__(self, display, log):
        self._real, self._log, self.echo = display, log, False
        # Own ones: a warning that only the file has shown may still come on the terminal.
        for told in ("_warns", "_deprecations", "_errors"):
            if hasattr(display, told):
                setattr(self, told, type(getattr(display, told))())

    def __getattr__(self, name):
        found = getattr(self._real, name)
        if inspect.ismethod(found) and found.__self__ is self._real:
            return types.MethodType(found.__func__, self)
        return found

    def display(self, msg, *args, **kwargs):
        if not kwargs.get("screen_only"):
            self._log.write(to_text(msg, nonstring="simplerepr") + u"\n")
        if self.echo:
            self._real.display(msg, *args, **kwargs)


class Page:
    """What stands on the terminal. say(text, color) prints a line; hint(text) shows one that is not kept; now() is in seconds."""

    def __init__(self, say, hint, now, width):
        self._say_line, self._hint, self._now, self._width = say, hint, now, min(width, WIDTH)
        self.stage, self.hosts, self.check = u"", 9, False
        self._task, self._began, self._answered, self._pending, self._play = None, {}, 0, [], None
        self._told, self._warned, self._unreachable, self._changed = set(), set(), set(), set()
        self._said_by_hosts, self._said_once = set(), set()
        self._fenced, self._stopped = set(), u""
        self.began = now()

    def say(self, text=u"", color=None):
        self._hint(None)
        self._say_line(text, color)

    def row(self, host, text, seconds=None, color=None):
        """Stage, host, what happened, seconds. Without a host it continues the row above."""
        line = u"%-6s%-*s  %s" % (self.stage if host else u"", self.hosts, host, text)
        if seconds is not None and seconds >= 1:
            line = u"%-*s %4d s" % (self._width - 7, line, seconds)
        self.say(line.rstrip(), color)

    def rows(self, host, lines, seconds=None, color=None):
        for number, line in enumerate(lines):
            self.row(host if number == 0 else u"", line, seconds if number == 0 else None, color)

    def play(self, name, hosts):
        self.flush()
        if name != self._play: # serial: each batch is a play of the same name
            self._play, self._told, self._unreachable = name, set(), set()
        found = _STAGE.search(name)
        self.stage = found.group(1) if found else u""
        self.hosts = min(max([len(host) for host in hosts] + [9]), 32)

    def task(self, uuid, name, action):
        # What is printed next may say what was done in better words than the task's name.
        if action != u"debug" or not any(line["nameless"] for line in self._pending):
            self.flush()
        self._task, self._answered = name, 0
        self._began[uuid] = self._now()
        # Nothing may stand on the line of a question.
        self._hint(u"%-6s%s" % (self.stage, name) if action != u"pause" else None)

    def answered(self):
        self._answered += 1
        self._hint(u"%-6s%s: %d answered, %d s" % (self.stage, self._task, self._answered, self._now() - min(list(self._began.values()) or [self._now()])))

    def seconds(self, uuid):
        return self._now() - self._began.get(uuid, self._now())

    def later(self, host, text, item, seconds, color, nameless=False):
        """A line of a task that many hosts, or many items, may share: printed once the task is over."""
        for line in self._pending:
            if line["text"] == text and (line["items"] == [item] or (line["hosts"] == [host] and item)):
                line["hosts"] += [host] if host not in line["hosts"] else []
                line["items"] += [item] if item not in line["items"] else []
                line["seconds"] = max(line["seconds"], seconds)
                return
        self._pending.append({"text": text, "hosts": [host], "items": [item], "seconds": seconds, "color": color, "nameless": nameless})

    def flush(self):
        pending, self._pending, self._began = self._pending, [], {}
        for line in pending:
            items = names([item for item in line["items"] if item and item not in line["text"]])
            text = u"%s (%s)" % (line["text"], items) if items else line["text"]
            self.rows(names(line["hosts"]), text.split(u"\n"), line["seconds"], line["color"])
        self._hint(None)

    def ok(self, host, task, result, item=None):
        """A result that is neither failed nor skipped. task: uuid, name, action, check."""
        uuid, name, action, check = task
        if action == u"debug":
            self._debug(host, result)
            return
        self._warn(host, result)
        self._fence(host, action, result)
        changed, seconds = bool(result.get("changed")), self.seconds(uuid)
        if action in BOOKKEEPING or not (changed or seconds >= LONG):
            return
        said = [line for line in lines_of(result.get("msg") or u"") if line.strip()]
        nameless, said = not said, said or [name]
        what = (u"would change: " if check else u"changed: ") if changed else u""
        self._told.update((host, line) for line in said)
        self._said_by_hosts.update(said)
        if changed:
            self._changed.add(host)
        self.later(host, what + u"\n".join(said), item, seconds, C.COLOR_CHANGED if changed else C.COLOR_OK, changed and nameless)

    def _fence(self, host, action, result):
        if action == u"etcd_fence" and result.get("fenced"):
            self._fenced.add(host)
        elif action in (u"etcd_fence", u"etcd_force_new_cluster"):
            self._fenced.discard(host)

    def _stops(self):
        """What fails last ends the run; plays without a stage only tell."""
        self._stopped = u"%s %s" % (self.stage, _STAGE.sub(u"", self._play or u"").strip()) if self.stage else u""

    def _debug(self, host, result):
        if "msg" in result:
            said = lines_of(result["msg"])
        else:
            said = [u"%s: %s" % (printable(key), printable(result[key])) for key in sorted(result)
                    if key not in ("changed", "failed") and not key.startswith("_")]
        # The module's own sentence has been printed, with its seconds.
        if host == u"localhost":
            self._report(said)
            return
        said = [line for line in commands_apart(said) if (host, line) not in self._told or not line]
        self._told.update((host, line) for line in said)
        self._said_by_hosts.update(line for line in said if line)
        for line in self._pending:
            if said and line["nameless"] and line["hosts"] == [host]:
                line["text"], line["nameless"] = line["text"].split(u": ", 1)[0] + u": " + u"\n".join(said), False
                return
        if said:
            self.later(host, u"\n".join(said), None, 0, None)

    def _report(self, said):
        """The control node's own lines: a plan is printed as a whole; of a report, what a host has said above is left out, with the
        heading of a list of which nothing is left."""
        self.flush()
        if len(said) == 1 and said[0] in self._said_once:
            return
        self._said_once.update(said if len(said) == 1 else [])
        left, below = [], True # whether the line below is left
        for line in reversed(said):
            below = line not in self._said_by_hosts and (below or not line.endswith(u":"))
            left += [line] if below else []
        for line in reversed(left):
            self.say(line)

    def failed(self, host, task, result, ignored, item=None):
        uuid, name, unused, unused_too = task
        self._warn(host, result)
        if "results" in result and item is None: # each item had its own line
            return
        if not ignored:
            self._stops()
        where = u"%s: %s" % (name, item) if item else name
        word, color = (u"failed, and the run continues", C.COLOR_WARN) if ignored else (u"FAILED", C.COLOR_ERROR)
        self.row(host, u"%s: %s" % (word, where), self.seconds(uuid), color)
        self.rows(u"", failure_lines(result), None, color)

    def unreachable(self, host, task, result):
        reason = unreachable_reason(result.get("msg", u""))
        if (host, reason) in self._unreachable:
            return
        self._unreachable.add((host, reason))
        self._stops()
        self.row(host, u"unreachable: " + reason, self.seconds(task[0]), C.COLOR_UNREACHABLE)

    def _warn(self, host, result):
        for warning in result.get("warnings") or []:
            text = u" ".join(lines_of(warning))
            if text.startswith(host + u": "):
                text = text[len(host) + 2:]
            if (host, text) not in self._warned:
                self._warned.add((host, text))
                self.row(host, u"warning: " + text, None, C.COLOR_WARN)

    def end(self, playbook, summaries, check, word=u""):
        """summaries: of each host the numbers that Ansible's recap has. word: how the run ended, in the playbook's own words; without one it
        has failed, where something has."""
        self.flush()
        self.stage = u""
        failed, lost = (sorted(host for host in summaries if summaries[host].get(key)) for key in ("failures", "unreachable"))
        good = not (failed or lost) if word in GOOD + (u"",) else False
        if word in GOOD and not good:
            word = u"" # it failed since
        if word: # the task on the control node that ends the run is no failure of a host
            failed = [host for host in failed if host != u"localhost"]
        told = ((u"failed", failed), (u"unreachable", lost), (u"would change" if check else u"changed", sorted(self._changed)))
        counts = [u"%s: %s" % (what, names(hosts)) for what, hosts in told if hosts]
        text = u"; ".join(([word] if word else []) + (counts or [u"nothing changed"]))
        self.say(u"%-*s %4d s" % (self._width - 7, u"END   %s: %s" % (playbook, text), self._now() - self.began),
                 C.COLOR_OK if good else C.COLOR_ERROR)
        if self._stopped and (failed or word == u"plan changed"):
            fenced = u"fenced by this run: " + names(sorted(self._fenced)) if self._fenced else u"this run fenced no host"
            self.say(u"      stopped at %s; %s" % (self._stopped, fenced), C.COLOR_ERROR)
            self.say(u"      next: what FAILED says above; then the same command again, which looks at all hosts again", C.COLOR_ERROR)


def also_logged(method):
    """An event: the page first, since the default callback takes results apart, then the log, whatever became of the page."""
    @functools.wraps(method)
    def event(self, *args, **kwargs):
        try:
            if not self._log_display.echo:
                method(self, *args, **kwargs)
        finally:
            self._to_log(method.__name__, args, kwargs)
    return event


def only_logged(name):
    """An event that the page says nothing about."""
    def event(self, *args, **kwargs):
        self._to_log(name, args, kwargs)
    event.__name__ = name
    return event


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "etcd_page"

    def __init__(self, display=None, options=None):
        super(CallbackModule, self).__init__()
        self._log = Log()
        self._log_display = LogDisplay(self._display, self._log)
        self._log_display.echo = self._display.verbosity > 0
        self._default = callback_loader.get("default")
        self._default._display = self._log_display
        self._terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
        self._hinted = False
        self._playbook = u""
        self._page = Page(self._say, self._hint, time.time, self._display.columns if self._terminal else WIDTH)

    def set_options(self, *args, **kwargs):
        super(CallbackModule, self).set_options(*args, **kwargs)
        self._default.set_options(*args, **kwargs)

    def _say(self, text, color):
        self._display.display(text, color=color)

    def _hint(self, text):
        """On a terminal: what is being done, on a line that the next one takes the place of."""
        if not self._terminal or (text is None and not self._hinted):
            return
        self._hinted = text is not None
        line = u"\r\x1b[K" + (printable(text).replace(u"\n", u" ")[:self._display.columns - 4] + u" ..." if text else u"")
        codecs.getwriter("utf-8")(getattr(sys.stdout, "buffer", sys.stdout)).write(line)
        sys.stdout.flush()

    def _to_log(self, name, args, kwargs):
        method = getattr(self._default, name, None)
        if method is not None:
            # What newer versions give the running callback beside the event.
            self._default._current_task_result = getattr(self, "_current_task_result", None)
            method(*args, **kwargs)

    def _open(self, play):
        manager = play.get_variable_manager()
        directory = manager.extra_vars.get("etcd_report_dir") if manager else None
        self._log.open(directory or self.get_option("report_dir"), os.path.splitext(self._playbook)[0] or "playbook")
        check = u", check mode" if context.CLIARGS.get("check") else u""
        if self._log.path:
            self._say(u"%s %s%s; the whole log: %s" % (self._playbook, suite_version(), check, printable(self._log.path)), None)
        else:
            self._say(u"%s %s%s; no log beside this: %s" % (self._playbook, suite_version(), check, self._log.failed), C.COLOR_WARN)
            self._log_display.echo = True

    @staticmethod
    def _parts(result):
        """Of Ansible's result: the host's name, the task (uuid, name, action, check mode), what the module returned."""
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        found = getattr(result, "result", None)
        returned = found if isinstance(found, dict) else result._result
        name = task_name(task)
        check = bool(getattr(task, "check_mode", False)) or bool(context.CLIARGS.get("check"))
        return printable(host.get_name()), (task._uuid, name, short_action(task.action), check), returned

    def _item(self, returned):
        return printable(self._get_item_label(returned))

    def v2_playbook_on_start(self, playbook):
        self._playbook = printable(os.path.basename(to_text(playbook._file_name)))
        self._to_log("v2_playbook_on_start", (playbook,), {})

    def v2_playbook_on_play_start(self, play):
        # The directory may be an extra variable, which only a play knows.
        if self._log.path is None and self._log.failed is None:
            self._open(play)
        hosts = play.hosts if isinstance(play.hosts, list) else [play.hosts]
        self._page.play(printable(play.get_name()).strip(), [printable(host) for host in hosts if host])
        self._to_log("v2_playbook_on_play_start", (play,), {})

    @also_logged
    def v2_playbook_on_task_start(self, task, is_conditional):
        self._page.task(task._uuid, task_name(task), short_action(task.action))

    @also_logged
    def v2_playbook_on_handler_task_start(self, task):
        self._page.task(task._uuid, task_name(task), short_action(task.action))

    @also_logged
    def v2_runner_on_ok(self, result):
        host, task, returned = self._parts(result)
        # Each item of a loop has had its own event.
        if "results" not in returned:
            self._page.ok(host, task, returned)
        self._page.answered()

    @also_logged
    def v2_runner_item_on_ok(self, result):
        host, task, returned = self._parts(result)
        self._page.ok(host, task, returned, self._item(returned))

    @also_logged
    def v2_runner_on_failed(self, result, ignore_errors=False):
        host, task, returned = self._parts(result)
        self._page.failed(host, task, returned, ignore_errors)

    @also_logged
    def v2_runner_item_on_failed(self, result):
        host, task, returned = self._parts(result)
        self._page.failed(host, task, returned, False, self._item(returned))

    @also_logged
    def v2_runner_on_unreachable(self, result):
        host, task, returned = self._parts(result)
        self._page.unreachable(host, task, returned)

    @also_logged
    def v2_on_file_diff(self, result):
        # Some tasks have a difference for the record of the run; the terminal shows those that were asked for.
        if not context.CLIARGS.get("diff"):
            return
        unused, unused_too, returned = self._parts(result)
        for one in returned["results"] if "results" in returned else [returned]:
            if one.get("diff") and one.get("changed"):
                text = self._get_diff(one["diff"])
                if text:
                    # Colors are Ansible's own, set before the text was known to be clean.
                    self._page.say(u"\n".join(printable(_COLOR.sub(u"", line)) for line in text.rstrip(u"\n").split(u"\n")))

    @also_logged
    def v2_playbook_on_stats(self, stats):
        word = (getattr(stats, "custom", None) or {}).get("_run", {}).get("etcd_end", u"")
        self._page.end(self._playbook, dict((printable(host), stats.summarize(host)) for host in stats.processed), bool(context.CLIARGS.get("check")),
                       printable(word))
        if self._log.failed:
            self._say(u"      the log ends early: " + self._log.failed, C.COLOR_WARN)
        else:
            self._say(u"      the whole log: %s" % printable(self._log.path), None)


for _name in ("v2_playbook_on_no_hosts_matched", "v2_playbook_on_no_hosts_remaining", "v2_playbook_on_notify", "v2_playbook_on_include",
              "v2_playbook_on_cleanup_task_start", "v2_runner_on_start", "v2_runner_on_skipped", "v2_runner_item_on_skipped",
              "v2_runner_retry", "v2_runner_on_async_poll", "v2_runner_on_async_ok", "v2_runner_on_async_failed"):
    setattr(CallbackModule, _name, only_logged(_name))
