"""Checks that roles declare what is used from outside: a task file that a playbook or another role includes is an entry point of
meta/argument_specs.yml, and its options are the variables that the file reads and does not set itself.

Such an include says `tasks_from: NAME.yml`. Without the ending today's Ansible validates the options in a task of its own, at each host and
include, which Ansible 2.9 does not know; the modules check what they are given with both.

Usage: check_entries.py PROJECT (the current environment's Jinja is beside this interpreter)
"""
import glob
import os
import sys

import jinja2
import yaml

INCLUDE_TASKS = ("include_tasks", "import_tasks")
INCLUDE_ROLE = ("include_role", "import_role")
CONDITIONS = ("when", "that", "until", "failed_when", "changed_when")  # expressions without braces
PLACES = ("playbooks", "playbooks/steps", "roles/*/tasks")
OURS = ("etcd_", "openshift_")  # what a user or another role sets; the rest are Ansible's own


def load(path):
    """What a file says; nothing where it is missing."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or {}


def pairs(node):
    """Every key with its value, at any depth."""
    for each in node if isinstance(node, list) else []:
        yield from pairs(each)
    for key, value in node.items() if isinstance(node, dict) else []:
        yield key.rpartition(".")[2], value
        yield from pairs(value)


def expressions(key, value):
    """The Jinja of one key, each as text with its braces."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield "{{ " + each + " }}" if key in CONDITIONS else each


def names(text):
    return {node.name for node in jinja2.Environment(autoescape=True).parse(text).find_all(jinja2.nodes.Name) if node.name.startswith(OURS)}


def reads(node):
    return {name for key, value in pairs(node) for text in expressions(key, value) for name in names(text)}


def sets(node):
    """What the tasks set themselves: registered, facts, variables of a task, of a loop."""
    found = set()
    for key, value in pairs(node):
        if key in ("register", "loop_var"):
            found.add(value)
        elif key in ("set_fact", "vars"):
            found.update(value)
    return found


class Role:
    """The task files of a role, and what it says of them."""

    def __init__(self, top, name):
        self.name = name
        path = os.path.join(top, "roles", name)
        self.files = {os.path.basename(file)[: -len(".yml")]: load(file) for file in glob.glob(os.path.join(path, "tasks", "*.yml"))}
        self.defaults = load(os.path.join(path, "defaults", "main.yml"))
        self.vars = load(os.path.join(path, "vars", "main.yml"))
        self.entries = load(os.path.join(path, "meta", "argument_specs.yml"))["argument_specs"]

    def with_included(self, file, seen=()):
        """This task file, and those of the role that it includes."""
        found = {file}
        for key, value in pairs(self.files[file]):
            if key in INCLUDE_TASKS:
                included = (value if isinstance(value, str) else value["file"])[: -len(".yml")]
                if included not in seen:
                    found |= self.with_included(included, found | set(seen))
        return found

    def arguments(self, file):
        """What a task file reads and does not set. What a default falls back on counts where it is the role's own."""
        files = [self.files[each] for each in self.with_included(file)]
        found = set().union(*map(reads, files)) - set().union(*map(sets, files)) - set(self.vars)
        for name in sorted(found & set(self.defaults)):
            found |= {each for each in reads({name: self.defaults[name]}) if each in self.defaults}
        return found

    def problems(self, used):
        """used: the task files that others include."""
        for file in sorted(used - set(self.entries)):
            yield f"{file} is included from outside, and no entry point"
        for entry in sorted(set(self.entries) - set(self.files)):
            yield f"entry point {entry} has no file in tasks/"
        for entry in sorted(set(self.entries) & set(self.files)):
            options = set(self.entries[entry].get("options") or {})
            for name in sorted(self.arguments(entry) - options):
                yield f"entry point {entry} reads {name}, which is not among its options"
            for name in sorted(options - self.arguments(entry)):
                yield f"entry point {entry} has the option {name}, which it does not read"


def includes(path):
    """(role, tasks_from) of each include of a role in this file."""
    for key, value in pairs(load(path)):
        if key in INCLUDE_ROLE:
            yield value["name"], value.get("tasks_from", "main.yml")


def chosen(name, paths):
    """What playbooks give for a file that the import chooses: `tasks_from: "{{ NAME }}.yml"`."""
    return {value for path in paths for key, value in pairs(load(path)) if key == name}


def main(top):
    paths = [path for where in PLACES for path in sorted(glob.glob(os.path.join(top, where, "*.yml")))]
    roles = {name: Role(top, name) for name in sorted(os.listdir(os.path.join(top, "roles")))}
    used, problems = {name: {"main"} for name in roles}, []
    for path in paths:
        for role, file in includes(path):
            if not file.endswith(".yml"):
                problems.append(f"{os.path.relpath(path, top)}: tasks_from: {file} lacks the ending .yml, so Ansible validates its options at each host")
            file = file.removesuffix(".yml")
            used[role] |= chosen(names(file).pop(), paths) if "{{" in file else {file}
    for name, role in roles.items():
        problems += [f"roles/{name}/meta/argument_specs.yml: {problem}" for problem in role.problems(used[name])]
    count = sum(len(role.entries) for role in roles.values())
    print("\n".join([*problems, f"entry points of roles: {count}, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
