"""See probed.h: four greenlets that switch in the middle of each call. probed.py LIBRARY N"""
import ctypes
import sys

import greenlet

lib = ctypes.CDLL(sys.argv[1])
n = int(sys.argv[2])
main = greenlet.getcurrent()


@ctypes.CFUNCTYPE(None)
def middle():
    main.switch()


def calls():
    while n == 0 or lib.timed_made() < n:
        lib.timed_call(n)


ctypes.c_void_p.in_dll(lib, "probed_middle").value = ctypes.cast(middle, ctypes.c_void_p).value
lib.timed_begin(n)
workers = [greenlet.greenlet(calls) for _ in range(4)]
while not all(w.dead for w in workers):
    for w in workers:
        if not w.dead:
            w.switch()
lib.timed_end()
