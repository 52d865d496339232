"""Makes a collection of what an archive has: quorum.etcd, for `ansible-galaxy collection install`.

Usage: pack_collection.py UNPACKED_ARCHIVE STAGE NAME DIST: DIST/NAME.tar.gz, by the ansible-galaxy beside this interpreter

The playbooks and roles are the archive's, with full names of modules and roles: a site may have others of the same name.
"""
import glob
import os
import re
import shutil
import subprocess
import sys

import yaml

NAMESPACE, NAME = "quorum", "etcd"
# Symbolic links, by where they are: a playbook finds modules, roles and variables beside itself, as in the archive.
LINKS = {"playbooks/library": "../plugins/modules", "playbooks/roles": "../roles", "playbooks/VERSION": "../VERSION",
         "playbooks/steps/library": "../../plugins/modules", "playbooks/steps/roles": "../../roles", "playbooks/steps/VERSION": "../../VERSION",
         "playbooks/steps/group_vars": "../group_vars"}


def fill(archive, root):
    """The collection's tree."""
    shutil.copytree(os.path.join(archive, "library"), os.path.join(root, "plugins", "modules"), symlinks=False, ignore=shutil.ignore_patterns("bin"))
    for part in ("roles", "playbooks", "inventory", "docs"):
        shutil.copytree(os.path.join(archive, part), os.path.join(root, part), symlinks=True)
    for kind in ("callback", "lookup"):
        shutil.copytree(os.path.join(archive, "plugins", kind), os.path.join(root, "plugins", kind))
    for part in ("README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "VERSION"):
        shutil.copy(os.path.join(archive, part), root)
    for link, target in LINKS.items():
        path = os.path.join(root, link)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)


def name_in_full(root, modules, roles):
    """NAME: of a task becomes quorum.etcd.NAME:, and so do names of roles."""
    call = re.compile(rf"^( *(?:- )?)({'|'.join(modules)}):( *|$)$", re.M)
    role = re.compile(rf"^( *name: )({'|'.join(roles)})$", re.M)
    for path in glob.glob(os.path.join(root, "playbooks", "**", "*.yml"), recursive=True) + glob.glob(os.path.join(root, "roles", "*", "tasks", "*.yml")):
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        text = call.sub(rf"\1{NAMESPACE}.{NAME}.\2:\3", text)
        text = role.sub(rf"\1{NAMESPACE}.{NAME}.\2", text)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text)


def describe(root, modules, version):
    """galaxy.yml and meta/runtime.yml."""
    galaxy = {"namespace": NAMESPACE, "name": NAME, "version": version.removeprefix("v"), "readme": "README.md", "license_file": "LICENSE",
              "authors": ["etcd-quorum-restore contributors"], "tags": ["etcd", "openshift", "recovery"], "build_ignore": ["*.tar.gz", "*.pyc"],
              "description": "Brings an OpenShift 3.11 cluster back when its etcd has lost quorum"}
    runtime = {"requires_ansible": ">=2.9.10", "action_groups": {"all": modules}}
    os.makedirs(os.path.join(root, "meta"))
    for path, content in (("galaxy.yml", galaxy), (os.path.join("meta", "runtime.yml"), runtime)):
        with open(os.path.join(root, path), "w", encoding="utf-8") as handle:
            yaml.safe_dump(content, handle, explicit_start=True, sort_keys=False)


def main(archive, stage, name, dist):
    root = os.path.join(stage, "ansible_collections", NAMESPACE, NAME)
    fill(archive, root)
    modules = sorted(os.path.basename(path)[:-len(".yml")] for path in glob.glob(os.path.join(root, "plugins", "modules", "*.yml")))
    name_in_full(root, modules, sorted(os.listdir(os.path.join(root, "roles"))))
    with open(os.path.join(root, "VERSION"), encoding="utf-8") as handle:
        describe(root, modules, handle.read().strip())
    subprocess.run([os.path.join(os.path.dirname(sys.executable), "ansible-galaxy"), "collection", "build", "--force", "--output-path", stage, root],
                   check=True, stdout=subprocess.DEVNULL)
    (built,) = glob.glob(os.path.join(stage, f"{NAMESPACE}-{NAME}-*.tar.gz"))
    shutil.move(built, os.path.join(dist, name + ".tar.gz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
