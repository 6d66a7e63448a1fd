"""What it costs the target: CPU time of one unit of its work with ptop and without.

The same process all the time, seconds with and without in turns, so that what differs
between two processes (where their memory came to lie) and what drifts (clock, neighbours)
falls out. The ratio of each turn to the mean of its neighbours without; the median of all.
"""
import time

from measure import (PerfRecord, QUICK, TABLE, Target, can_run, have_perf, load, median,
                     ptop_screen, show, spread)

TURNS = 5 if QUICK else 7
SECONDS = 1.0 if QUICK else 2.0
SETTLE = 1.0
LIMITS = {997: 1.03, 99: 1.01}
TARGETS = ("deep15", "python3") if QUICK else ("deep15", "deep60", "mt8", "python3", "node")


def unit(target, seconds):
    """CPU seconds of a unit of work during that time."""
    before = target.told()
    time.sleep(seconds)
    after = target.told()
    return (after[0] - before[0]) / max(after[1] - before[1], 1)


def with_ptop(target, rate):
    with ptop_screen(target.pid, "-r", rate, "--native-only") as ptop:
        time.sleep(SETTLE)
        cost = unit(target, SECONDS)
        ptop.must_live(TABLE)
    return cost


def with_perf(target):
    with PerfRecord(target.pid):
        time.sleep(SETTLE)
        return unit(target, SECONDS)


def alone(target):
    time.sleep(0.3)
    return unit(target, SECONDS)


def in_turns(target, looks, turns):
    """{name: [ratio of each turn]}"""
    ratios = {name: [] for name in looks}
    before = alone(target)
    for _ in range(turns):
        for name, look in looks.items():
            cost = look(target)
            after = alone(target)
            ratios[name].append(2 * cost / (before + after))
            before = after
    return ratios


def measure(name):
    looks = {rate: lambda t, r=rate: with_ptop(t, r) for rate in LIMITS}
    if have_perf():
        looks["perf"] = with_perf
    with Target(name, 3.0) as target:
        ratios = in_turns(target, looks, TURNS)
    for rate, limit in LIMITS.items():
        note = "%s, %s" % (spread(ratios[rate]), load())
        if "perf" in ratios:
            note = "perf record at 999 Hz x%.3f; %s" % (median(ratios["perf"]), note)
        show("%s, %d Hz" % (name, rate), median(ratios[rate]), "x", limit, note)


if __name__ == "__main__":
    for one in TARGETS:
        if can_run(one):
            measure(one)
