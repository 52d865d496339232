#!/usr/bin/env python3
"""snapshot.py [MEGABYTES [RUNS]]: etcd_backup method=snapshot beside `etcdctl snapshot save` of 3.2.32, on a database of 1000 MB.

Both run on this machine against one member of a lab, over TLS, in turn, and write to the same disk. Prints medians; fails nothing.
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = str(ROOT / ".cache/bin/lab")
NAME = "bench-snapshot"
STATE = ROOT / ".cache/labs" / NAME
ETCDCTL = str(ROOT / ".cache/bin/etcd-3.2.32/etcdctl")
MODULE = str(ROOT / "library/bin/etcd_backup")
VALUE = 1 << 20


def lab(*arguments):
    return subprocess.run([LAB, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def etcdctl(endpoint, *arguments):
    pki = STATE / "pki"
    return [ETCDCTL, "--endpoints", endpoint, "--cacert", f"{pki}/ca.crt", "--cert", f"{pki}/client.crt", "--key", f"{pki}/client.key", *arguments]


def fill(endpoint, megabytes, work):
    value = work / "value"
    value.write_bytes(os.urandom(VALUE))
    environment = dict(os.environ, ETCDCTL_API="3")
    put = " ".join(etcdctl(endpoint, "put", "/bench/{}")) + f" <{value} >/dev/null"
    subprocess.run(["xargs", "-P2", "-I{}", "sh", "-c", put], input="\n".join(map(str, range(megabytes))), text=True, check=True, env=environment)


def measure(command, environment):
    """Seconds, and peak memory in MB as the kernel counts it for this one process."""
    subprocess.run(["sync"], check=True)
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, environment, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def ours(endpoint, work):
    pki = STATE / "pki"
    shutil.rmtree(work / "ours", ignore_errors=True)
    arguments = {"method": "snapshot", "dest": f"{work}/ours", "endpoints": [endpoint], "ca_cert": f"{pki}/ca.crt", "client_cert": f"{pki}/client.crt",
                 "client_key": f"{pki}/client.key", "etcd_conf": f"{work}/no-etcd.conf", "data_dir": f"{work}/no-data", "timeout": 600}
    (work / "args.json").write_text(json.dumps(arguments))
    result = measure([MODULE, str(work / "args.json")], {"PATH": os.environ["PATH"]})
    return (*result, next((work / "ours").glob("*/snapshot.db")))


def theirs(endpoint, work):
    path = work / "theirs.db"
    path.unlink(missing_ok=True)
    result = measure(etcdctl(endpoint, "snapshot", "save", str(path)), {"PATH": os.environ["PATH"], "ETCDCTL_API": "3"})
    os.sync()  # etcdctl leaves the file to the page cache; ours is on the disk when it ends
    return (*result, path)


def main():
    megabytes, runs = (int(a) for a in (sys.argv[1:] + ["1000", "5"][len(sys.argv) - 1:])[:2])
    work = pathlib.Path(tempfile.mkdtemp(dir=ROOT / ".cache"))
    try:
        lab("up", NAME, "--etcd", "1")
        endpoint = f"https://{lab('ip', NAME, 'master-0')}:2379"
        fill(endpoint, megabytes, work)
        results = {ours: [], theirs: []}
        for _ in range(runs):
            for who, rows in results.items():
                rows.append(who(endpoint, work))
        show(megabytes, results[ours], results[theirs])
    finally:
        lab("down", NAME)
        shutil.rmtree(work)


def show(megabytes, a, b):
    size = a[-1][2].stat().st_size / 1e6
    seconds = [statistics.median(r[0] for r in rows) for rows in (a, b)]
    print(f"{'snapshot of ' + str(megabytes) + ' MB of values, medians of ' + str(len(a)):<44} {'etcdctl':>10} {'etcd_backup':>12} {'ratio':>8}")
    print(f"{'seconds':<44} {seconds[1]:>10.2f} {seconds[0]:>12.2f} {seconds[0] / seconds[1]:>8.2f}")
    print(f"{'MB per second':<44} {size / seconds[1]:>10.0f} {size / seconds[0]:>12.0f} {seconds[1] / seconds[0]:>8.2f}")
    peaks = [max(r[1] for r in rows) for rows in (a, b)]
    print(f"{'peak memory, MB (the worst run)':<44} {peaks[1]:>10.1f} {peaks[0]:>12.1f} {peaks[0] / peaks[1]:>8.2f}")
    modes = [f"{rows[-1][2].stat().st_mode & 0o777:04o}" for rows in (b, a)]
    print(f"{'mode of the file':<44} {modes[0]:>10} {modes[1]:>12}")
    print("etcd_backup has compared the sum, synced the file and read its database's root; etcdctl has done neither.")


if __name__ == "__main__":
    main()
