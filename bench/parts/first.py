"""The first picture on node: from exec() until a table with a row is on the terminal.

Wall time of a program that needs a core for it: the best of several is the figure, the median
stands beside it, and the CPU time ptop used until then.
"""
import re

from measure import QUICK, Screen, Target, can_run, cpu_ns, load, median, ptop_screen, show, spread

RUNS = 5 if QUICK else 11
LIMIT_MS = 300
ROW = re.compile(rb"TOTAL%.*\d\.\d", re.S)
NAMED = re.compile(rb"TOTAL%.*(v8::|Builtins_|node::|uv_|napi_)", re.S)
# perf top's first table; it writes an empty heading before.
PERF_ROW = re.compile(rb"\d\.\d\d%.*\[", re.S)


def first(pid):
    with ptop_screen(pid) as ptop:
        row = ptop.wait_for(ROW)
        cpu = cpu_ns(ptop.pid) / 1e6
        named = ptop.wait_for(NAMED, 5)
    return row, named, cpu


def of_perf_top(pid):
    argv = ["perf", "top", "-F", "999", "-p", str(pid), "--stdio", "-d", "1"]
    with Screen(argv) as perf:
        return perf.wait_for(PERF_ROW, 15)


if can_run("node"):
    with Target("node", 3.0) as node:
        seen = [first(node.pid) for _ in range(RUNS)]
        perf_top = of_perf_top(node.pid)
    rows = [1e3 * s[0] for s in seen if s[0] is not None]
    names = [1e3 * s[1] for s in seen if s[1] is not None]
    note = "perf top -d 1 %.0f ms; " % (1e3 * perf_top) if perf_top else ""
    if rows:
        show("first table on node", min(rows), "ms", LIMIT_MS,
             "%smedian %.0f, %s, CPU %.0f ms, %s" % (note, median(rows), spread(rows),
                                                   median([s[2] for s in seen]), load()))
    else:
        show("first table on node", float("inf"), "ms", LIMIT_MS, "no table")
    if names:
        show("first table with names on node", min(names), "ms", None,
             "median %.0f, %s" % (median(names), spread(names)))
