"""known.py WORK_MS REST_MS: 60/30/10 % of its CPU time in hot60, hot30, hot10; it works that long,
then rests that long. Each writes how much it really took: the last line of its output is
"hot60 hot30 hot10" in CPU seconds.
"""
import sys
import time

work, rest = float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 1e3
took = [0.0, 0.0, 0.0]


def hot60(until):
    while time.thread_time() < until:
        pass


def hot30(until):
    while time.thread_time() < until:
        pass


def hot10(until):
    while time.thread_time() < until:
        pass


def rests():
    time.sleep(rest)


last = time.monotonic()
while True:
    for i, (hot, part) in enumerate(((hot60, 0.6), (hot30, 0.3), (hot10, 0.1))):
        began = time.thread_time()
        hot(began + work * part)
        took[i] += time.thread_time() - began
    if rest:
        rests()
    if time.monotonic() > last + 0.2:
        print("%.6f %.6f %.6f" % tuple(took), flush=True)
        last = time.monotonic()
