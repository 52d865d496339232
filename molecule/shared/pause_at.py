#!/usr/bin/env python3
"""pause_at.py TEXT HOOK COMMAND...: runs COMMAND; when TEXT appears in its output for the first time, all that it started stands still
while the shell command HOOK is run, and then goes on.

Prints what COMMAND prints, and ends with its exit status; with 1 where HOOK failed or TEXT did not appear.
"""
import os
import signal
import subprocess
import sys


def main():
    text, hook, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    done = None
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                             env=dict(os.environ, PYTHONUNBUFFERED="1"))
    for line in child.stdout:
        sys.stdout.write(line)
        if text in line and done is None:
            os.killpg(child.pid, signal.SIGSTOP)
            done = subprocess.run(hook, shell=True, check=False).returncode
            os.killpg(child.pid, signal.SIGCONT)
    status = child.wait()
    if done != 0:
        print(f"{text!r} did not appear, or the command for it failed: {done}")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
