# A parent that works, a worker from the beginning, and later ones, each of half a second.
import multiprocessing
import os
import threading
import time

parent = os.getpid()


def spin(seconds):
    end = time.time() + seconds
    while time.time() < end and (os.getpid() == parent or os.getppid() == parent):
        for i in range(2000):
            pass


def early_work():
    spin(1e9)


def late_work():
    spin(0.5)


def parent_work():
    spin(1e9)


def keeps_starting():
    while True:
        late = context.Process(target=late_work)
        late.start()
        late.join()


context = multiprocessing.get_context("fork")
context.Process(target=early_work).start()
threading.Thread(target=keeps_starting, daemon=True).start()
print("ready", flush=True)
parent_work()
