# deep.py DEPTH: so many frames of one function, and at their end one that works.
import sys
import threading


def innermost():
    print("ready", flush=True)
    x = 0
    while True:
        x += 1


def descend(n):
    if n > 1:
        descend(n - 1)
    else:
        innermost()


def outermost():
    descend(int(sys.argv[1]))


if int(sys.argv[1]) > 900:
    sys.setrecursionlimit(int(sys.argv[1]) + 200)
    threading.stack_size(256 << 20)
    thread = threading.Thread(target=outermost, name="deep", daemon=True)
    thread.start()
    thread.join()
outermost()
