"""answer.py PROMPT ANSWER COMMAND...: runs the command in a terminal of its own and types ANSWER when PROMPT is shown.

Ansible throws away what was typed before it reads, which is a moment after the prompt: so it is typed every second until it is taken.

What the command prints is printed; its exit status is handed on. Ends the command after 300 seconds. The shell command in the variable
ANSWER_AFTER is run, once, between the prompt and the answer.
"""
import os
import pty
import select
import subprocess
import sys
import time


def main(prompt, answer, command):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    seen, ends, first = b"", time.time() + 300, os.environ.get("ANSWER_AFTER", "")
    while time.time() < ends:
        ready, _, _ = select.select([terminal], [], [], 1)
        if not ready:
            if prompt in seen:
                if first:
                    subprocess.run(first, shell=True, check=True, stdout=subprocess.DEVNULL)
                    first = ""
                os.write(terminal, answer + b"\r")
            continue
        try:
            got = os.read(terminal, 65536)
        except OSError:  # EIO: the command has closed its terminal
            break
        os.write(1, got)
        seen += got
    else:
        os.kill(child, 15)
        sys.exit("no prompt and no end within 300 seconds")
    status = os.waitpid(child, 0)[1]
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


main(sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:])
