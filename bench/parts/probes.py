"""Probed calls against what the programs themselves recorded: count, percentiles, what a call costs;
and whether the program lives when ptop ends, by itself or by kill -9.

Each program is quiet before and after its calls, so that both speak of the same ones.
"""
import datetime
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from measure import ONLY, PTOP, QUICK, TARGETS, WORK, load, show

CALLS = 500 if QUICK else 2000
ROUNDS = 3 if QUICK else 20
PARTS = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}
# A Python that has greenlet.
PYTHON = os.environ.get("BENCH_GREENLET", sys.executable)


def path(name):
    return os.path.join(WORK, name)


def build(name, *argv):
    """argv, when its compiler is there and takes it."""
    env = dict(os.environ, GO111MODULE="off", GOCACHE=path("gocache"))
    if not shutil.which(argv[0]):
        return "no " + argv[0]
    said = subprocess.run(argv, env=env, cwd=WORK, stderr=subprocess.PIPE, text=True, check=False)
    return said.stderr.strip()[:100] if said.returncode else (name, [path(name)])


def interpreter(program, script, test):
    if not shutil.which(program):
        return "no " + program
    if subprocess.run([program, *test], stderr=subprocess.DEVNULL, check=False).returncode:
        return program + " has not what it needs"
    return "libprobed", [program, os.path.join(TARGETS, script), path("libprobed.so")]


def programs():
    source = os.path.join(TARGETS, "probed")
    c = ["gcc", "-O2", "-g", "-D_GNU_SOURCE", source + ".c", "-o"]
    build("libprobed", *c, path("libprobed.so"), "-DPROBED_LIBRARY", "-fPIC", "-shared")
    shutil.copy(source + ".go", path("probed.go"))
    return {
        "C": (build("probed_c", *c, path("probed_c")), "timed_step"),
        "C++, exceptions": (build("probed_cpp", "g++", "-O2", "-g", source + ".cpp", "-o",
                                  path("probed_cpp")), "work::step"),
        "Rust, panics": (build("probed_rs", "rustc", "-O", "-g", source + ".rs", "-o",
                               path("probed_rs")), "probed::timed_step"),
        "Go, growing stacks": (build("probed_go", "go", "build", "-o", path("probed_go"),
                                     "probed.go"), "main.timedStep"),
        "greenlet": (interpreter(PYTHON, "probed.py", ["-c", "import greenlet"]), "timed_step"),
        "PHP fibers": (interpreter("php", "probed.php",
                                   ["-r", "exit(!class_exists('FFI') || !class_exists('Fiber'));"]),
                       "timed_step"),
        "Ruby fibers": (interpreter("ruby", "probed.rb", ["-rfiddle", "-e", "0"]), "timed_step"),
    }


class Target:
    def __init__(self, argv, calls):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([*argv, str(calls)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()

    def record(self):
        """[(inside, outside)] in ns, of the calls it makes now."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found = []
        for line in self.process.stdout:
            if line.startswith("done"):
                break
            found.append(tuple(int(n) for n in line.split()[1:]))
        return found

    def goes_on(self):
        """It makes calls still. What it said before is in the pipe."""
        os.set_blocking(self.process.stdout.fileno(), False)
        self.process.stdout.read()
        os.set_blocking(self.process.stdout.fileno(), True)
        return all(self.process.stdout.readline().startswith("calls") for _ in range(2))


class Looker:
    """ptop with a probe on, once it is on."""

    def __init__(self, target, probe):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([PTOP, "top", "-b", "-d", "0.5", "-w", "0", "-j", "-p",
                                         str(target.process.pid), "--probe", probe],
                                        stdout=subprocess.PIPE, text=True)
        self.row, self.picture = {}, {}
        self.until(lambda: self.row.get("note"))

    def until(self, condition):
        """Reads pictures until one is as it should be, 30 s at most. Its row of the probe."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.picture = json.loads(self.process.stdout.readline() or "{}")
            rows = [r for r in self.picture.get("latency", []) if r["source"] == "probe"]
            self.row = rows[0] if rows else {}
            if condition():
                break
        return self.row

    def after(self, when):
        """The row once a picture is of after that time, in seconds."""
        return self.until(lambda: datetime.datetime.fromisoformat(
            self.picture["time"].replace("Z", "+00:00")).timestamp() > when)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.stdout.read()
        self.process.wait()


def quantile(values, part):
    return values[max(0, math.ceil(part * len(values)) - 1)]


def off(row, truth):
    if not truth or any(row.get(f) is None for f in PARTS):
        return float("nan")
    return max(abs(row[f] * 1e9 / quantile(truth, p) - 1) * 100 for f, p in PARTS.items())


def cost_us(record):
    return statistics.median(b - a for a, b in record) / 1000


def measure(what, argv, probe):
    with Target(argv, CALLS) as target:
        without = cost_us(target.record())
    with Target(argv, CALLS) as target:
        looker = Looker(target, probe)
        record = target.record()
        row = looker.after(time.time() + 1)
        looker.end()
    truth = sorted(inside for inside, _ in record)
    show(what + ": percentiles off", off(row, truth), "%", 2, "p50 p95 p99 %s, truth %s ms; %s" % (
        "/".join("%.4g" % ((row.get(f) or 0) * 1000) for f in PARTS),
        "/".join("%.4g" % (quantile(truth, p) / 1e6) for p in PARTS.values()), load()))
    show(what + ": calls that are not counted", abs(len(truth) - row.get("count", 0)), "", 0,
         "%d of %d; %s" % (row.get("count", 0), len(truth), row.get("note", "no row")))
    said = re.search(r"costs ([0-9.]+) us", row.get("note", ""))
    show(what + ": cost a call", cost_us(record) - without, "us", None,
         "%s said; %s" % (said.group(1) if said else "none", load()))


def lives(what, argv, probe, how):
    held = 0
    with Target(argv, 0) as target:
        for i in range(ROUNDS):
            looker = Looker(target, probe)
            looker.until(lambda row=looker: row.row.get("count"))
            time.sleep(0.02 * i)
            looker.end(how)
            if target.process.poll() is not None or not target.goes_on():
                break
            held += bool(looker.row.get("count"))
    show("%s: ended after %s of ptop" % (what, how.name), ROUNDS - held, "", 0,
         "goes on %d of %d" % (held, ROUNDS))


for name, (program, function) in programs().items():
    if ONLY and name.split(",")[0].lower() not in ONLY:
        continue
    if isinstance(program, str):
        print("skipped: %s: %s" % (name, program), flush=True)
        continue
    measure(name, program[1], program[0] + ":" + function)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        lives(name, program[1], program[0] + ":" + function, sign)
