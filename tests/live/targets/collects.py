"""Garbage with reference cycles between two quiet times, and what gc.callbacks saw of every collection.

collects.py QUIET_S BUSY_S LOG [HEAP [REST_MS]]: to LOG goes "GENERATION START_NS STOP_NS COLLECTED" for
each, CLOCK_MONOTONIC; HEAP containers live all the time and make a collection of everything last.
"""
import gc
import sys
import time

heap = int(sys.argv[4]) if len(sys.argv) > 4 else 150000
rest = float(sys.argv[5]) / 1000 if len(sys.argv) > 5 else 0.002
began = 0
lines = []


def told(phase, info):
    global began
    if phase == "start":
        began = time.monotonic_ns()
    else:
        lines.append((info["generation"], began, time.monotonic_ns(), info["collected"]))


class Node:
    def __init__(self):
        self.me = self


def churn(n):
    for _ in range(n):
        Node()


def all_of_it():
    gc.collect()


kept = [[i] for i in range(heap)]
gc.collect()
gc.callbacks.append(told)
print("ready", flush=True)
time.sleep(float(sys.argv[1]))
end = time.monotonic() + float(sys.argv[2])
turn = 0
while time.monotonic() < end:
    churn(100)
    turn += 1
    if turn % 60 == 0:
        all_of_it()
    time.sleep(rest)
gc.callbacks.clear()
with open(sys.argv[3], "w") as log:
    log.write("".join("%d %d %d %d\n" % line for line in lines))
print("done", flush=True)
time.sleep(20)
