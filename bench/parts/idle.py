"""A hundred mostly idle threads, every one looked at 100 times a second (wall mode).

20 of them wake every 100 ms; the others wait in calls that end with EINTR when a tracer
stops their thread, and count it. The peer is one look at all of them by eu-stack, which
stops every thread, times a hundred.
"""
import resource
import shutil
import subprocess
import time

from measure import QUICK, TABLE, Target, load, median, ptop_screen, show, spread, used

RUNS = 1 if QUICK else 5
SECONDS = 5 if QUICK else 10
LIMIT = 1.3


def of_ptop(target, *options):
    with ptop_screen(target.pid, "-m", "wall", "-r", 100, *options) as ptop:
        time.sleep(3)
        (own,), took = used([ptop.pid], SECONDS)
        ptop.must_live(TABLE)
    return 100 * own / took


def interrupted(target):
    time.sleep(1.5)  # it tells once a second
    return target.told()[2]


def one_look_ms(target):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["eu-stack", "-p", str(target.pid)], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


with Target("idle", 2.0) as idle:
    costs = {(): [], ("-i",): []}
    for _ in range(RUNS):
        for options, values in costs.items():
            values.append(of_ptop(idle, *options))
    eintr = interrupted(idle)
    peer = ""
    if shutil.which("eu-stack"):
        look = one_look_ms(idle)
        peer = "one look by eu-stack %.0f ms CPU, %d EINTR: x%.4f of 100 a second; " % (
            look, interrupted(idle) - eintr, median(costs[()]) / (look * 10))
    for options, values in costs.items():
        show("101 threads at 100 Hz" + "".join(" " + o for o in options), median(values),
             "% of core", LIMIT, "%s%s, %s" % (peer, spread(values), load()))
        peer = ""
    show("calls that ended with EINTR", eintr, "calls", 0)
