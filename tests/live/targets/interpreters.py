"""Four interpreters in one process, each running a function of its own in a thread."""
import threading
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

SOURCE = """
def in_%d():
    for _ in range(100000):
        pass

def forever_%d():
    while True:
        in_%d()

forever_%d()
"""


def run(n):
    interpreter = interpreters.create()
    interpreters.run_string(interpreter, SOURCE % (n, n, n, n))


for n in range(4):
    threading.Thread(target=run, args=(n,), name="runs_%d" % n, daemon=True).start()
time.sleep(0.3)
print("ready", flush=True)
time.sleep(1e6)
