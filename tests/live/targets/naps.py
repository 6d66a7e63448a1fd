# A thread that works for some milliseconds and sleeps for longer, again and again: where it works
# is where its CPU time goes, although it is mostly found asleep. NAPPERS threads of them.
import sys
import threading
import time


def works(n):
    return sum(i * i % 7 for i in range(n))


def naps():
    time.sleep(0.008)


def nap_and_work(n):
    while True:
        works(n)
        naps()


def turns():
    at, n = time.thread_time(), 1000
    works(n)
    return max(int(n * 0.004 / max(time.thread_time() - at, 1e-6)), 10)


N = turns()
for _ in range(int(sys.argv[1]) - 1):
    threading.Thread(target=nap_and_work, args=(N,), daemon=True).start()
print("ready", flush=True)
nap_and_work(N)
