"""Recordings: what writing one costs beside the same run without, how large it grows, what is
left of it after kill -9, and a large folded file to SVG by ptop report."""
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

from measure import (BUILD, PTOP, QUICK, WORK, Target, can_run, cpu_by_thread, cpu_ns, fail, load,
                     median, show, start, stop)

SECONDS = 8 if QUICK else 20
TURNS = 2 if QUICK else 3
KILLS = 5 if QUICK else 20
STACKS = 100000
# Where Debian has flamegraph.pl.
NYTPROF = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"


def record(target, path):
    """CPU nanoseconds a second of `ptop record` once it has settled, and of its writer."""
    process = start([PTOP, "record", "-q", "-r", "100", "-p", str(target.pid), "-F", "-o", path])
    time.sleep(3)
    before, began, threads = cpu_ns(process.pid), time.monotonic(), cpu_by_thread(process.pid)
    time.sleep(SECONDS)
    ran = time.monotonic() - began
    cost = (cpu_ns(process.pid) - before) / ran
    writer = (cpu_by_thread(process.pid).get("ptop-writer", 0) - threads.get("ptop-writer", 0)) / ran
    stop(process, signal.SIGINT)
    return cost / 1e7, writer / 1e7


def of_an_hour(target):
    """MB: what a short and a longer recording have in common is written once."""
    size = {}
    for seconds in (5, 5 + 2 * SECONDS):
        path = os.path.join(WORK, "h.ptop")
        process = start([PTOP, "record", "-q", "-r", "100", "-p", str(target.pid), "-F", "-o", path,
                         "-d", str(seconds)])
        process.wait()
        size[seconds] = os.path.getsize(path) / 1e6
    short, long = sorted(size)
    return size[short] + (size[long] - size[short]) / (long - short) * (3600 - short)


def overhead(name):
    with_file, without, writer = [], [], []
    with Target(name) as target:
        for _ in range(TURNS):
            without.append(record(target, os.path.join(WORK, "r.folded"))[0])
            path = os.path.join(WORK, "r.ptop")
            cost, thread = record(target, path)
            with_file.append(cost)
            writer.append(thread)
        hour = of_an_hour(target)
    show("recording %s, 100 Hz: more than without a file" % name,
         max(median(with_file) - median(without), 0), "% of a core", 0.3,
         "%.2f%% with, %.2f%% without; the writer's thread %.2f%%; %s"
         % (median(with_file), median(without), median(writer), load()))
    show("recording %s: an hour's file" % name, hour, "MB", 40)


def kills():
    """Seconds lost by kill -9 at moments spread over a second."""
    good, lost = 0, []
    with Target("python3") as target:
        for i in range(KILLS):
            path = os.path.join(WORK, "k%d.ptop" % i)
            process = start([PTOP, "record", "-q", "-p", str(target.pid), "-F", "-o", path])
            time.sleep(1.5 + (i * 7 % 20) / 20)
            process.kill()
            end = time.time_ns()
            process.wait()
            out = subprocess.run([PTOP, "report", path, "-f", "folded"], capture_output=True,
                                 check=False)
            said = subprocess.run([PTOP, "sessions", "show", path, "-j"], capture_output=True,
                                  text=True, check=False).stdout
            good += out.returncode == 0 and b" " in out.stdout and "interrupted" in said
            lost.append(lost_s(path, end))
    show("kill -9: files that open", good, "of %d" % KILLS, KILLS, at_least=True)
    show("kill -9: time lost, worst", max(lost), "s", 1.0)


def lost_s(path, end_ns):
    import sqlite3
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    value = db.execute("SELECT end_ns FROM session").fetchone()[0]
    db.close()
    return (end_ns - value) / 1e9


def folded(path):
    """100,000 different stacks, 37 frames deep on the average, as of a Python service: most of a
    stack is that of another one, about three frames are its own."""
    chance = random.Random(7)
    names = ["package%d.module%d.function_number_%04d" % (i % 31, i % 211, i) for i in range(4323)]
    stacks = [[chance.choice(names) for _ in range(37)] for _ in range(60)]
    seen = set()
    with open(path, "w", encoding="ascii") as f:
        while len(seen) < STACKS:
            base = chance.choice(stacks)
            stack = base[:-chance.randint(1, 4)]
            while len(stack) < 33 or chance.random() < 0.7 and len(stack) < 42:
                stack = stack + [chance.choice(names)]
            line = ";".join(stack)
            if line in seen:
                continue
            seen.add(line)
            stacks.append(stack)
            f.write("%s %d\n" % (line, chance.randint(1, 9)))


def cpu_of_run(argv, out):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(out, "wb") as f:
        if subprocess.run(argv, stdout=f, check=False).returncode != 0:
            fail(" ".join(argv))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report():
    path, svg = os.path.join(WORK, "big.folded"), os.path.join(WORK, "big.svg")
    folded(path)
    ours = median([cpu_of_run([PTOP, "report", path, "-f", "svg"], svg) for _ in range(5)])
    show("report: 100,000 stacks to SVG", ours, "s CPU", 0.25,
         "%.0f MB of folded text; %s" % (os.path.getsize(path) / 1e6, load()))
    peer = os.environ.get("FLAMEGRAPH_PL") or shutil.which("flamegraph.pl") or NYTPROF
    if os.path.exists(peer):
        theirs = cpu_of_run(["perl", peer, path], os.path.join(WORK, "peer.svg"))
        show("flamegraph.pl on the same file to that", theirs / ours, "times", 20,
             "%.2f s CPU" % theirs, at_least=True)
    else:
        print("skip  flamegraph.pl: not here (set FLAMEGRAPH_PL, or install libdevel-nytprof-perl)",
              flush=True)
    os.unlink(path)


def hour():
    """3,600 seconds of eight threads at 100 Hz through the gatherer and the writer."""
    path = os.path.join(WORK, "hour.ptop")
    out = subprocess.run([os.path.join(BUILD, "bench", "bench-recording"), path],
                         capture_output=True, text=True, check=False)
    found = re.search(r"; ([\d.]+) MB, ([\d.]+) ms", out.stdout)
    if not found:
        fail("bench-recording says:\n" + out.stdout + out.stderr)
    show("an hour of 8 threads at 100 Hz", float(found[1]), "MB", 40,
         "gathered and written for %s ms CPU a second; %s" % (found[2], out.stdout.split(";")[0]))
    os.unlink(path)


report()
hour()
kills()
for target_name in ("mt8", "python3"):
    if can_run(target_name):
        overhead(target_name)
