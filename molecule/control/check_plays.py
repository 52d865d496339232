"""Checks that no play is typed twice: plays that do the same are a file in playbooks/steps, which is imported where they are needed.

Two plays are the same where their tasks are, with their variables and conditions, and where they go on or end in the same way. Names, hosts and
comments make no other play of one. Nor does import_role beside include_role.

Usage: check_plays.py PROJECT
"""
import collections
import glob
import json
import os
import sys

import yaml

# What says for whom a play is and what it is called, and what every play has.
FRAME = frozenset("name hosts vars gather_facts environment".split())
BLOCKS = ("block", "rescue", "always")


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
    print(f"no play is typed twice: {plays} plays, {len(repeated)} problems")
    return 1 if repeated or plays == 0 else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
