"""The rules of the diagnosis on programs that have one thing wrong each: said of its own program,
not of the others'. BENCH_RUNS rounds (20). Programs that hardly use a CPU run together, those
that do two at a time at most, so that 20 rounds take about a quarter of an hour on two cores;
what needs five minutes to be known (memory) is watched in all its copies at the same time.

A rule that speaks of another's program is counted apart when it is true of the machine: "run-queue"
while all CPUs were busy by the machine's own account (/proc/stat).
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

from measure import HERE, PTOP, QUICK, WORK, load, show, start, stop

LIVE = os.path.join(HERE, "..", "tests", "live", "targets")
RUNS = int(os.environ.get("BENCH_RUNS", 1 if QUICK else 20))
ONLY = os.environ.get("BENCH_RULES", "").split()

# program, rule it is made for; groups that run at the same time, for so many seconds
GROUPS = [
    (11, [("lock", "lock"), ("socket", "socket"), ("child", "child"), ("calm", "nothing")]),
    (6, [("disk", "disk")]),
    (6, [("cpu", "cpu")]),
    (6, [("gil", "gil")]),
    (9, [("collections", "gc-pauses")]),
    (9, [("contended", "lock-waits")]),
    (6, [("starts", "cold-start")]),
]
# What is true of a program as well, by how it is made: imports compute and collect, and threads
# whose waits for a lock make the p95 wait for a lock.
ALSO = {"starts": {"cpu", "gc-time"}, "collections": {"cpu", "gc-time"}, "contended": {"lock"}}

right = collections.Counter()
rounds = collections.Counter()
wrong = collections.defaultdict(collections.Counter)
secondary = collections.defaultdict(collections.Counter)


def busy():
    """(busy, all) ticks of the machine."""
    with open("/proc/stat", encoding="ascii") as f:
        t = [int(x) for x in f.readline().split()[1:9]]
    return sum(t) - t[3] - t[4], sum(t)


def run(group, seconds):
    big = tempfile.NamedTemporaryFile(dir=WORK)  # pylint: disable=consider-using-with
    before = busy()
    targets = [start([sys.executable, os.path.join(LIVE, "faults.py"), name, big.name]
                     if name == "disk" else
                     [sys.executable, os.path.join(LIVE, "faults.py"), name])
               for name, _ in group]
    time.sleep(0.7)
    times = -(-seconds // 60)  # a table covers a minute at most
    looks = [start([PTOP, "top", "-b", "-N", str(times), "-d", str(seconds / times), "-j", "-p",
                    str(t.pid)],
                   stdout=subprocess.PIPE) for t in targets]
    outs = [look.communicate()[0] for look in looks]
    for t in targets:
        stop(t)
    after = busy()
    full = (after[0] - before[0]) >= 0.85 * (after[1] - before[1])
    big.close()
    for (name, rule), out in zip(group, outs):
        judge(name, rule, out, full)


def judge(name, rule, out, full):
    said = [f["rule"] for f in json.loads(out.splitlines()[-1])["diagnosis"]] if out else []
    rounds[name] += 1
    right[name] += rule in said
    for r in said:
        if r == rule:
            continue
        true = r in ALSO.get(name, ()) or (r == "run-queue" and full)
        (secondary if true else wrong)[name][r] += 1


def words(counter):
    return ", ".join("%s %d" % s for s in sorted(counter.items())) or "none"


began = time.monotonic()
wanted = [(seconds, [g for g in group if not ONLY or g[0] in ONLY]) for seconds, group in GROUPS]
for _ in range(RUNS):
    for seconds_, group_ in wanted:
        if group_:
            run(group_, seconds_)
if not QUICK and (not ONLY or "grows" in ONLY):
    run([("grows", "memory")] * RUNS, 330)
for name_, rule_ in [g for _, group_ in wanted for g in group_] + [("grows", "memory")]:
    if rounds[name_]:
        show("'%s' is said of '%s'" % (rule_, name_), 100 * right[name_] / rounds[name_], "%", 100,
             "%d of %d; %s" % (right[name_], rounds[name_], load()), at_least=True)
        show("... wrong ones beside it", sum(wrong[name_].values()), "rules", 0,
             "wrong: %s; true and secondary: %s" % (words(wrong[name_]), words(secondary[name_])))
print("%d rounds in %.0f s" % (RUNS, time.monotonic() - began), flush=True)
