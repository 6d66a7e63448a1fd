"""A target that does little but switch: CPU time of a switch with ptop and without.

In turns as in cost.py. ptop has two seconds to notice what the target is and to change from
timers of the threads to timers of the CPUs.
"""
import cost
from measure import QUICK, Target, have_perf, load, median, show, spread

LIMIT = 1.08
TURNS = 5 if QUICK else 7

cost.SETTLE = 2.0
looks = {"997 Hz": lambda t: cost.with_ptop(t, 997), "99 Hz": lambda t: cost.with_ptop(t, 99)}
if have_perf():
    looks["perf"] = cost.with_perf
with Target("pingpong") as pingpong:
    before = pingpong.told()
    ratios = cost.in_turns(pingpong, looks, TURNS)
    after = pingpong.told()
us = 1e6 * (after[0] - before[0]) / (after[1] - before[1])
for name in ("997 Hz", "99 Hz"):
    note = "%s; %.2f us CPU a switch on average, %s" % (spread(ratios[name]), us, load())
    if "perf" in ratios:
        note = "perf record at 999 Hz x%.2f; %s" % (median(ratios["perf"]), note)
    show("cost of a switch, " + name, median(ratios[name]), "x", LIMIT, note)
