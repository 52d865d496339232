"""Checks what a user reads: every module by ansible-doc, every role's argument_specs against its defaults and README.

Usage: check_docs.py PROJECT (the current environment's ansible-doc is beside this interpreter)
"""
import json
import os
import subprocess
import sys

import yaml


def ansible_doc(kind, project, names):
    """What ansible-doc has to say of these, by name."""
    where = {"module": ["-M", os.path.join(project, "library")], "role": ["-r", os.path.join(project, "roles")]}[kind]
    tool = os.path.join(os.path.dirname(sys.executable), "ansible-doc")
    run = subprocess.run([tool, "--json", "-t", kind, *where, *names], stdout=subprocess.PIPE, check=False)
    return json.loads(run.stdout or b"{}")


def directories(*path):
    top = os.path.join(*path)
    return sorted(n for n in os.listdir(top) if n != "internal" and os.path.isdir(os.path.join(top, n)))


def undescribed(options, path=""):
    """Options without a type or a description, suboptions included."""
    for name, option in sorted((options or {}).items()):
        if not option.get("description") or not option.get("type"):
            yield path + name
        yield from undescribed(option.get("options"), path + name + ".")


def module_problems(project, names):
    docs = ansible_doc("module", project, names) if names else {}
    for name in names:
        found = docs.get(name)
        if not found or "error" in found:
            yield f"modules/{name}/{name}.yml: ansible-doc cannot read it"
            continue
        for section in ("doc", "examples", "return"):
            if not found.get(section):
                yield f"modules/{name}/{name}.yml: no {section} in it"
        for option in undescribed(found["doc"].get("options")):
            yield f"modules/{name}/{name}.yml: option {option} lacks a description or a type"
        for attribute in ("check_mode", "diff_mode", "idempotent"):
            if attribute not in (found["doc"].get("attributes") or {}):
                yield f"modules/{name}/{name}.yml: attribute {attribute} is not stated"


def role_problems(project, names):
    docs = ansible_doc("role", project, names) if names else {}
    for name in names:
        options = ((docs.get(name) or {}).get("entry_points") or {}).get("main", {}).get("options")
        if options is None:
            yield f"roles/{name}/meta/argument_specs.yml: ansible-doc finds no main entry point in it"
            continue
        for option in undescribed(options):
            yield f"roles/{name}/meta/argument_specs.yml: option {option} lacks a description or a type"
        yield from spec_problems(project, name, options)


def spec_problems(project, name, options):
    """The three places that name a role's arguments must agree: argument_specs, defaults and README."""
    defaults = read_yaml(project, "roles", name, "defaults", "main.yml")
    for variable in sorted(set(defaults) - set(options)):
        yield f"roles/{name}/defaults/main.yml: {variable} is not in argument_specs"
    readme = read_text(project, "roles", name, "README.md")
    if not readme:
        yield f"roles/{name}/README.md: missing"
    for variable in sorted(options):
        if not variable.startswith(name + "_"):
            yield f"roles/{name}/meta/argument_specs.yml: {variable} does not begin with {name}_"
        if readme and variable not in readme:
            yield f"roles/{name}/README.md: does not name {variable}"


def read_text(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""


def read_yaml(*path):
    return yaml.safe_load(read_text(*path)) or {}


def main(project):
    modules, roles = directories(project, "modules"), directories(project, "roles")
    problems = [*module_problems(project, modules), *role_problems(project, roles)]
    print("\n".join([*problems, f"documentation: {len(modules)} modules, {len(roles)} roles, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
