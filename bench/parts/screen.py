"""A key's answer with 50,000 functions in the picture; what drawing costs at 1 Hz on 160x50."""
import os
import re
import statistics
import time

from measure import BUILD, QUICK, Screen, TABLE, Target, can_run, fail, load, ptop_screen, show

SECONDS = 8 if QUICK else 20
ROUNDS = 2 if QUICK else 5
KEYS = ["G", "g", "j", "t", "o", "I", "I", "s", "S", "/", "e", "_", "1", "\x7f", "\x7f", "\x7f",
        "\x1b", "5", "1", "?", "q"]


def ui_cpu_ns(pid):
    """The first thread draws and reads keys; the others sample and name."""
    with open("/proc/%d/task/%d/schedstat" % (pid, pid), encoding="ascii") as f:
        return int(f.read().split()[0])


def answer_ms(screen, key):
    """Until something is on its way to the terminal; None: the key changed nothing."""
    n = len(screen.chunks)
    sent = time.monotonic()
    os.write(screen.master, key.encode())
    while time.monotonic() - sent < 1.0:
        if len(screen.chunks) > n:
            return (screen.chunks[n][0] - (sent - screen.began)) * 1e3
        time.sleep(0.001)
    return None


demo = os.path.join(BUILD, "tests", "tui", "ui_demo")
if not os.access(demo, os.X_OK):
    fail("no %s: `make bench` builds it" % demo)
with Screen([demo, "functions=50000", "frozen=1"], 160, 50) as s:
    if s.wait_for(re.compile(rb"of 50,?000"), 30) is None:
        fail("ui_demo shows no list")
    time.sleep(4)
    times = {}
    for _ in range(ROUNDS):
        for at, k in enumerate(KEYS):
            ms = answer_ms(s, k)
            if ms is not None:
                times.setdefault((at, k), []).append(ms)
            time.sleep(0.15)
    if len(times) < len(KEYS) / 2:
        fail("%d of %d keys were answered" % (len(times), len(KEYS)))
    slowest = max(times, key=lambda k: statistics.median(times[k]))
    every = [ms for each in times.values() for ms in each]
    show("slowest key, 50,000 functions", statistics.median(times[slowest]), "ms", 50,
         "key %r, median of %d; all keys %.1f, at most %.1f; %s" %
         (slowest[1], ROUNDS, statistics.median(every), max(every), load()))
    if os.environ.get("BENCH_VERBOSE"):
        for (_, k), each in times.items():
            print("      %r %.1f ms" % (k, statistics.median(each)))

for target in ("node", "python3", "mt8"):
    if not can_run(target):
        continue
    with Target(target, 2.0) as t, ptop_screen(t.pid, columns=160, rows=50) as ptop:
        time.sleep(5)
        before, began = ui_cpu_ns(ptop.pid), time.monotonic()
        time.sleep(SECONDS)
        cost = (ui_cpu_ns(ptop.pid) - before) / 1e7 / (time.monotonic() - began)
        ptop.must_live(TABLE)
        show("drawing, %s, 160x50 at 1 Hz" % target, cost, "% of core", 0.3, load())
