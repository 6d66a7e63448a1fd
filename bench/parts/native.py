"""--native and mode gil: how many samples of programs that spend their time in C are merged, how
many C functions stand below a Python function that did not call them, and shares of the GIL that
are known.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

from measure import HERE, ONLY, PTOP, QUICK, load, median, show, spread, start, stop

import time

RUNS = 1 if QUICK else 3
SECONDS = 5 if QUICK else 10
TARGETS = os.path.join(HERE, "..", "tests", "live", "targets")
SQLITE = """
import sqlite3
db = sqlite3.connect(":memory:")
db.execute("create table t(a integer primary key, b text, c real)")
db.executemany("insert into t values(?,?,?)", ((i, "x%d" % (i % 97), i * .5) for i in range(20000)))
def point():
    for i in range(50):
        db.execute("select b from t where a=?", (i * 37 % 20000,)).fetchone()
def scan():
    return db.execute("select b, sum(c) from t group by b order by 2").fetchall()
while True:
    scan()
    for _ in range(20):
        point()
"""
NUMPY = """
import numpy as np
a, v = np.random.rand(300, 300), np.random.rand(100000)
def matmul(): return a @ a
def sort(): return np.sort(v)
def small():
    x = np.arange(100)
    for _ in range(200):
        x = x + 1
while True:
    matmul(); sort(); small()
"""


def pythons():
    found = ["/usr/bin/python3"] + glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3"))
    for path in found:
        try:
            said = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                                  capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            continue
        if 8 <= int(said.split(".")[1]) <= 13:
            yield said, path


def stacks(argv, rate=499):
    """Folded stacks of a program: a list of (frames, samples)."""
    target = start(argv)
    try:
        time.sleep(1)
        with tempfile.NamedTemporaryFile(suffix=".folded") as out:
            subprocess.run([PTOP, "record", "-q", "-F", "--native", "-r", str(rate), "-d",
                            str(SECONDS), "-p", str(target.pid), "-o", out.name], check=True)
            lines = open(out.name, encoding="utf-8").read().splitlines()
    finally:
        stop(target)
    return [(s.split(";"), int(n)) for s, n in (line.rsplit(" ", 1) for line in lines)]


def accepted():
    for name, code in (("sqlite3", SQLITE), ("numpy", NUMPY)):
        for version, path in pythons():
            if subprocess.run([path, "-c", "import " + name], capture_output=True).returncode:
                continue
            values = []
            for _ in range(RUNS):
                all_of = stacks([path, "-c", code])
                total = sum(n for _, n in all_of)
                values.append(100 * sum(n for f, n in all_of if "[python?]" not in f) / total)
            show("merged, %s, CPython %s" % (name, version), median(values), "% of samples", 95,
                 "%s; %s" % (spread(values), load()), at_least=True)


def pairs():
    """calls_crc calls zlib alone, calls_md5 OpenSSL alone; they take turns every 20 us."""
    for version, path in pythons():
        right = wrong = 0
        for frames, n in stacks([path, os.path.join(TARGETS, "native.py")], 997):
            crc = any("crc32" in f or "libz" in f for f in frames)
            md5 = any("md5" in f.lower() or "libcrypto" in f for f in frames
                      if not f.startswith("calls_"))
            if "calls_crc" in frames or "calls_md5" in frames:
                bad = ("calls_crc" in frames and md5) or ("calls_md5" in frames and crc)
                wrong += n if bad else 0
                right += n if (crc or md5) and not bad else 0
        show("wrong callers, CPython %s" % version, 100 * wrong / max(1, right + wrong),
             "% of pairs", 0.2, "%d pairs; %s" % (right + wrong, load()))


def gil():
    for words, of, want in (([], "spinner", 100), (["keeps"], "keeps", 50)):
        target = start([sys.executable, os.path.join(TARGETS, "gil.py")] + words)
        try:
            time.sleep(1)
            out = subprocess.run([PTOP, "top", "-b", "-j", "-N", "1", "-d", str(SECONDS), "-w", "0",
                                  "-m", "gil", "-p", str(target.pid)], capture_output=True,
                                 text=True, check=True, stdin=subprocess.DEVNULL)
        finally:
            stop(target)
        picture = json.loads(out.stdout.splitlines()[-1])
        held = sum(f["self_pct"] for f in picture["functions"] if of in f["name"])
        show("GIL held by %s" % of, held, "% of time", 100.1 if want == 100 else None,
             "should be %s%d; %s" % ("at most " if want == 100 else "", want, load()))


# -t accepted,pairs,gil: only these
for part in (accepted, pairs, gil):
    if not ONLY or part.__name__ in ONLY:
        part()
