"""Checks that playbooks and roles need no Python on a target: there only our modules run, and what runs on the control node.

Usage: check_targets.py PROJECT
"""
import glob
import os
import sys

import yaml

BLOCKS = ("block", "rescue", "always")
SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers")

# Actions that run on the control node, or by ssh alone.
WITHOUT_PYTHON = frozenset(
    "add_host assert debug fail group_by include_role include_tasks include_vars import_playbook import_role import_tasks "
    "meta pause raw script set_fact set_stats".split()
)

# Everything else in a task is its action.
KEYWORDS = frozenset(
    "any_errors_fatal args become become_user changed_when check_mode connection delay delegate_facts delegate_to diff "
    "environment failed_when ignore_errors ignore_unreachable listen loop loop_control module_defaults name no_log notify "
    "register retries run_once tags throttle timeout until vars when with_items with_dict with_together".split()
)


def actions(tasks, local=False):
    """Yields (name of the task, action) of all that runs on a target."""
    for task in tasks or []:
        here = local or task.get("delegate_to") == "localhost" or task.get("connection") == "local"
        if any(key in task for key in BLOCKS):
            for key in BLOCKS:
                yield from actions(task.get(key), here)
            continue
        for key in task:
            if key not in KEYWORDS and not here:
                yield task.get("name", "?"), key.replace("ansible.builtin.", "")


def of_playbook(plays):
    for play in plays:
        local = play.get("hosts") == "localhost" or play.get("connection") == "local"
        if play.get("gather_facts") is not False and "import_playbook" not in play and "ansible.builtin.import_playbook" not in play:
            yield play.get("name", "?"), "gather_facts (say gather_facts: false)"
        for section in SECTIONS:
            yield from actions(play.get(section), local)


def load(path):
    with open(path, encoding="utf-8") as handle:
        return yaml.safe_load(handle) or []


def main(project):
    ours = {name for name in os.listdir(os.path.join(project, "modules")) if name != "internal"}
    playbooks = sorted(glob.glob(os.path.join(project, "playbooks", "*.yml")) + glob.glob(os.path.join(project, "playbooks", "steps", "*.yml")))
    tasks = sorted(glob.glob(os.path.join(project, "roles", "*", "tasks", "**", "*.yml"), recursive=True))
    tasks += sorted(glob.glob(os.path.join(project, "roles", "*", "handlers", "*.yml")))
    found = [(path, hit) for path in playbooks for hit in of_playbook(load(path))]
    found += [(path, hit) for path in tasks for hit in actions(load(path))]
    problems = [(path, name, action) for path, (name, action) in found if action not in ours | WITHOUT_PYTHON]
    for path, name, action in problems:
        print(f"{os.path.relpath(path, project)}: task {name!r}: {action} is unknown here, or needs Python on the target")
    print(f"no Python on targets: {len(playbooks)} playbooks, {len(tasks)} task files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
