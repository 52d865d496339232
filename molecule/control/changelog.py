"""CHANGELOG.md is made from changelog/VERSION/NAME.md and changelog/unreleased/NAME.md: one problem that somebody had, one file.

Usage: changelog.py write|check PROJECT
    write   makes CHANGELOG.md
    check   do all files parse, and does CHANGELOG.md have each released one? What is unreleased may be missing there, so that
            two who add an entry do not meet in one file.
"""
import os
import re
import sys

UNRELEASED = "unreleased"
VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-rc\.(\d+))?")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.md")
HEAD = "# Changelog\n\nEach entry names the problem that somebody had. Made by `make changelog` from the files in changelog/.\n"
WIDTH = 160


def age(section):
    """Sorts versions: a release candidate before its release, what is unreleased last."""
    found = VERSION.fullmatch(section)
    if not found:
        return (float("inf"),)
    major, minor, patch, candidate = found.groups()
    return (int(major), int(minor), int(patch), int(candidate) if candidate else float("inf"))


def wrong(name, text):
    """What is wrong with a fragment, or nothing."""
    lines = text.splitlines()
    if not NAME.fullmatch(name):
        return "a name is of small letters, digits and hyphens, and ends with .md"
    if not text.strip():
        return "is empty"
    if re.match(r"\s*([-*#]|\d+\.)\s", text):
        return "is plain text: without a heading, without the mark of a list"
    if text != text.strip() + "\n" or "" in lines:
        return "is one paragraph: no empty line in it, one line end after it"
    if re.search(r"[ \t]$|^[ \t]", text, re.MULTILINE):
        return "has a space at the start or the end of a line"
    if max(map(len, lines)) > WIDTH:
        return f"has a line of more than {WIDTH} characters"
    if not text.endswith((".\n", ".)\n")):
        return "does not end with a full stop"
    return None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fragments(project):
    """Yields (section, name, text) of each file, the newest version first."""
    top = os.path.join(project, "changelog")
    for section in sorted(os.listdir(top), key=age, reverse=True):
        if section != UNRELEASED and not VERSION.fullmatch(section):
            raise SystemExit(f"changelog/{section}: a directory is {UNRELEASED}, or a version such as v1.0.0 or v1.0.0-rc.1")
        for name in sorted(os.listdir(os.path.join(top, section))):
            yield section, name, read(os.path.join(top, section, name))


def rendered(found):
    parts, current = [HEAD], None
    for section, _, text in found:
        if section != current:
            parts.append(f"\n## {section.capitalize() if section == UNRELEASED else section}\n\n")
            current = section
        parts.append("- " + text.rstrip("\n").replace("\n", "\n  ") + "\n")
    return "".join(parts)


def released(changelog):
    """A changelog without its section of what is unreleased."""
    return re.sub(r"\n## Unreleased\n.*?(?=\n## |\Z)", "", changelog, flags=re.DOTALL)


def problems(project, found):
    for section, name, text in found:
        what = wrong(name, text)
        if what:
            yield f"changelog/{section}/{name}: {what}"
    version = read(os.path.join(project, "VERSION")).strip()
    if not VERSION.fullmatch(version):
        yield f"VERSION: {version!r} is not a version such as v1.0.0 or v1.0.0-rc.1"
    elif version not in {section for section, _, _ in found}:
        yield f"VERSION: {version} has no entries in changelog/{version}"
    if released(read(os.path.join(project, "CHANGELOG.md"))) != released(rendered(found)):
        yield "CHANGELOG.md: differs from what changelog/ says of released versions; next: make changelog"


def main(command, project):
    found = list(fragments(project))
    if command == "write":
        with open(os.path.join(project, "CHANGELOG.md"), "w", encoding="utf-8") as file:
            file.write(rendered(found))
    elif command == "check":
        wrongs = list(problems(project, found))
        print("\n".join([*wrongs, f"changelog: {len(found)} entries, {len(wrongs)} problems"]))
        return 1 if wrongs else 0
    else:
        raise SystemExit(__doc__)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
