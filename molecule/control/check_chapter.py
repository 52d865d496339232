"""Checks that each test and scenario which molecule/chapter.md names exists.

Usage: check_chapter.py PROJECT
"""
import os
import re
import sys


def tests(project):
    """Names of all Go tests."""
    for place, _, names in os.walk(os.path.join(project, "modules")):
        for name in names:
            if name.endswith("_test.go"):
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    yield from re.findall(r"^func (Test\w+)", file.read(), re.MULTILINE)


def main(project):
    known = set(tests(project))
    missing = []
    with open(os.path.join(project, "molecule", "chapter.md"), encoding="utf-8") as file:
        shown = [line.rstrip(" |\n").rpartition(" | ")[2] for line in file if line.startswith("| ") and line.count("|") == 4]
    for cell in shown[1:]:
        names = re.findall("`([^`]+)`", cell)
        if not names:
            missing.append("a row without a test: " + cell)
        for name in names:
            scenario = os.path.join(project, "molecule", name, "converge.yml")
            if name not in known and not os.path.exists(scenario):
                missing.append(f"{name} is neither a test nor a scenario")
    for each in missing:
        print("molecule/chapter.md:", each)
    return 1 if missing or len(shown) < 30 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
