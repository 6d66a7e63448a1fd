"""python3 work.py [FILE]: a service's Python (json, re, sorting, hashing, recursion), for ever.

Much of it runs in C frames of the interpreter and its modules. FILE gets its progress.
"""
import hashlib
import json
import os
import re
import sys
import time

LINE = re.compile(r"(\w+)=(\d+)")


def fold(depth, n):
    if depth == 0:
        return sum(i * i % 7 for i in range(n))
    return fold(depth - 1, n) + 1


def parse(n):
    text = json.dumps([{"id": i, "name": "user %d" % i, "tags": ["a", "b"]} for i in range(n)])
    return len(json.loads(text))


def order(n):
    words = ["key%d=%d" % (i * 7919 % n, i) for i in range(n)]
    words.sort(key=lambda w: LINE.match(w).group(2))
    return len(words)


def digest(n):
    state = hashlib.sha256()
    for i in range(n):
        state.update(b"%d" % i)
    return state.digest()[0]


def tell(fd, work):
    if fd != -1:
        os.pwrite(fd, b"%020d %020d \n" % (time.process_time_ns(), work), 0)


def main():
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600) if len(sys.argv) > 1 else -1
    work = 0
    while True:
        for _ in range(5):
            fold(12, 300)
            parse(30)
            order(150)
            digest(200)
            work += 1
        tell(fd, work)


main()
