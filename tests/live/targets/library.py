"""Run from a folder that looks like an installation and is none: its own work, the standard
library's, and that of an installed package."""
import os
import sys
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "site-packages"))
import package  # noqa: E402

TEXT = "some words " * 40


def own_work():
    n = 0
    for i in range(3000):
        n += i
    return n


print("ready", flush=True)
while True:
    own_work()
    textwrap.wrap(TEXT, 40)
    package.package_work()
