"""C called from Python, and Python from C: f and g take turns, tens of microseconds each, and
each calls a C library of its own; sorted calls key_work back."""
import hashlib
import sys
import threading
import zlib

SMALL = bytes(range(256)) * 32
LARGE = SMALL * 4


def calls_crc():
    return zlib.crc32(LARGE)


def calls_md5():
    return hashlib.md5(SMALL).digest()


def key_work(x):
    return -x


def calls_sorted():
    return sorted(range(2000), key=key_work)


def take_turns():
    while True:
        for _ in range(50):
            calls_crc()
            calls_md5()
        calls_sorted()


def waits_in_c():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


threading.Thread(target=waits_in_c, name="waiter", daemon=True).start()
print("ready", flush=True)
take_turns()
