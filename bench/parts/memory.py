"""Resident memory of ptop on node after twenty seconds, at its highest."""
import time

from measure import (PerfRecord, QUICK, Screen, TABLE, Target, can_run, have_perf, load,
                     ptop_screen, show, status_kb)

SECONDS = 6 if QUICK else 20
LIMIT_MB = 30


def of_ptop(target):
    with ptop_screen(target.pid, "-r", 997) as ptop:
        time.sleep(SECONDS)
        ptop.must_live(TABLE)
        return [status_kb(ptop.pid, key) / 1024 for key in ("VmHWM", "VmRSS", "RssAnon")]


def of_peers(target):
    found = []
    with PerfRecord(target.pid) as perf:
        time.sleep(5)
        found.append("perf record %.0f MB" % (status_kb(perf.pid, "VmHWM") / 1024))
    with Screen(["perf", "top", "-F", "999", "-p", str(target.pid), "--stdio"]) as perf:
        time.sleep(5)
        found.append("perf top %.0f MB" % (status_kb(perf.pid, "VmHWM") / 1024))
    return ", ".join(found) + "; "


for name in ("node", "node-map", "deep15"):
    if can_run(name):
        with Target(name, 3.0) as t:
            highest, now, own = of_ptop(t)
            peers = of_peers(t) if have_perf() else ""
        limit = LIMIT_MB if name != "deep15" else None
        show("on %s, at its highest" % name, highest, "MB", limit, peers + load())
        show("on %s, in the end" % name, now, "MB", limit, "%.1f MB of it private" % own)
