"""Whether memory grows, and who makes it: verdicts on real programs, censuses, the cost.

The programs of known shape run beside each other for six minutes, each watched by a ptop of
its own; with --quick they are left out, as a verdict takes five minutes whatever is done.
"""
import json
import os
import subprocess
import sys
import time

from measure import BUILD, PTOP, QUICK, TARGETS, WORK, load, show, start, stop

GROWS = os.path.join(WORK, "grows")
LEAKS = {"leak02": 0.2, "leak1": 1.0}
STEADY = ("flat", "sawtooth", "step", "warmup", "cache")
CENSUS_LIMIT_S = 1.0
CPU_LIMIT_PCT = 0.2


def last_table(process):
    out, _ = process.communicate()
    return json.loads(out.splitlines()[-1])["memory"]


def watch(pid, *options):
    return start([PTOP, "top", "-j", "--native-only", "-r", "10", "-p", str(pid)] + list(options),
                 stdout=subprocess.PIPE, text=True)


def verdicts():
    targets = {name: start([GROWS, name]) for name in list(LEAKS) + list(STEADY)}
    time.sleep(1)
    lookers = {name: watch(t.pid, "-d", "60", "-N", "8") for name, t in targets.items()}
    found = {name: last_table(p) for name, p in lookers.items()}
    for t in targets.values():
        stop(t)
    wrong = [name for name in LEAKS if found[name]["verdict"] != "growing"]
    show("leaks of 0.2 and 1 MB/s not seen", len(wrong), "of 2", 0, " ".join(wrong))
    wrong = [name for name in STEADY if found[name]["verdict"] != "steady"]
    show("steady shapes taken for a leak", len(wrong), "of 5", 0, " ".join(wrong) or load())
    for name, rate in LEAKS.items():
        slope = found[name]["slope_bytes_per_s"] or 0
        off = abs(slope / 1048576 - rate) / rate * 100
        show("slope of %s MB/s, off by" % rate, off, "%", 5, "%d to %d bytes/s" % (
            found[name]["slope_low"], found[name]["slope_high"]))


def named(memory, kind):
    return next((g["name"] for g in memory["growers"] if g["kind"] == kind), "nothing")


def costs(pid):
    """{word: numbers} as bench-memory prints them."""
    out = subprocess.run([os.path.join(BUILD, "bench/bench-memory"), str(pid)],
                         capture_output=True, text=True, check=True).stdout
    return {words[0]: [float(w) for w in words[1:]]
            for words in (line.split() for line in out.splitlines())}


def census(argv, kind, word, want, settle):
    target = start(argv)
    time.sleep(settle)
    memory = last_table(start([PTOP, "top", "-j", "--growers", "-d", "6", "-N", "4", "-p",
                               str(target.pid)], stdout=subprocess.PIPE, text=True))
    cost = costs(target.pid)
    stop(target)
    name = named(memory, kind)
    ms, things, size, torn = cost[word]
    look = next(l for l in memory["looks"] if l["kind"] == kind)
    show("%s: the leak is not named" % word, 0 if want in name else 1, "", 0, name)
    show("%s census, CPU" % word, ms / 1000, "s", CENSUS_LIMIT_S,
         "%.2f s on the clock; %d things, %d MB of %d MB resident, %d torn; %s" % (
             look["took_s"], things, size / 1048576, memory["rss_bytes"] / 1048576, torn,
             load()))
    return cost


def cpu(cost):
    """Of the gauges, at the rates the memory part reads them: they are never off."""
    gauges = {w: v for w, v in cost.items() if len(v) == 2}
    pct = sum(us * per_s for us, per_s in gauges.values()) / 1e6 * 100
    show("CPU of the gauges", pct, "% of core", CPU_LIMIT_PCT,
         ", ".join("%s %.1f us x %g/s" % (w, us, n) for w, (us, n) in gauges.items()))


subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-D_GNU_SOURCE", "-o", GROWS,
                os.path.join(TARGETS, "grows.c")], check=True)
cpu(census([GROWS, "heap"], "chunks", "heap", "60016", 4))
census([sys.executable, os.path.join(TARGETS, "grows.py")], "objects", "objects", "Order", 20)
if QUICK:
    print("skip  verdicts: they take six minutes", flush=True)
else:
    verdicts()
