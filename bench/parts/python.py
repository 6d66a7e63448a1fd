"""CPython's own stacks, copied with samples or read on a clock: what that costs ptop with its
screen on and the target, how many stacks are shown that cannot be, shares of a program whose shares
are known. The peer is Tachyon, CPython 3.15's own sampler, where contrib/setup --sid has put one.
`bench-python PID` has the cost of one stack.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from measure import (HERE, ONLY, PTOP, QUICK, TABLE, Target, fail, load, median, ptop_screen,
                     show, spread, start, stop, used)

RUNS = 1 if QUICK else 3
SECONDS = 5 if QUICK else 10
SCRIPT = """
import sys, threading, time
depth, idle = int(sys.argv[1]), int(sys.argv[2])
for _ in range(idle):
    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
def down(n):
    while not n:
        for _ in range(1000):
            pass
    down(n - 1)
down(depth)
"""
CASES = [(10, 0, 100, 0.6), (100, 0, 100, 0.6), (10, 0, 1000, 2.5), (100, 0, 1000, 2.5),
         (10, 200, 100, 2.0), (10, 0, 10000, 25)]
TORTURE = [(10, 0.4), (100, 0.2), (1000, 0.02)]
PYTHON = "CPython %d.%d" % sys.version_info[:2]
ROOT = os.environ.get("PTOP_TEST_ROOT", "/var/lib/ptop-sid")


def batch(pid, seconds, rate):
    argv = [PTOP, "top", "-b", "-j", "-N", "1", "-d", seconds, "-w", "0", "-r", rate, "-p", pid]
    out = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=True,
                         stdin=subprocess.DEVNULL)
    return json.loads(out.stdout.splitlines()[-1])


# ---- Cost ------------------------------------------------------------------------------------


def cost(depth, idle, rate):
    target = start([sys.executable, "-c", SCRIPT, str(depth), str(idle)])
    try:
        time.sleep(0.5)
        with ptop_screen(target.pid, "-r", rate) as ptop:
            time.sleep(3)
            (own,), took = used([ptop.pid], SECONDS)
            ptop.must_live(TABLE)
        late = batch(target.pid, 2, rate)["lost"]["late"] / (2.0 * rate)
    finally:
        stop(target)
    return 100 * own / took, 100 * late


def costs():
    for depth, idle, rate, limit in CASES:
        runs = [cost(depth, idle, rate) for _ in range(RUNS)]
        values = [r[0] for r in runs]
        what = "%s, %d deep, %d Hz%s" % (PYTHON, depth, rate,
                                         ", %d threads asleep" % idle if idle else "")
        show(what, median(values), "% of core", limit, "%s, %.1f %% of looks late, %s" % (
            spread(values), median([r[1] for r in runs]), load()))


def unit(target, seconds):
    before = target.told()
    time.sleep(seconds)
    after = target.told()
    return (after[0] - before[0]) / max(after[1] - before[1], 1)


def cost_of_target():
    """As in cost.py: CPU time of a unit of work, seconds with ptop and without in turns."""
    ratios = []
    with Target("python3", 2.0) as target:
        before = unit(target, 2)
        for _ in range(3 if QUICK else 9):
            with ptop_screen(target.pid, "-r", 1000):
                time.sleep(1)
                own = unit(target, 2)
            time.sleep(0.3)
            after = unit(target, 2)
            ratios.append(2 * own / (before + after))
            before = after
    show("%s: the target's CPU time, 1000 Hz" % PYTHON, median(ratios), "x", 1.01,
         "%s, %s" % (spread(ratios), load()))


# ---- Very deep stacks -------------------------------------------------------------------------

DEEP = """
import sys
sys.setrecursionlimit(10**6)
def down(n):
    while not n:
        pass
    down(n - 1)
down(int(sys.argv[1]))
"""


def share_of_core(argv, warm):
    """Of a recorder, once it has started; NaN when it did not last."""
    recorder = start([str(a) for a in argv])
    time.sleep(warm)
    (own,), took = used([recorder.pid], SECONDS)
    alive = recorder.poll() is None
    stop(recorder)
    return 100 * own / took if alive else float("nan")


def deep():
    """ptop and py-spy, which stops the target for each stack, on the same process in one minute."""
    peer = shutil.which("py-spy")
    for depth in (100, 3000, 100000):
        target = start(["sh", "-c", 'ulimit -s unlimited; exec "$@"', "sh", sys.executable, "-c",
                        DEEP, str(depth)])
        try:
            time.sleep(2)
            with tempfile.TemporaryDirectory() as folder:
                out = os.path.join(folder, "out")
                ours = [share_of_core([PTOP, "record", "-q", "-F", "-r", 99, "-d", 600, "-o",
                                       out + ".ptop", "-p", target.pid] + more, 3)
                        for more in ([], ["--native"])]
                theirs = share_of_core([peer, "record", "-r", 99, "-d", 600, "-f", "raw", "-o",
                                        out, "-p", target.pid], 3) if peer else float("nan")
        finally:
            stop(target)
        for value, how in zip(ours, ("", ", --native")):
            show("%s, %d deep%s, 99 Hz" % (PYTHON, depth, how), value, "% of core", 2,
                 "py-spy %.1f %%, %s" % (theirs, load()))


# ---- Truth -----------------------------------------------------------------------------------


def is_possible(stack):
    """See targets/torture.py."""
    frames = [(int(level), int(v)) for level, v in re.findall(r"f(\d+)_(\d)", stack)]
    return not frames or frames[0][0] == 1 and all(
        b[0] == a[0] + 1 and b[1] in (a[1], (a[1] + 1) % 4) for a, b in zip(frames, frames[1:]))


def torture(turns, limit):
    seconds = 10 if QUICK else 60
    target = start([sys.executable, os.path.join(HERE, "targets", "torture.py"), str(turns)])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "folded")
        try:
            time.sleep(0.5)
            subprocess.run([PTOP, "record", "-q", "-r", "1000", "-d", str(seconds), "-f", "folded",
                            "-o", path, "-p", str(target.pid)], check=True,
                           stdin=subprocess.DEVNULL)
            table = batch(target.pid, 3, 1000)
        finally:
            stop(target)
        with open(path, encoding="utf-8") as f:
            lines = [line.rsplit(" ", 1) for line in f]
    every = sum(int(n) for _, n in lines)
    bad = sum(int(n) for stack, n in lines if not is_possible(stack))
    rejected = table["lost"]["stack_rejected"]
    show("%s, torture, leaf of %d turns" % (PYTHON, turns), 100 * bad / max(every, 1), "% false",
         limit, "of %d in ms of CPU; %.2f %% rejected, %s" % (
             every, 100 * rejected / max(rejected + table["samples"], 1), load()))


def shares(work, rest, rate):
    target = start([sys.executable, os.path.join(HERE, "targets", "known.py"), str(work),
                    str(rest)], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        table = batch(target.pid, 6 if QUICK else 20, rate)
    finally:
        target.kill()
    *took, every = [float(w) for w in target.stdout.read().splitlines()[-1].split()]
    seen = {f["name"]: f["self_pct"] for f in table["functions"]}
    off = max(abs(seen.get(name, 0) - 100 * t / every)
              for name, t in zip(("hot60", "hot30", "hot10"), took))
    show("%s, shares, %s, %d Hz" % (PYTHON, "%g ms of %g" % (work, work + rest) if rest else
                                    "busy", rate), off, "points", 2,
         "%d samples: %.1f points (two sigma) are chance, %s" % (
             table["samples"], 200 * (0.24 / max(table["samples"], 1)) ** 0.5, load()))


# ---- Start -----------------------------------------------------------------------------------


def first_row():
    row = re.compile(rb"TOTAL%.*down", re.S)
    target = start([sys.executable, "-c", SCRIPT, "10", "0"])
    values = []
    try:
        time.sleep(0.5)
        for _ in range(5 if QUICK else 11):
            with ptop_screen(target.pid) as ptop:
                values.append(1e3 * (ptop.wait_for(row) or float("inf")))
    finally:
        stop(target)
    show("%s: start to first row" % PYTHON, min(values), "ms", 150,
         "median %.0f, %s, %s" % (median(values), spread(values), load()))


# ---- The peer --------------------------------------------------------------------------------


def in_root(*argv):
    return ["unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"',
            ROOT, "python3.15"] + list(argv)


def tachyon(depth, rate):
    """% of a core of both, in turns on the same process."""
    target = start(in_root("-c", SCRIPT, str(depth), "0"))
    try:
        time.sleep(1)
        # It looks for the target's files by the names they have for itself.
        peer = start(["nsenter", "-m", "-t", str(target.pid), "chroot", ROOT, "python3.15", "-m",
                      "profiling.sampling", "attach", "-a", "-r", str(rate), "-d",
                      str(SECONDS + 5), "--no-summary", str(target.pid)])
        time.sleep(2)
        (theirs,), their_s = used([peer.pid], SECONDS)
        if peer.poll() is not None:
            fail("Tachyon ended early")
        stop(peer)
        with ptop_screen(target.pid, "-r", rate) as ptop:
            time.sleep(2)
            (ours,), our_s = used([ptop.pid], SECONDS)
            ptop.must_live(TABLE)
    finally:
        stop(target)
    show("CPython 3.15, %d deep, %d Hz" % (depth, rate), 100 * ours / our_s, "% of core", None,
         "Tachyon %.2f %%, without a screen; %s" % (100 * theirs / their_s, load()))


def peers():
    if os.geteuid() == 0 and os.path.exists(os.path.join(ROOT, "usr/bin/python3.15")):
        for case in ((10, 100), (10, 1000), (100, 1000)):
            tachyon(*case)
    else:
        print("skip  Tachyon: no CPython 3.15 in %s" % ROOT, flush=True)


def truth():
    for case in TORTURE:
        torture(*case)
    for case in ((1000, 0, 1000), (2, 18, 1000), (2, 18, 99)):
        shares(*case)


# -t costs,truth: only these
for part in (costs, deep, cost_of_target, truth, first_row, peers):
    if not ONLY or part.__name__ in ONLY:
        part()
