"""The examples of the roles' READMEs: each ```yaml block is a playbook that works as it stands.

Usage: examples.py check PROJECT          each is read by both control nodes, and its arguments are those of argument_specs
       examples.py write PROJECT ROLE FILE  the blocks of one README, for a scenario that runs them
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import yaml

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)
INVENTORY = """[etcd]
master-0.example.com etcd_ip=192.0.2.10
master-1.example.com etcd_ip=192.0.2.11
master-2.example.com etcd_ip=192.0.2.12
[masters:children]
etcd
[new_etcd]
"""


def text_of(project, *path):
    with open(os.path.join(project, *path), encoding="utf-8") as handle:
        return handle.read()


def example(project, role):
    """What a README shows, as one playbook."""
    return "---\n" + "\n".join(BLOCK.findall(text_of(project, "roles", role, "README.md")))


def used(node):
    """Each role of the plays with the task file that is used of it, and each key at any depth."""
    for each in node if isinstance(node, list) else []:
        yield from used(each)
    for key, value in node.items() if isinstance(node, dict) else []:
        yield "key", key
        if key.rpartition(".")[2] == "role":
            yield "entry", (value, "main")
        elif key.rpartition(".")[2] in ("include_role", "import_role"):
            yield "entry", (value["name"], value.get("tasks_from", "main").rpartition(".yml")[0] or value.get("tasks_from", "main"))
        yield from used(value)


def undeclared(project, role, plays):
    """Task files that are no entry points, and arguments that the role does not have: Ansible passes over both."""
    specs = {name: yaml.safe_load(text_of(project, "roles", name, "meta", "argument_specs.yml"))["argument_specs"] for name in os.listdir(os.path.join(project, "roles"))}
    options = {option for spec in specs.values() for entry in spec.values() for option in entry.get("options") or {}}
    found = list(used(plays))
    entries = [value for what, value in found if what == "entry"]
    if not any(name == role for name, entry in entries):
        yield "it does not use the role"
    for name, entry in entries:
        if entry not in specs.get(name, {}):
            yield f"{name} has no entry point {entry}"
    for key in sorted({value for what, value in found if what == "key"}):
        if key.startswith(tuple(name + "_" for name in specs)) and key not in options:
            yield f"{key} is no argument of a role"


def rejected(project, environment, work, *options):
    """What ansible-playbook has against the examples; it runs away from the project, as an operator's does."""
    variables = dict(os.environ, ANSIBLE_ROLES_PATH=os.path.join(project, "roles"), ANSIBLE_LIBRARY=os.path.join(project, "library", "bin"), ANSIBLE_NOCOLOR="1")
    variables.pop("ANSIBLE_CONFIG", None)
    tool = os.path.join(project, ".cache", "venv", environment, "bin", "ansible-playbook")
    run = subprocess.run([tool, "-i", "hosts", *options, *sorted(glob.glob("*.yml", root_dir=work))], cwd=work, env=variables, capture_output=True, text=True, check=False)
    if run.returncode:
        yield f"Ansible ({environment}, {' '.join(options)}): {run.stdout}{run.stderr}"


def problems(project, roles):
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "hosts"), "w", encoding="utf-8") as handle:
            handle.write(INVENTORY)
        for role in roles:
            write(project, role, os.path.join(work, role + ".yml"))
            for problem in undeclared(project, role, yaml.safe_load(example(project, role)) or []):
                yield f"roles/{role}/README.md: {problem}"
        for environment in ("rhel7", "current"):
            yield from rejected(project, environment, work, "--syntax-check")
        # Of a role in `roles:` the check of its arguments is a task with the tag always; no other task runs, and no host is needed.
        yield from rejected(project, "current", work, "--tags", "no_task_has_it")


def check(project):
    roles = sorted(os.listdir(os.path.join(project, "roles")))
    found = list(problems(project, roles))
    print("\n".join([*found, f"examples: {len(roles)} roles, {len(found)} problems"]))
    return 1 if found else 0


def write(project, role, path):
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(example(project, role))
    return 0


if __name__ == "__main__":
    sys.exit({"check": check, "write": write}[sys.argv[1]](os.path.abspath(sys.argv[2]), *sys.argv[3:]))
