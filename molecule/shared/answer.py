"""answer.py PROMPT ANSWER COMMAND...: runs the command in a terminal of its own and types ANSWER once PROMPT is shown.

What the command prints is printed; its exit status is handed on. Ends the command after 300 seconds.
"""
import os
import pty
import select
import sys
import time


def main(prompt, answer, command):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    seen, ends = b"", time.time() + 300
    while True:
        ready, _, _ = select.select([terminal], [], [], max(0, ends - time.time()))
        if not ready:
            os.kill(child, 15)
            sys.exit("no prompt and no end within 300 seconds")
        try:
            got = os.read(terminal, 65536)
        except OSError:  # EIO: the command has closed its terminal
            break
        os.write(1, got)
        seen += got
        if answer is not None and prompt in seen:
            os.write(terminal, answer + b"\r")
            answer = None
    status = os.waitpid(child, 0)[1]
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


main(sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:])
