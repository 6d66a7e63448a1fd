"""Nanoseconds a frame on the same captured samples: ptop's unwinder and libunwind's.

bench-unwind does the work; best of several passes over the same samples in memory. A pass is
a millisecond, so a busy neighbour can spoil all of them: median of three such runs.
"""
import os
import re
import subprocess

from measure import BUILD, QUICK, Target, can_run, fail, load, median, show, spread

NUMBER = r"\s*([\d.]+)"
RUNS = 1 if QUICK else 3
SECONDS = 2 if QUICK else 4
AGREE_LIMIT = 99.9


def find(pattern, text):
    m = re.search(pattern, text)
    if not m:
        fail("bench-unwind says:\n" + text)
    return [float(g) for g in m.groups()]


def run(target):
    out = subprocess.run([os.path.join(BUILD, "bench", "bench-unwind"), str(target.pid),
                          str(SECONDS)], capture_output=True, text=True, check=False)
    text = out.stdout + out.stderr
    mine, = find(r"ours\s+" + NUMBER + " ns/frame", text)
    theirs, = find(r"libunwind\s+" + NUMBER + " ns/frame", text)
    samples, = find(r"(\d+) samples", text)
    depth, = find(NUMBER + r" frames/sample", text)
    agreed = find(r"same frames" + NUMBER + r" %, ours longer (\d+), shorter (\d+), "
                  r"different (\d+)", text)
    return mine, theirs, samples, depth, agreed


def measure(name):
    with Target(name, 2.0) as target:
        runs = [run(target) for _ in range(RUNS)]
    mine = [r[0] for r in runs]
    theirs = median([r[1] for r in runs])
    samples = sum(r[2] for r in runs)
    longer, shorter, other = (sum(r[4][i] for r in runs) for i in (1, 2, 3))
    show(name + ", warm cache", median(mine), "ns/frame", 20,
         "libunwind with its cache %.0f; %s; %.0f samples, %.1f frames each, %s"
         % (theirs, spread(mine), samples, median([r[3] for r in runs]), load()))
    show(name + ", libunwind to ours", median([r[1] / r[0] for r in runs]), "x", 15,
         at_least=True)
    # A stack on which libunwind stops earlier and agrees until then is no conflict.
    show(name + ", agreement with libunwind", 100 * (1 - (shorter + other) / samples), "%",
         AGREE_LIMIT, "identical %.2f %%, ours longer %.0f, shorter %.0f, different %.0f"
         % (100 - 100 * (longer + shorter + other) / samples, longer, shorter, other),
         at_least=True)


for one in ("deep15", "deep60", "mt8", "python3", "node", "cc1plus"):
    if can_run(one):
        measure(one)
