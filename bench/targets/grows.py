"""500 MB of objects of many types, and then an Order is kept every 20 ms."""
import time


def kinds(n):
    return [type("Kind%d" % i, (), {}) for i in range(n)]


class Order:
    def __init__(self, i, seen):
        self.number, self.seen = i, seen


KEPT = []
KINDS = kinds(200)
for k in range(2600000):
    KEPT.append([k, KINDS[k % 200]] if k % 3 else {"k": KINDS[k % 200], "n": [k]})
n = 0
while True:
    KEPT.append(Order(n, KEPT))
    n += 1
    time.sleep(0.02)
