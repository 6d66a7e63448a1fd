"""Attaching to 2,000 threads: `ptop record -d 0.1` on them less the same on one thread.

The difference holds all there is to do for a thread once: list it, open its events, read its
name, close it all again; so it is more than the attach. Wall time, hence the best of several
is the figure and the median stands beside it; CPU time is the steadier one of the two.
"""
import os
import resource
import subprocess
import time

from measure import PTOP, QUICK, WORK, fail, have_perf, load, median, show, start, stop

RUNS = 5 if QUICK else 11
THREADS = 2000
LIMIT_MS = 100
FEW_SAMPLES = 6  # ptop's status when there was little to see: the targets sleep


def timed(argv):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    out = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, cwd=WORK, check=False)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode not in (0, FEW_SAMPLES):
        fail("%s: %s" % (" ".join(argv), out.stderr.decode().strip()))
    return 1e3 * wall, 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime
                              - before.ru_stime)


def by_ptop(*options):
    return lambda pid: [PTOP, "record", "-q", "-F", "-d", "0.1", "-r", "997", "-p", str(pid),
                        "-o", os.path.join(WORK, "attach.folded"), *options]


def by_perf(pid):
    return ["perf", "record", "-q", "-N", "-F", "999", "--call-graph", "dwarf", "-p", str(pid),
            "-o", os.path.join(WORK, "perf.data"), "--", "sleep", "0.1"]


def ready(n):
    process = start([os.path.join(WORK, "threads"), str(n)], stdout=subprocess.PIPE)
    if process.stdout.readline() != b"ready\n":
        fail("cannot start %d threads" % n)
    return process


def measure(what, command, one, many, limit):
    few, all_ = [], []
    for _ in range(RUNS):
        few.append(timed(command(one.pid)))
        all_.append(timed(command(many.pid)))
    wall = [a[0] - f[0] for a, f in zip(all_, few)]
    best = min(a[0] for a in all_) - min(f[0] for f in few)
    cpu = median([a[1] for a in all_]) - median([f[1] for f in few])
    show(what, best, "ms", limit,
         "median %.0f ms, CPU %.0f ms; one thread: %.0f ms, CPU %.0f ms; %s"
         % (median(wall), cpu, min(f[0] for f in few), median([f[1] for f in few]), load()))


single, crowd = ready(0), ready(THREADS)
try:
    measure("attach to 2,000 threads", by_ptop(), single, crowd, LIMIT_MS)
    measure("the same, events per thread", by_ptop("--backend", "perf"), single, crowd, None)
    if have_perf():
        measure("perf record", by_perf, single, crowd, None)
finally:
    stop(single)
    stop(crowd)
