"""Code that is made, called once and freed, again and again: what is made at an address is not what
was there a moment before. Functions called odd_ call odd only, and even_ even."""
import sys

SOURCE = """
def %s_%d():
    %s()
%s_%d()
"""


def spin():
    for _ in range(30000):
        pass


def odd():
    spin()


def even():
    spin()


print("ready", flush=True)
n = 0
while True:
    n += 1
    name = "odd" if n % 2 else "even"
    exec(compile(SOURCE % (name, n % 1000, name, name, n % 1000), "<%d>" % n, "exec"))
