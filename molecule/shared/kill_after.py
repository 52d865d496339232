#!/usr/bin/env python3
"""kill_after.py TEXT N COMMAND...: runs COMMAND, and kills it, with all it started, when TEXT appears in its output for the Nth time;
KILL_DELAY seconds after that, in the midst of what begins there.

Exit status 0: killed there. Otherwise the command ended before, and its output is shown.
"""
import os
import signal
import subprocess
import sys
import time


def main():
    text, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    seen = []
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                             env=dict(os.environ, PYTHONUNBUFFERED="1"))
    for line in child.stdout:
        seen.append(line)
        if text in line:
            count -= 1
        if count == 0:
            time.sleep(float(os.environ.get("KILL_DELAY", "0")))
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return 0
    sys.stdout.writelines(seen)
    print(f"the command ended with status {child.wait()}, and {text!r} did not appear often enough")
    return 1


if __name__ == "__main__":
    sys.exit(main())
