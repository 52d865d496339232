"""Checks that every playbook that changes hosts takes the hosts' locks after what refuses, and gives them back: two at a time, from two control nodes,
would work against each other. Those that only look say so with etcd_begin_reads: true.

Usage: check_locks.py PROJECT
"""
import glob
import os
import sys

import yaml


def load(path):
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or []


def imports(path):
    """The files that a playbook imports, in order, with the variables that it gives them; those of the imported are included."""
    for play in load(path):
        name = next((value for key, value in play.items() if key.rpartition(".")[2] == "import_playbook"), None)
        if name:
            imported = os.path.normpath(os.path.join(os.path.dirname(path), name))
            yield os.path.basename(imported), play.get("vars") or {}
            if os.path.basename(imported) != "lock.yml":  # what that gives back, where it refuses, is no end of a run
                yield from imports(imported)


def problem(path):
    """What is wrong with a playbook, or None."""
    found = list(imports(path))
    names = [name for name, unused in found]
    if any(name == "begin.yml" and given.get("etcd_begin_reads") is True for name, given in found):
        return "only reads, and takes a lock" if "lock.yml" in names else None
    if "lock.yml" not in names or "unlock.yml" not in names[names.index("lock.yml"):]:
        return "changes hosts, and does not import steps/lock.yml before, and steps/unlock.yml after that"
    return None


def main(top):
    paths = sorted(glob.glob(os.path.join(top, "playbooks", "*.yml")))
    wrong = [f"{os.path.relpath(path, top)}: {said}" for path, said in ((path, problem(path)) for path in paths) if said]
    print("\n".join(wrong + [f"hosts' locks: {len(paths)} playbooks, {len(wrong)} problems"]))
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
