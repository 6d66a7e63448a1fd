# Keeps an Order a hundredth of a second, each with a list; makes and drops others.
import sys
import time


class Order:
    def __init__(self, i):
        self.tags = [i, CACHE]


CACHE = []


def keep(i):
    CACHE.append(Order(i))
    CACHE.append(bytes(20000))


def handle(i):
    keep(i)
    return len([[k] for k in range(100)])


print("ready")
sys.stdout.flush()
n = 0
while True:
    handle(n)
    n += 1
    time.sleep(0.01)
