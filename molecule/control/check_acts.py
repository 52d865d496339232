"""Checks that a play in which a host fails, or cannot be reached any more, does not go on without it.

On today's ansible-core any_errors_fatal does not stop at an unreachable host; max_fail_percentage: 0 does. Plays of clients, where hosts
that are off are left out on purpose (ignore_unreachable), act on none of etcd's hosts. Where a host that fails is left out by a rescue, and the run
ends after the others, any_errors_fatal would end it at once.

A task that only looks (check_mode: true) changes nothing, whatever its module says that it would change.

Usage: check_acts.py PROJECT
"""
import glob
import os
import sys

import yaml

BLOCKS = ("block", "rescue", "always")
INCLUDES = ("include_role", "import_role", "include_tasks", "import_tasks")
READS = frozenset("etcd_cluster_info etcd_host_info etcd_log_info".split())
ON_CONTROL_NODE = frozenset("etcd_inventory etcd_quorum_plan etcd_report etcd_run_lock".split())
# etcd_ca edits the CA files of clients, too, and whatever file it has not reached verifies as before; etcd_certificates renews those of clients, and
# while one is not renewed the old CA stays trusted.
CLIENTS = frozenset("etcd_clients_left etcd_ca etcd_certificates flannel_etcd_endpoints openshift_etcd_urls openshift_master_restart systemd_unit".split())


def load(path):
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or []


class Project:
    """Finds out which of our modules a play runs, through the roles and task files that it includes."""

    def __init__(self, top):
        self.top = top
        self.ours = {name for name in os.listdir(os.path.join(top, "modules")) if name != "internal"}

    def playbooks(self):
        found = glob.glob(os.path.join(self.top, "playbooks", "*.yml")) + glob.glob(os.path.join(self.top, "playbooks", "steps", "*.yml"))
        return sorted(found)

    def changes(self, tasks, role):
        """Names of our modules that change something in these tasks of a role."""
        for task in tasks or []:
            for key in BLOCKS:
                yield from self.changes(task.get(key), role)
            for key, value in task.items():
                action = key.rpartition(".")[2]
                if action in INCLUDES:
                    yield from self.included(action, value, role)
                elif action in self.ours - READS - ON_CONTROL_NODE and task.get("check_mode") is not True:
                    yield action

    def included(self, action, value, role):
        if action.endswith("_role"):
            role, file = value["name"], value.get("tasks_from", "main")
        else:
            file = value["file"] if isinstance(value, dict) else value
        if "{{" in file:  # a file that the import chooses; on the control node it can only end the run
            return iter(())
        path = os.path.join(self.top, "roles", role, "tasks", file.replace(".yml", "") + ".yml")
        return self.changes(load(path), role)


def leaves_out(tasks):
    """A rescue includes the task file left_out."""
    return any("left_out" in str(task.get("rescue", "")) for task in tasks)


def problem(play, changes):
    """What is missing, or an empty string."""
    if not changes or play["hosts"] == "localhost":
        return ""
    if play.get("ignore_unreachable"):
        return "" if changes <= CLIENTS else "acts on etcd, and has ignore_unreachable"
    missing = []
    if play.get("any_errors_fatal") is not True and not leaves_out(play["tasks"]):
        missing.append("any_errors_fatal: true")
    if play.get("max_fail_percentage") != 0:
        missing.append("max_fail_percentage: 0")
    return "lacks " + " and ".join(missing) if missing else ""


def looking(tasks):
    """Names of tasks that only look, and count as changes all the same."""
    for task in tasks or []:
        for key in BLOCKS:
            yield from looking(task.get(key))
        if task.get("check_mode") is True and task.get("changed_when") is not False:
            yield task["name"]


def main(top):
    project, acting, problems = Project(top), 0, 0
    for path in project.playbooks():
        for play in load(path):
            if "hosts" not in play:
                continue
            changes = set(project.changes(play.get("tasks"), ""))
            acting += bool(changes)
            found = problem(play, changes)
            if found:
                problems += 1
                print(f"{os.path.relpath(path, top)}: play {play['name']!r}: {found}")
    for path in sorted(glob.glob(os.path.join(top, "roles", "*", "tasks", "*.yml"))):
        for name in looking(load(path)):
            problems += 1
            print(f"{os.path.relpath(path, top)}: task {name!r} only looks, and lacks changed_when: false")
    print(f"plays that act stop where a host fails or is unreachable: {acting} plays, {problems} problems")
    return 1 if problems or acting == 0 else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
