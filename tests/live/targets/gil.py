"""Who holds the lock: two spinners; one that hashes without it; or, with the word keeps, a thread
that sleeps half of its time with the lock (PyDLL does not release it) and half without."""
import ctypes
import hashlib
import sys
import threading
import time

DATA = bytes(1 << 20)


def first_spinner():
    while True:
        for _ in range(1000):
            pass


def second_spinner():
    while True:
        for _ in range(1000):
            pass


def hashes():
    while True:
        hashlib.sha256(DATA).digest()


def keeps():
    libc = ctypes.PyDLL(None)
    while True:
        libc.usleep(20000)
        time.sleep(0.02)


work = [keeps] if sys.argv[1:] == ["keeps"] else [first_spinner, second_spinner, hashes]
for f in work:
    threading.Thread(target=f, name=f.__name__, daemon=True).start()
print("ready", flush=True)
time.sleep(3600)
