"""known.py WORK_MS REST_MS: 60/30/10 % of its CPU time in hot60, hot30, hot10; it works that long,
then rests that long. Each writes how much it really took: the last line of its output is
"hot60 hot30 hot10 all" in CPU seconds. They do so much work each, whatever time that takes: one that
worked up to a time would take in what a sample's interrupt takes, and be met the less.
"""
import sys
import time

work, rest = float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 1e3
took = [0.0, 0.0, 0.0]


def hot60(turns):
    for _ in range(turns):
        pass


def hot30(turns):
    for _ in range(turns):
        pass


def hot10(turns):
    for _ in range(turns):
        pass


def rests():
    time.sleep(rest)


def turns_a_second():
    began = time.thread_time()
    hot60(1000000)
    return 1000000 / (time.thread_time() - began)


rate = max(turns_a_second() for _ in range(5))
start = time.thread_time()
last = time.monotonic()
while True:
    for i, (hot, part) in enumerate(((hot60, 0.6), (hot30, 0.3), (hot10, 0.1))):
        began = time.thread_time()
        hot(int(work * part * rate))
        took[i] += time.thread_time() - began
    if rest:
        rests()
    if time.monotonic() > last + 0.2:
        print("%.6f %.6f %.6f %.6f" % (*took, time.thread_time() - start), flush=True)
        last = time.monotonic()
