"""Frees chains of objects, each of which frees the next: no collection, and a pause all the same.
cascade.py SECONDS; says "done" and the CPU seconds it took.
"""
import gc
import sys
import time


class Node:
    __slots__ = ("next",)


def chain(n):
    head = None
    for _ in range(n):
        one = Node()
        one.next = head
        head = one
    return head


gc.disable()
print("ready", flush=True)
took = 0.0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    held = chain(300000)
    began = time.thread_time()
    held = None
    took += time.thread_time() - began
print("done %.6f" % took, flush=True)
time.sleep(20)
