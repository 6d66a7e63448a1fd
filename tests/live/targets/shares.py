# Three functions of 60, 30 and 10 % of the loop turns, in an order without a period.
#	shares.py [SECONDS [threads]]	threads: two of them do it, bound by one lock of the interpreter
import random
import sys
import threading
import time


def hot60():
    x = 0
    for i in range(60000):
        x += i
    return x


def hot30():
    x = 0
    for i in range(30000):
        x += i
    return x


def hot10():
    x = 0
    for i in range(10000):
        x += i
    return x


class Service:
    def run(self, seconds):
        order = [hot60, hot30, hot10]
        end = time.time() + seconds
        while time.time() < end:
            random.shuffle(order)
            for work in order:
                work()  # called here


def first_spinner():
    while True:
        hot60()


def second_spinner():
    while True:
        hot60()


seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1e9
if len(sys.argv) > 2:
    threading.Thread(target=first_spinner, name="first", daemon=True).start()
    threading.Thread(target=second_spinner, name="second", daemon=True).start()
    print("ready", flush=True)
    time.sleep(seconds)
print("ready", flush=True)
Service().run(seconds)
