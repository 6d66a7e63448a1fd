# execs.py SECONDS PROGRAM ARG...: works so long, then becomes the program.
import os
import sys
import time


def before_exec():
    end = time.time() + float(sys.argv[1])
    while time.time() < end:
        for i in range(1000):
            pass


print("ready", flush=True)
before_exec()
os.execv(sys.argv[2], sys.argv[2:])
