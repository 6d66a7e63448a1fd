"""A program of known shares: by how many points the worst of three functions is off.

Known twice: it is written for 60, 30 and 10 %, and it measures itself what they used.
"""
import os
import shutil
import subprocess

from measure import QUICK, WORK, Target, batch, load, show

SECONDS = 10 if QUICK else 20
NAMES = ("share_60", "share_30", "share_10")
LIMIT = 2.0


def truth(before, after):
    used = [b - a for a, b in zip(before[2:5], after[2:5])]
    return [100 * u / max(sum(used), 1) for u in used]


def by_ptop(target):
    before = target.told()
    t = batch(target.pid, SECONDS, "-r", 997, "-w", 0)
    rows = {f["name"]: f["total_pct"] for f in t["functions"]}
    return [rows.get(n, 0) for n in NAMES], truth(before, target.told())


def by_perf(target):
    """The same of perf: its own share of each function, without callers."""
    data = os.path.join(WORK, "perf.data")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    subprocess.run(["perf", "record", "-q", "-N", "-F", "999", "-p", str(target.pid), "-o", data,
                    "--", "sleep", str(SECONDS)], **quiet)
    out = subprocess.run(["perf", "report", "-i", data, "--stdio", "-q", "--sort", "symbol"],
                         capture_output=True, text=True, check=False).stdout
    os.unlink(data)
    shares = {}
    for line in out.splitlines():
        words = line.split()
        shares.update((n, float(words[0].rstrip("%"))) for n in NAMES if n in words)
    return [shares.get(n, 0) for n in NAMES]


def off(seen, real):
    return max(abs(s - r) for s, r in zip(seen, real))


with Target("shares") as shares_target:
    seen, real = by_ptop(shares_target)
    note = "seen %s; it measured %s; %s" % (
        "/".join("%.1f" % s for s in seen), "/".join("%.1f" % r for r in real), load())
    if shutil.which("perf"):
        note = "perf record %.2f; %s" % (off(by_perf(shares_target), (60, 30, 10)), note)
    show("from 60/30/10", off(seen, (60, 30, 10)), "points", LIMIT, note)
    show("from what the program measured", off(seen, real), "points", LIMIT)
