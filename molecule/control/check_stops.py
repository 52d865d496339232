"""Checks that whatever ends a run says how to go on: each fail and each assert of playbooks and roles names a command, a variable to give, or
that the same command is to be run again once a named thing is done.

Usage: check_stops.py PROJECT
"""
import glob
import os
import re
import sys

import yaml

BLOCKS = ("block", "rescue", "always", "tasks")
# A command of the plan or of a hint, a variable, or what to do before the same command does more.
GOES_ON = re.compile(r"commands\.|-e [a-z_]+=|Run it again|run `|run the same (command|playbook) again|what to do is above")
# Or what a module or the plan says, by its field: only within {{ }}, since a word of a sentence is no command.
FIELD = re.compile(r"\{\{[^{}]*(\.(hint|advice|refusal)\b|attribute='hint')")


def stops(tasks):
    """Yields (name, message) of what can end a run on purpose."""
    for task in tasks or []:
        for key in BLOCKS:
            yield from stops(task.get(key))
        for key, value in task.items():
            if key.rpartition(".")[2] == "fail":
                yield task["name"], value["msg"]
            elif key.rpartition(".")[2] == "assert":
                yield task["name"], value.get("fail_msg", "")


def main(top):
    found = problems = 0
    for pattern in ("playbooks/*.yml", "playbooks/steps/*.yml", "roles/*/tasks/*.yml"):
        for path in sorted(glob.glob(os.path.join(top, pattern))):
            with open(path, encoding="utf-8") as handle:
                tasks = yaml.safe_load(handle) or []
            for name, message in stops(tasks):
                found += 1
                if not (GOES_ON.search(message) or FIELD.search(message)):
                    problems += 1
                    print(f"{os.path.relpath(path, top)}: task {name!r} ends a run and says no next command: {message!r}")
    print(f"whatever ends a run says how to go on: {found} tasks, {problems} problems")
    return 1 if problems or found == 0 else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
