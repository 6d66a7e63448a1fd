"""Latencies against what the targets themselves measured; how soon a trigger's file is there.

A figure is the worst of p50 and p95 (and p99 where it is exact), off the truth.
"""
import datetime
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from measure import HERE, PTOP, QUICK, WORK, load, show

LIVE = os.path.join(HERE, "..", "tests", "live", "targets")
SECONDS = 5 if QUICK else 10
INTERVAL_MS = 1000 / 99


class Timed:
    """A program that prints "END SECONDS" for each thing it did."""

    def __init__(self, *argv, **more):
        self.file = tempfile.NamedTemporaryFile(dir=WORK, mode="r", encoding="ascii")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(argv, stdout=open(self.file.name, "w", encoding="ascii"),
                                        stderr=subprocess.DEVNULL, **more)
        time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.file.close()

    def took(self, began, ended):
        """Durations (ms) of what ended in that time, sorted."""
        self.file.seek(0)
        found = [line.split() for line in self.file]
        return sorted(float(f[1]) * 1000 for f in found
                      if len(f) == 2 and re.match(r"^[0-9.]+$", f[0])
                      and began <= float(f[0]) <= ended)

    def picture(self, *options):
        """(picture, durations in its time, when it ended)"""
        out = subprocess.run([PTOP, "top", "-b", "-N", "1", "-d", str(SECONDS), "-w", "0", "-j",
                              "-p", str(self.process.pid), *options],
                             stdout=subprocess.PIPE, check=True).stdout
        ended = time.monotonic()
        time.sleep(0.3)
        return json.loads(out.splitlines()[-1]), self.took(ended - SECONDS - 0.1, ended), ended


def quantile(values, part):
    return values[min(len(values) - 1, int(part * len(values)))]


def row(picture, source, name=""):
    rows = [r for r in picture["latency"] if r["source"] == source and
            r["name"].endswith(name)]
    return rows[0] if rows else None


PARTS = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}


def off(found, truth, figures, relative):
    """The worst distance, in ms or per cent."""
    if not found or not truth or any(found[f] is None for f in figures):
        return float("nan")
    return max(abs(found[f] * 1000 - quantile(truth, PARTS[f])) *
               (100 / quantile(truth, PARTS[f]) if relative else 1) for f in figures)


def figures_of(found, figures):
    return " ".join("%s %.4g" % (f[:3], found[f] * 1000) if found and found[f] is not None
                    else "%s -" % f[:3] for f in figures) + " ms"


def tell(what, found, truth, figures, limit, relative, more=""):
    show(what, off(found, truth, figures, relative), "%" if relative else "ms", limit,
         "%s, truth %s, n %d; %s" % (
             figures_of(found, figures),
             "/".join("%.4g" % quantile(truth, PARTS[f]) for f in figures) if truth else "-",
             len(truth), more + load()))


def measure(what, argv, source, name, figures, limit, options=(), relative=True):
    with Timed(*argv) as target:
        picture, truth, _ = target.picture(*options)
    tell(what, row(picture, source, name), truth, figures, limit, relative)


def watched():
    """The clock around a watched call runs while the debug registers hit, which ptop measures and
    tells: that is taken off the truth, as it is no time of the function."""
    with Timed(*TIMED, "calls", *["2"] * 8, *["6"] * 2) as target:
        picture, truth, _ = target.picture("--probe", "timed_call")
    found = row(picture, "watch", "timed_call")
    cost = re.search(r"costs ([0-9.]+) us a call", (found or {}).get("note", ""))
    cost = float(cost.group(1)) / 1000 if cost else float("nan")
    tell("a watched Python function", found, [t - cost for t in truth], list(PARTS), 2, True,
         "%.1f us a call taken off; " % (cost * 1000))


def probed():
    """Quiet before and after, so that ptop and the target speak of the same calls."""
    with Timed(native(), str(SECONDS), stdin=subprocess.PIPE) as target:
        with subprocess.Popen([PTOP, "top", "-b", "-N", "1", "-d", str(SECONDS + 5), "-w", "0", "-j",
                               "-p", str(target.process.pid), "--probe", "timed:timed_step"],
                              stdout=subprocess.PIPE, text=True) as ptop:
            time.sleep(3)
            target.process.stdin.write(b"\n")
            target.process.stdin.close()
            picture = json.loads(ptop.stdout.read())
        truth = target.took(0, time.monotonic())
    found = row(picture, "probe", "timed:timed_step")
    tell("a probed native function", found, truth, list(PARTS), 2, True, "%s calls missed; " % (
        len(truth) - found["count"] if found else "all"))


def wall(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def blocks(what, argv):
    """Pictures that follow each other without a gap: each block is in one of them, whichever
    side of an edge it ends on. Those that began before ptop knew a loop are not asked for."""
    with Timed(*argv) as target:
        out = subprocess.run([PTOP, "top", "-b", "-N", str(SECONDS * 2), "-d", "1", "-w", "1", "-j",
                              "-p", str(target.process.pid)],
                             stdout=subprocess.PIPE, check=True).stdout
        apart = time.time() - time.monotonic()
        time.sleep(0.3)
        pictures = [json.loads(line) for line in out.splitlines()]
        began = wall(pictures[0]["time"]) - pictures[0]["window_s"]
        target.file.seek(0)
        truth = [(float(f[0]) + apart, float(f[1])) for f in map(str.split, target.file)
                 if len(f) == 2 and re.match(r"^[0-9.]+$", f[0])]
    asked = [(end, took) for end, took in truth
             if began + 0.25 <= end - took and end <= wall(pictures[-1]["time"]) - 0.05]
    seen = {(wall(c["time"]), c["took_s"]) for p in pictures for c in p["slow"]["calls"]
            if c["name"].startswith("event loop")}
    worst, missed = 0, 0
    for end, took in asked:
        near = [abs(s - took) / took for at, s in seen if abs(at - end) < 0.1]
        missed += not near
        worst = max([worst] + near)
    show(what + ": not seen", missed if asked else float("nan"), "blocks", 0,
         "%d of %d; %s" % (len(asked) - missed, len(asked), load()))
    show(what + ": off", 100 * worst if asked else float("nan"), "%", 5, load())


def trigger():
    script = ("import sys,time\nprint('ready',flush=True)\nend=time.time()+3\n"
              "def before():\n    while time.time()<end: sum(range(1000))\n"
              "before()\nx=bytearray(300<<20)\n"
              "print('%.3f'%time.time(),flush=True)\ntime.sleep(60)\n")
    late = []
    for _ in range(1 if QUICK else 5):
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                                  text=True) as target:
                target.stdout.readline()
                with subprocess.Popen([PTOP, "record", "-q", "-p", str(target.pid), "-d", "20",
                                       "-o", folder + "/all.folded", "--when", "rss>250M"],
                                      cwd=folder, stderr=subprocess.DEVNULL) as ptop:
                    grew = float(target.stdout.readline())
                    files = []
                    while not files and time.time() < grew + 5:
                        files = glob.glob(folder + "/ptop-*-when1.svg")
                        time.sleep(0.01)
                    late.append(os.stat(files[0]).st_mtime - grew if files else 9)
                    with open(files[0], encoding="utf-8") as f:
                        held = "before" in f.read()
                    ptop.kill()
                target.kill()
    show("a trigger's file", max(late), "s after", 1, "median %.2f; it %s what ran before; %s" % (
        statistics.median(late), "has" if held else "has NOT", load()))


def native():
    path = os.path.join(WORK, "timed")
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-I", LIVE, "-o", path,
                    os.path.join(LIVE, "timed.c")], check=True)
    return path


TIMED = [sys.executable, os.path.join(LIVE, "timed.py")]
measure("sampled calls of 25 ms", TIMED + ["calls", "25"], "visits", "timed_call",
        ["p50_s", "p95_s"], INTERVAL_MS, relative=False)
measure("sampled calls of 20, 60 and 90 ms", TIMED + ["calls", "20", "60", "90"], "visits",
        "timed_call", ["p50_s", "p95_s"], INTERVAL_MS, relative=False)
with Timed(*TIMED, "calls", "3") as short:
    shown = row(short.picture()[0], "visits", "timed_call")
show("calls of 3 ms: figures shown", sum(1 for f in PARTS if shown and shown[f] is not None),
     "figures", 0, "below %s s" % (shown or {}).get("below_s"))
watched()
probed()
for kind in ("server", "server-close", "server-asyncio"):
    measure("requests, " + kind, TIMED + [kind], "requests", "", ["p50_s", "p95_s"], 3,
            ("--requests",))
blocks("blocks of asyncio, computing", TIMED + ["loop-spin"])
blocks("blocks of asyncio, sleeping", TIMED + ["loop-sleep"])
if shutil.which("node"):
    blocks("blocks of node", ["node", os.path.join(LIVE, "blocks.js")])
trigger()
