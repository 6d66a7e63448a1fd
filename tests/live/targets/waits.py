# Threads that wait: for time, for a lock, and some that never run at all.
import threading
import time

lock = threading.Lock()
never = threading.Event()


def holds_lock():
    while True:
        with lock:
            time.sleep(0.05)  # holds it
        time.sleep(0.001)


def wants_lock():
    while True:
        lock.acquire()  # wants it
        lock.release()
        time.sleep(0.001)


def sleeps():
    while True:
        time.sleep(0.02)  # sleeps


def never_runs():
    never.wait()


for work, name in ((holds_lock, "holder"), (wants_lock, "wanter"), (never_runs, "idle-1"),
                   (never_runs, "idle-2"), (never_runs, "id\u2665le")):
    threading.Thread(target=work, name=name, daemon=True).start()
print("ready", flush=True)
sleeps()
