"""Checks what a user reads: every module by ansible-doc, every role's argument_specs against its defaults and README.

Usage: check_docs.py PROJECT (the current environment's ansible-doc is beside this interpreter)
"""
import json
import os
import subprocess
import sys

import yaml


def ansible_doc(kind, project, names, *options):
    where = {"module": ["-M", os.path.join(project, "library")], "role": ["-r", os.path.join(project, "roles")]}[kind]
    tool = os.path.join(os.path.dirname(sys.executable), "ansible-doc")
    return subprocess.run([tool, *options, "-t", kind, *where, *names], capture_output=True, text=True, check=False)


def described(kind, project, names):
    """What ansible-doc has to say of these, by name."""
    return json.loads(ansible_doc(kind, project, names, "--json").stdout or "{}")


def unprintable(kind, project, names):
    """What ansible-doc cannot print for people: --json also shows what is no text. (2.9's reads Python files alone.)"""
    if not printing_fails(kind, project, names):
        return
    for name in names:
        said = printing_fails(kind, project, [name])
        if said:
            yield f"{kind} {name}: ansible-doc cannot print it: {said}"


def printing_fails(kind, project, names):
    run = ansible_doc(kind, project, names)
    return " ".join(run.stderr.split()) or ("" if run.returncode == 0 and run.stdout else f"exit status {run.returncode}")


def broken_sentences(node, path=""):
    """Sentences without an end. `description: [First, second.]` are two items to YAML."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "description":
                yield from (f"{path or 'description'}: {each!r}" for each in as_list(value) if not str(each).endswith((".", ":")))
            else:
                yield from broken_sentences(value, f"{path}.{key}" if path else key)


def as_list(value):
    return value if isinstance(value, list) else [value]


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
    docs = described("module", project, names)
    yield from unprintable("module", project, names)
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
        for sentence in broken_sentences({"doc": found["doc"], "return": found.get("return")}):
            yield f"modules/{name}/{name}.yml: no full stop: {sentence}"
        for attribute in ("check_mode", "diff_mode", "idempotent"):
            if attribute not in (found["doc"].get("attributes") or {}):
                yield f"modules/{name}/{name}.yml: attribute {attribute} is not stated"


def role_problems(project, names):
    docs = described("role", project, names)
    yield from unprintable("role", project, names)
    for name in names:
        entries = (docs.get(name) or {}).get("entry_points") or {}
        if "main" not in entries:
            yield f"roles/{name}/meta/argument_specs.yml: ansible-doc finds no main entry point in it"
            continue
        for entry, spec in sorted(entries.items()):
            if not spec.get("short_description"):
                yield f"roles/{name}/meta/argument_specs.yml: entry point {entry} lacks a short_description"
            for option in undescribed(spec.get("options")):
                yield f"roles/{name}/meta/argument_specs.yml: {entry}: option {option} lacks a description or a type"
        for sentence in broken_sentences(entries):
            yield f"roles/{name}/meta/argument_specs.yml: no full stop: {sentence}"
        yield from spec_problems(project, name, {option for spec in entries.values() for option in spec.get("options") or {}})


def spec_problems(project, name, options):
    """The three places that name a role's arguments must agree: argument_specs, defaults and README."""
    defaults = read_yaml(project, "roles", name, "defaults", "main.yml")
    for variable in sorted(set(defaults) - options):
        yield f"roles/{name}/defaults/main.yml: {variable} is not in argument_specs"
    readme = read_text(project, "roles", name, "README.md")
    if not readme:
        yield f"roles/{name}/README.md: missing"
    for variable in sorted(defaults):
        if not variable.startswith(name + "_"):
            yield f"roles/{name}/defaults/main.yml: {variable} does not begin with {name}_"
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
