"""What the parts of the benchmark share: targets, ptop on a pty, peers, CPU time, the report.

CPU time is that of the scheduler (/proc/PID/task/*/schedstat, nanoseconds), so it does not
depend on the clock tick and hardly on what else the machine does. Wall time is used only
where the figure is one (first picture, attach), and then the best of several is shown too.
"""
import collections
import ctypes
import fcntl
import glob
import json
import os
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = os.path.join(HERE, "targets")
WORK = os.environ["BENCH_WORK"]
BUILD = os.environ["BENCH_BUILD"]
PTOP = os.path.join(BUILD, "ptop")
QUICK = os.environ.get("BENCH_QUICK") == "1"
ONLY = os.environ.get("BENCH_TARGETS", "").split()

median = statistics.median


def fail(why):
    print("cannot measure: " + why, flush=True)
    sys.exit(1)


# ---- Processes ---------------------------------------------------------------------------


def _child_setup():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: nothing outlives the run


def start(argv, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("stdout", subprocess.DEVNULL)
    more.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.Popen(argv, preexec_fn=_child_setup, **more)


def whole_run(process, with_signal):
    """Ends a process of ours; the CPU seconds it used from its start to its end."""
    try:
        process.send_signal(with_signal)
        _, status, used_ = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return 0.0
    return used_.ru_utime + used_.ru_stime


def cpu_of(argv, limit_s):
    """CPU seconds of a command, at most that many: it is ended then."""
    process = start(argv)
    end = time.monotonic() + limit_s
    while cpu_ns(process.pid) < limit_s * 1e9 and time.monotonic() < end:
        pid, status, used_ = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return used_.ru_utime + used_.ru_stime
        time.sleep(0.05)
    return whole_run(process, signal.SIGKILL)


def stop(process, with_signal=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_ns(pid):
    """CPU nanoseconds of all threads a process has now."""
    total = 0
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        try:
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass  # a thread that ended
    return total


def cpu_by_thread(pid):
    """{thread name: CPU nanoseconds}"""
    found = {}
    for task in glob.glob("/proc/%d/task/*" % pid):
        try:
            with open(task + "/comm", encoding="utf-8", errors="replace") as f:
                name = f.read().strip()
            with open(task + "/schedstat", encoding="ascii") as f:
                found[name] = found.get(name, 0) + int(f.read().split()[0])
        except OSError:
            pass
    return found


def status_kb(pid, key):
    with open("/proc/%d/status" % pid, encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def used(pids, seconds):
    """CPU seconds each process used during that time, and the time it really took."""
    before, began = [cpu_ns(p) for p in pids], time.monotonic()
    time.sleep(seconds)
    after, ended = [cpu_ns(p) for p in pids], time.monotonic()
    return [(b - a) / 1e9 for a, b in zip(before, after)], ended - began


def load():
    return "load %.1f" % os.getloadavg()[0]


# ---- Targets -----------------------------------------------------------------------------


def _built(name):
    return os.path.join(WORK, name)


def _python():
    return "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable


def _work(name):
    return os.path.join(TARGETS, name)


# Each takes the file its progress goes to (None: nobody reads it).
COMMANDS = {
    "deep15": lambda f: [_built("deep"), "15"] + f,
    "deep60": lambda f: [_built("deep"), "60"] + f,
    "mt8": lambda f: [_built("mt8")] + f,
    "python3": lambda f: [_python(), _work("work.py")] + f,
    "node": lambda f: ["node", _work("work.js")] + f,
    "node-map": lambda f: ["node", "--perf-basic-prof", _work("work.js")] + f,
    "cc1plus": lambda f: [_cc1plus(), "-quiet", "-O2", _built("big.ii"), "-o", os.devnull],
    "rust": lambda f: [_built("rust")],
    "pingpong": lambda f: [_built("pingpong")] + f,
    "shares": lambda f: [_built("shares")] + f,
    "idle": lambda f: [_built("idle")] + f,
}


def _cc1plus():
    out = subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True)
    return out.stdout.strip()


def can_run(name):
    if ONLY and name not in ONLY:
        return False
    argv = COMMANDS[name]([])
    if shutil.which(argv[0]) and (name != "cc1plus" or os.path.exists(argv[-3])):
        return True
    print("skip  %s: no %s" % (name, os.path.basename(argv[0])), flush=True)
    return False


class Target:
    """A running target; `with Target("node") as t`."""

    def __init__(self, name, warm=1.0):
        if name not in COMMANDS:
            fail("no target " + name)
        self.name = name
        self.progress = os.path.join(WORK, "progress.%s" % name)
        if os.path.exists(self.progress):
            os.unlink(self.progress)
        self.process = start(COMMANDS[name]([self.progress]))
        self.pid = self.process.pid
        time.sleep(warm)
        if self.process.poll() is not None:
            fail("%s ended at once" % name)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        stop(self.process)
        files = ["/tmp/perf-%d.map" % self.pid, self.progress]
        for path in files:
            if os.path.exists(path):
                os.unlink(path)

    def told(self):
        """[CPU seconds, units of work, ...] as the target last said, or None."""
        with open(self.progress, encoding="ascii") as f:
            words = f.read().split()
        return [int(words[0]) / 1e9] + [int(w) for w in words[1:]]


# ---- ptop and others on a terminal -------------------------------------------------------


class Screen:
    """A program on a pty of its own; what it writes is counted and kept with its time."""

    def __init__(self, argv, columns=80, rows=24):
        self.master, slave = os.openpty()
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        environ = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        for name in ("LINES", "COLUMNS", "TMUX"):
            environ.pop(name, None)

        def setup():
            _child_setup()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.chunks = collections.deque()
        self.began = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                                        env=environ, preexec_fn=setup)
        os.close(slave)
        self.pid = self.process.pid
        self.stopping = False
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        while not self.stopping:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.chunks.append((time.monotonic() - self.began, data))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.whole_s = whole_run(self.process, signal.SIGTERM)
        self.stopping = True
        self.reader.join()
        os.close(self.master)

    def bytes(self):
        return sum(len(data) for _, data in list(self.chunks))

    def text(self):
        return b"".join(data for _, data in list(self.chunks))

    def wait_for(self, pattern, seconds=10.0):
        """Seconds from the start until what was written so far matches, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            chunks = list(self.chunks)
            if pattern.search(b"".join(data for _, data in chunks)):
                text = b""
                for at, data in chunks:
                    text += data
                    if pattern.search(text):
                        return at
            time.sleep(0.005)
        return None

    def must_live(self, mark):
        """A ptop that gave up uses no CPU: that must not look like a good figure."""
        if self.process.poll() is not None or mark not in self.text():
            fail("%s shows no table:\n%s" % (self.process.args,
                                             self.text()[-400:].decode(errors="replace")))


def ptop_screen(pid, *options, columns=80, rows=24):
    return Screen([PTOP, "-p", str(pid)] + [str(o) for o in options], columns, rows)


TABLE = b"TOTAL%"


def batch(pid, seconds, *options):
    """One JSON table of that many seconds."""
    argv = [PTOP, "top", "-b", "-j", "-N", "1", "-d", str(seconds), "--native-only", "-p", str(pid)]
    out = subprocess.run(argv + [str(o) for o in options], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL, timeout=seconds + 60)
    if out.returncode != 0 or not out.stdout:
        fail("%s: %s" % (" ".join(argv), out.stderr.strip()))
    return json.loads(out.stdout.splitlines()[-1])


# ---- The peer ----------------------------------------------------------------------------


class PerfRecord:
    """`perf record -F 999 --call-graph dwarf` on a process: it records and does not unwind.

    At its end it reads all it wrote once more, for the build ids; so its whole run costs more
    than its steady state, and both are told: whole_s is the CPU of all of it, and script_s
    (if asked for) what `perf script` uses afterwards to unwind and to name it.
    """

    def __init__(self, pid, script=False):
        self.script, self.script_s = script, 0.0
        self.file = os.path.join(WORK, "perf.data")
        argv = ["perf", "record", "-q", "-N", "-F", "999", "--call-graph", "dwarf", "-p", str(pid),
                "-o", self.file]
        self.process = start(argv, cwd=WORK)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.whole_s = whole_run(self.process, signal.SIGINT)
        if self.script:
            self.script_s = cpu_of(["perf", "script", "-i", self.file, "--no-inline"], 120)
        for path in (self.file, self.file + ".old"):
            if os.path.exists(path):
                os.unlink(path)


def have_perf():
    return shutil.which("perf") is not None


# ---- The report --------------------------------------------------------------------------


def show(figure, value, unit, limit, more="", at_least=False):
    """One line: the mark, the figure, its value, the target of it, and what to compare with."""
    ok = limit is None or (value >= limit if at_least else value <= limit)
    mark = "    " if limit is None else "pass" if ok else "MISS"
    sign = ">=" if at_least else "<="
    goal = "" if limit is None else "%s %g" % (sign, limit)
    print("%s  %-34s %9.4g %-9s %-9s %s" % (mark, figure, value, unit, goal, more), flush=True)
    with open(os.path.join(WORK, "results"), "a", encoding="utf-8") as f:
        f.write("\t".join([mark.strip() or "-", figure, "%.4g" % value, unit, goal, more]) + "\n")


def spread(values):
    return "%.4g..%.4g of %d" % (min(values), max(values), len(values))
