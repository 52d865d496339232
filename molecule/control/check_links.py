"""Checks that what README.md and the other documents of an archive link to is there, and that README.md leads to each file of docs/.

Usage: check_links.py PROJECT, which may be an unpacked archive
"""
import glob
import os
import re
import sys

DOCUMENTS = ("README.md", "SECURITY.md", "docs/*.md", "roles/*/README.md")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")  # within the project: no scheme


def links(path):
    with open(path, encoding="utf-8") as file:
        return [os.path.normpath(os.path.join(os.path.dirname(path), target)) for target in LINK.findall(file.read())]


def main(project):
    documents = [path for pattern in DOCUMENTS for path in sorted(glob.glob(os.path.join(project, pattern)))]
    found = {path: links(path) for path in documents}
    problems = [f"{os.path.relpath(path, project)}: no {os.path.relpath(target, project)} to link to"
                for path, targets in found.items() for target in targets if not os.path.isfile(target)]
    led_to = found.get(os.path.join(project, "README.md"), [])
    problems += [f"README.md: no link to {os.path.relpath(path, project)}"
                 for path in glob.glob(os.path.join(project, "docs", "*.md")) if path not in led_to]
    if not led_to:
        problems.append("README.md: no link at all; expected those to docs/")
    print("\n".join([*problems, f"links: {len(documents)} documents, {sum(map(len, found.values()))} links, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
