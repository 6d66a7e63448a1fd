"""Collections as ptop counts and times them, against what each runtime says of itself: targets that
are quiet, busy and quiet again, seen whole. And what looking at them costs ptop and the target.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from measure import (HERE, PTOP, QUICK, WORK, fail, load, median, ptop_screen, show, spread,
                     start, stop, used)

TARGETS = os.path.join(HERE, "..", "tests", "live", "targets")
BUSY = 4 if QUICK else 12
QUIET = 2.0


def pythons():
    home = os.path.expanduser("~/.pyenv/versions")
    found = []
    for minor in (9, 10, 11, 12, 13):
        names = sorted(n for n in (os.listdir(home) if os.path.isdir(home) else [])
                       if n.startswith("3.%d." % minor))
        if names:
            found.append(os.path.join(home, names[-1], "bin", "python3"))
    return found or [sys.executable]


def wait_for(process, path, word, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with open(path, encoding="utf-8", errors="replace") as f:
            if re.search("^" + word, f.read(), re.M):
                return
        time.sleep(0.05)


def seen(argv, *options, of="gc"):
    """That part of ptop's last table, which is of all of a target's life."""
    said = os.path.join(WORK, "gc.said")
    table = os.path.join(WORK, "gc.json")
    with open(said, "w", encoding="utf-8") as out, open(table, "w", encoding="utf-8") as json_out:
        target = start(argv, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_for(target, said, "ready", 20)
            ptop = start([PTOP, "top", "-b", "-N", "9999", "-d", "0.5", "-w", "0", "-j", "-p",
                          str(target.pid)] + list(options), stdout=json_out)
            wait_for(target, said, "done", QUIET + BUSY + 30)
            time.sleep(2.5)
            stop(ptop, signal.SIGINT)
        finally:
            stop(target, signal.SIGKILL)
    with open(table, encoding="utf-8") as f:
        lines = f.read().splitlines()
    if not lines:
        fail("no table of " + argv[0])
    return json.loads(lines[-1])[of]


def total(rows, key):
    return sum(row[key] or 0 for row in rows)


def off(value, truth):
    return 100.0 * abs(value - truth) / truth if truth else float(value != 0) * 100


def compare(what, rows, pauses, limit):
    """pauses: seconds of each, as the runtime says."""
    n, s = total(rows, "count"), total(rows, "total_s")
    more = "%s; %s" % ("; ".join(sorted({r["source"] for r in rows})), load())
    show(what + ", counts off by", abs(n - len(pauses)), "of %d" % len(pauses), 0, more)
    show(what + ", total time off by", off(s, sum(pauses)), "%", limit,
         "%.4f s, true %.4f s" % (s, sum(pauses)))
    show(what + ", longest off by", off(max([r["max_s"] or 0 for r in rows] or [0]),
                                        max(pauses or [0])), "%", None)


def cascades():
    """Not collections: what is found of the time that chains of frees take."""
    said = os.path.join(WORK, "gc.said")
    found = seen([sys.executable, os.path.join(TARGETS, "cascade.py"), str(QUIET + BUSY)],
                 of="dealloc_bursts")
    with open(said, encoding="utf-8") as f:
        took = float(f.read().split()[-1])
    show("CPython, cascades of frees: time found", 100 * found["total_s"] / took, "%", None,
         "%d bursts, %.2f s of %.2f s of CPU time; %s" % (found["count"], found["total_s"], took,
                                                         load()))


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return [line.split() for line in f]


def python(path):
    log = os.path.join(WORK, "gc.log")
    rows = seen([path, os.path.join(TARGETS, "collects.py"), str(QUIET), str(BUSY), log])
    version = subprocess.run([path, "-V"], capture_output=True, text=True).stdout.split()[-1]
    lines = [[int(w) for w in line] for line in lines_of(log)]
    compare("CPython " + version, rows, [(l[2] - l[1]) / 1e9 for l in lines], 5)
    long = sum(l[2] - l[1] >= 5e6 for l in lines)
    oldest = [r for r in rows if r["generation"] == "gen2"]
    show("CPython %s, gen2 not counted" % version,
         abs(total(oldest, "count") - sum(l[0] == 2 for l in lines)),
         "of %d" % sum(l[0] == 2 for l in lines), 0, "%d of all took 5 ms or more" % long)


def java(collector, *flags):
    log = os.path.join(WORK, "java.log")
    rows = seen(["java", "-Xmx256m", "-XX:+Use%sGC" % collector, "-Xlog:gc,safepoint:file=" + log] +
                list(flags) + ["-cp", WORK, "Collects", str(QUIET + 1), str(BUSY)])
    with open(log, encoding="utf-8") as f:
        text = f.read()
    what = " ".join(("HotSpot", collector) + flags)
    if collector == "Z" or "-XX:-UsePerfData" in flags:
        found = re.findall(r"Safepoint .* Total: +(\d+) ns", text)
        compare(what + ", stops", rows, [int(ns) / 1e9 for ns in found], 5)
        return
    found = re.findall(r"GC\(\d+\) Pause .*?([\d.]+)ms$", text, re.M)
    compare(what, rows, [float(ms) / 1e3 for ms in found], 1)


def go(name, flags):
    program, log = os.path.join(WORK, "collects-go"), os.path.join(WORK, "go.log")
    made = subprocess.run(["go", "build"] + flags + ["-o", program,
                                                     os.path.join(TARGETS, "collects.go")])
    if made.returncode:
        return
    rows = seen([program, str(QUIET), str(BUSY), log])
    compare("Go" + name, rows, [int(l[1]) / 1e9 for l in lines_of(log)], 0.05)


def node():
    log = os.path.join(WORK, "node.log")
    rows = seen(["node", os.path.join(TARGETS, "collects.js"), str(QUIET), str(BUSY), log])
    compare("Node", rows, [float(l[1]) / 1e3 for l in lines_of(log) if l[0] != "8"], 5)


def php():
    log = os.path.join(WORK, "php.log")
    rows = seen(["php", os.path.join(TARGETS, "collects.php"), str(QUIET), str(BUSY), log])
    n, ns, most, runs = (int(w) for w in lines_of(log)[0])
    show("PHP, runs not counted", abs(total(rows, "count") - runs), "of %d" % runs, 0)
    show("PHP, total time off by", off(total(rows, "total_s"), ns / 1e9), "%", None,
         "of %d calls the script timed; the registers' own cost is in its figure" % n)


def ruby():
    log = os.path.join(WORK, "ruby.log")
    rows = seen(["ruby", os.path.join(TARGETS, "collects.rb"), str(QUIET), str(BUSY), log])
    n, ms = (int(w) for w in lines_of(log)[0])
    show("Ruby, collections not counted", abs(total(rows, "count") - n), "of %d" % n, 0)
    show("Ruby, wall time to its CPU time", total(rows, "total_s") / (ms / 1e3 or 1), "x", None,
         "GC.stat(:time) is CPU time; " + load())


def cost():
    """ptop's own CPU with and without a source, on one program: perf data off takes HotSpot's away."""
    values = {}
    for _ in range(1 if QUICK else 3):
        for flag in ("-XX:+UsePerfData", "-XX:-UsePerfData"):
            target = start(["java", flag, "-Xmx256m", "-XX:+UseSerialGC", "-cp", WORK, "Collects", "0",
                            "60"])
            try:
                time.sleep(2)
                with ptop_screen(target.pid, "-r", 99) as ptop:
                    time.sleep(4)
                    (own,), took = used([ptop.pid], 6 if QUICK else 10)
                    values.setdefault(flag, []).append(100 * own / took)
            finally:
                stop(target, signal.SIGKILL)
    on, without = values["-XX:+UsePerfData"], values["-XX:-UsePerfData"]
    show("ptop's CPU for HotSpot's counters", median(on) - median(without), "% of core", 0.2,
         "%s less %s; %s" % (spread(on), spread(without), load()))


for path in pythons():
    python(path)
cascades()
if shutil.which("javac") and subprocess.run(
        ["javac", "-d", WORK, os.path.join(TARGETS, "Collects.java")]).returncode == 0:
    for each in ("G1", "Parallel", "Serial", "Z"):
        java(each)
    java("Serial", "-XX:+PerfDisableSharedMem")
    java("Serial", "-XX:-UsePerfData")
if shutil.which("go"):
    go("", [])
    go(", stripped", ["-ldflags=-s -w"])
    go(", stripped PIE", ["-ldflags=-s -w", "-buildmode=pie"])
if shutil.which("node"):
    node()
if shutil.which("php"):
    php()
if shutil.which("ruby"):
    ruby()
if shutil.which("javac"):
    cost()
