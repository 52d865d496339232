#!/usr/bin/env python3
"""snapshot.py [MEGABYTES [RUNS]]: etcd_backup method=snapshot beside `etcdctl snapshot save` of 3.2.32, on a database of 1000 MB.

Both run on this machine against one member of a lab, over TLS, in turn, and write to the same disk. Prints medians; fails nothing.
"""
import hashlib
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
    """Seconds, CPU seconds, and peak memory in MB as the kernel counts them for this one process."""
    subprocess.run(["sync"], check=True)
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, environment, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(endpoint, work):
    pki = STATE / "pki"
    shutil.rmtree(work / "ours", ignore_errors=True)
    arguments = {"method": "snapshot", "dest": f"{work}/ours", "endpoints": [endpoint], "ca_cert": f"{pki}/ca.crt", "client_cert": f"{pki}/client.crt",
                 "client_key": f"{pki}/client.key", "etcd_conf": f"{work}/etcd.conf", "data_dir": f"{work}/no-data", "timeout": 600}
    (work / "etcd.conf").touch()  # not this machine's
    (work / "args.json").write_text(json.dumps(arguments))
    result = measure([MODULE, str(work / "args.json")], {"PATH": os.environ["PATH"]})
    return (*result, next((work / "ours").glob("*/snapshot.db")))


def theirs(endpoint, work):
    path = work / "theirs.db"
    path.unlink(missing_ok=True)
    seconds, processor, peak = measure(etcdctl(endpoint, "snapshot", "save", str(path)), {"PATH": os.environ["PATH"], "ETCDCTL_API": "3"})
    began = time.monotonic()
    with open(path, "rb") as file:  # what etcdctl leaves out and ours does: the file is on the disk, and its sum is right
        os.fsync(file.fileno())
        hashlib.file_digest(file, "sha256")
    return seconds, processor, peak, path, seconds + time.monotonic() - began


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
    size = a[-1][3].stat().st_size / 1e6
    mine, saved, checked = (statistics.median(r[column] for r in rows) for rows, column in ((a, 0), (b, 0), (b, 4)))
    print(f"{f'snapshot of {megabytes} MB of values':<36} {'seconds':>8} {'MB/s':>8} {'CPU s':>8} {'peak MB':>8} {'mode':>6}")
    for what, seconds, rows in (("etcd_backup (sum checked, synced)", mine, a), ("etcdctl snapshot save", saved, b)):
        processor, peak = statistics.median(r[1] for r in rows), max(r[2] for r in rows)
        print(f"{what:<36} {seconds:>8.2f} {size / seconds:>8.0f} {processor:>8.2f} {peak:>8.1f}   {rows[-1][3].stat().st_mode & 0o777:04o}")
    print(f"{'the same, then fsync and sha256':<36} {checked:>8.2f} {size / checked:>8.0f}")
    print(f"throughput of etcd_backup: {saved / mine:.2f} of etcdctl's, {checked / mine:.2f} of the same work by etcdctl; medians of {len(a)} runs in turn, peak of the worst")


if __name__ == "__main__":
    main()
