"""Checks that no play is typed twice: plays that do the same are a file in playbooks/steps, which is imported where they are needed.

Two plays are the same where their tasks are, with their variables and conditions, and where they go on or end in the same way. Names, hosts and
comments make no other play of one. Nor does import_role beside include_role.

The main job stays a table of contents, of fewer than LINES lines. `meta: end_play` hides where a playbook ends: each has its reason in a comment, in
its own line or above its task.

Usage: check_plays.py PROJECT
"""
import collections
import glob
import json
import os
import re
import sys

import yaml

# What says for whom a play is and what it is called, and what every play has.
FRAME = frozenset("name hosts vars gather_facts environment".split())
BLOCKS = ("block", "rescue", "always")
CONTENTS, LINES = "playbooks/restore_quorum.yml", 80
ENDS = re.compile(r"\bend_play\b")
COMMENT = re.compile(r"(^|\s)#\s*\w")


def load(path):
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or []


def done(task):
    """A task without its name, and with one word for what is the same."""
    out = {}
    for key, value in task.items():
        key = key.rpartition(".")[2].replace("import_role", "include_role")
        if key in BLOCKS:
            value = [done(each) for each in value]
        if key != "name":
            out[key] = value
    return out


def same(play):
    """What equal plays have in common, as text."""
    ends = {key: value for key, value in play.items() if key not in FRAME}
    return json.dumps(dict(ends, tasks=[done(each) for each in play.get("tasks") or []]), sort_keys=True)


def lines(top, path):
    with open(os.path.join(top, path), encoding="utf-8") as handle:
        return handle.read().splitlines()


def too_long(top):
    """The table of contents, where it is none any more."""
    count = len(lines(top, CONTENTS))
    return [] if count < LINES else [f"{CONTENTS}: {count} lines, and fewer than {LINES} can be read at once; next: move plays into a file in playbooks/steps"]


def silent_ends(top):
    """Each end_play without its reason beside it."""
    found = []
    for folder in ("playbooks", "roles"):
        for path in sorted(glob.glob(os.path.join(top, folder, "**", "*.yml"), recursive=True)):
            text = lines(top, path)
            for number, line in enumerate(text):
                code, _, _ = line.partition("#")
                # The task's own lines: its name, and the comment above that.
                if ENDS.search(code) and not any(COMMENT.search(near) for near in text[max(0, number - 2):number + 1]):
                    found.append(f"{os.path.relpath(path, top)}:{number + 1}: end_play without its reason; next: say it in a comment beside it, or do without")
    return found


def main(top):
    places, plays = collections.defaultdict(list), 0
    for pattern in ("playbooks/*.yml", "playbooks/steps/*.yml"):
        for path in sorted(glob.glob(os.path.join(top, pattern))):
            for play in load(path):
                if play.get("tasks"):
                    plays += 1
                    places[same(play)].append(f"{os.path.relpath(path, top)}: {play['name']!r}")
    repeated = [found for found in places.values() if len(found) > 1]
    for found in repeated:
        print("one play, typed more than once; next: make it a file in playbooks/steps, and import that:\n    " + "\n    ".join(found))
    others = too_long(top) + silent_ends(top)
    for problem in others:
        print(problem)
    problems = len(repeated) + len(others)
    print(f"no play is typed twice, none ends without a reason, {CONTENTS} has fewer than {LINES} lines: {plays} plays, {problems} problems")
    return 1 if problems or plays == 0 else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
