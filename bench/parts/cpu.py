"""CPU of ptop with its live screen, 80x24 at 1 Hz, in a steady state, against perf record.

"Per busy core": ptop's CPU seconds divided by the target's in the same seconds. On a machine
that gives the target less than it asks for, samples and both costs shrink alike.
"""
import time

from measure import (PerfRecord, QUICK, Screen, TABLE, Target, can_run, cpu_by_thread, cpu_ns,
                     have_perf, load, median, ptop_screen, show, spread,
                     status_kb, used)

RUNS = 1 if QUICK else 3
SECONDS = 5 if QUICK else 10
WARM = 3 if QUICK else 4
WINDOW = 60  # seconds, ptop's default
LIMITS = {  # of each target: percent at 997 and at 9973 Hz
    "deep15": (0.7, 2.5),
    "deep60": (0.7, 2.5),
    "mt8": (0.7, 2.5),
    "python3": (0.7, 2.5),
    "cc1plus": (0.7, 2.5),
    "node": (1.0, 4.0),
    "node-map": (1.0, 4.0),
}
PEER_LIMIT = 0.25




class Cost:
    """CPU seconds of a tool to those of the target: in ten steady seconds, and from its start
    to its end."""

    def __init__(self, open_tool, target, warm):
        from_start = cpu_ns(target.pid)
        with open_tool(target.pid) as tool:
            time.sleep(warm)
            before = cpu_by_thread(tool.pid)
            (own, its), took = used([tool.pid, target.pid], SECONDS)
            after = cpu_by_thread(tool.pid)
            if isinstance(tool, Screen):
                tool.must_live(TABLE)
            self.rss_mb = status_kb(tool.pid, "VmHWM") / 1024
            whole_target_s = (cpu_ns(target.pid) - from_start) / 1e9
        its = max(its, 1e-3)
        self.steady = 100 * own / its
        self.of_clock = 100 * own / took
        self.by_thread = {n: (after[n] - before.get(n, 0)) / its / 1e7 for n in after}
        self.whole = 100 * tool.whole_s / max(whole_target_s, 1e-3)
        self.script = 100 * getattr(tool, "script_s", 0) / max(whole_target_s, 1e-3)
        self.busy = 100 * its / took


def of(costs, figure):
    return [getattr(c, figure) for c in costs]


def threads(costs):
    """Which thread of ptop used how much of it."""
    names = sorted({n for c in costs for n in c.by_thread})
    return ", ".join("%s %.2f" % (n.replace("ptop-", "").replace("ptop", "screen"),
                                  median([c.by_thread.get(n, 0) for c in costs])) for n in names)


def measure(name):
    at = {997: [], 9973: []}
    peer = []
    for _ in range(RUNS):
        with Target(name, 2.0) as target:
            for rate, costs in at.items():
                costs.append(Cost(lambda pid, r=rate: ptop_screen(pid, "-r", r, "--native-only"), target, WARM))
            if have_perf():
                last = len(peer) == RUNS - 1 and not QUICK
                peer.append(Cost(lambda pid, s=last: PerfRecord(pid, s), target, WARM))
    for rate, limit in zip(at, LIMITS[name]):
        show("%s, %d Hz" % (name, rate), median(of(at[rate], "steady")), "% of core", limit,
             "%s; %s; %.2f %% by the clock, target at %.0f %% of a core, %s"
             % (spread(of(at[rate], "steady")), threads(at[rate]),
                median(of(at[rate], "of_clock")), median(of(at[rate], "busy")), load()))
    if peer:
        compare(name, at[997], peer)


def full_window(name):
    """The same at 997 Hz when the minute that the screen sums up every second is full."""
    with Target(name, 2.0) as target:
        cost = Cost(lambda pid: ptop_screen(pid, "-r", 997, "--native-only"), target, WINDOW + 2)
    show("%s, 997 Hz, after a minute" % name, cost.steady, "% of core", LIMITS[name][0],
         "%s; target at %.0f %% of a core, %s" % (threads([cost]), cost.busy, load()))


def compare(name, mine, its):
    """perf's whole run is what a user pays for; the other two say where that goes."""
    m = {f: median(of(mine, f)) for f in ("steady", "whole", "rss_mb")}
    i = {f: median(of(its, f)) for f in ("steady", "whole", "rss_mb")}
    i["script"] = its[-1].script
    show("%s, steady to perf record" % name, m["steady"] / i["whole"], "x", PEER_LIMIT,
         "ptop %.2f, perf record %.2f %% of a core over its run; RSS %.0f and %.0f MB"
         % (m["steady"], i["whole"], m["rss_mb"], i["rss_mb"]))
    show("%s, steady to steady" % name, m["steady"] / i["steady"], "x", None,
         "perf record %.2f %% of a core while it only writes" % i["steady"])
    with_names = "" if not i["script"] else ", x%.2f to perf record and script" % (
        m["whole"] / (i["whole"] + i["script"]))
    show("%s, whole run to whole run" % name, m["whole"] / i["whole"], "x", None,
         "ptop %.2f with reading all names%s" % (m["whole"], with_names))


for one in LIMITS:
    if can_run(one):
        measure(one)
        if not QUICK:
            full_window(one)
