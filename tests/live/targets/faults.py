"""Programs that each have one thing wrong, by name; what a diagnosis has to tell apart."""
import gc
import mmap
import os
import socket
import subprocess
import sys
import threading
import time


def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def cpu():
    def hot_loop():
        x = 0
        for i in range(100000):
            x += i * i
        return x
    while True:
        hot_loop()


def lock():
    held = threading.Lock()

    def worker():
        while True:
            with held:
                time.sleep(0.03)
    for _ in range(3):
        threading.Thread(target=worker, daemon=True).start()
    time.sleep(1e6)


def gil():
    def worker():
        x = 0
        while True:
            x += 1
    for _ in range(4):
        threading.Thread(target=worker, daemon=True).start()
    time.sleep(1e6)


def disk():
    """Reads a file, each time from the disk; a megabyte, so that it takes longer than a thread
    waits for a CPU on a busy machine."""
    with open(sys.argv[2], "wb") as f:
        f.write(os.urandom(16 << 20))
        os.fsync(f.fileno())
    fd = os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECT)
    room = mmap.mmap(-1, 1 << 20)
    while True:
        for i in range(16):
            os.preadv(fd, [room], i << 20)


def slow_peer():
    """The other end of wait_socket: answers after a while."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    if os.fork():
        return s.getsockname()
    c, _ = s.accept()
    while c.recv(100):
        time.sleep(0.05)
        c.sendall(b"answer")
    os._exit(0)


def sockets():
    c = socket.create_connection(slow_peer())
    while True:
        c.sendall(b"question")
        c.recv(100)


def child():
    while True:
        subprocess.run(["sleep", "0.2"], check=True)


def collections():
    """Calls of some 15 ms; one in ten is hit by a collection of a large heap."""
    gc.disable()
    heap = [[i] for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1500000)]

    def handle(i):
        burn(0.021)
        if i % 8 == 0:
            gc.collect()
        return heap[0]
    i = 0
    while True:
        i += 1
        handle(i)


def contended():
    """Calls of 25 ms that sometimes wait for a lock that somebody keeps."""
    held = threading.Lock()

    def keeper():
        while True:
            time.sleep(0.15)
            with held:
                time.sleep(0.2)

    def handle(_i):
        time.sleep(0.012)
        with held:
            burn(0.012)
    threading.Thread(target=keeper, daemon=True).start()
    i = 0
    while True:
        i += 1
        handle(i)


def grows():
    kept = []
    while True:
        kept.append(bytearray(8000))
        time.sleep(0.01)


def starts():
    while True:
        for name in [m for m in sys.modules if m.split(".")[0] in ("email", "http", "json",
                                                                 "xml", "asyncio")]:
            del sys.modules[name]
        import asyncio  # noqa: F401 pylint: disable=unused-import
        import email.mime.text  # noqa: F401
        import http.client  # noqa: F401
        import xml.dom.minidom  # noqa: F401


def calm():
    while True:
        burn(0.001)
        time.sleep(0.05)


print("ready", flush=True)
{"cpu": cpu, "lock": lock, "gil": gil, "disk": disk, "socket": sockets, "child": child,
 "collections": collections, "contended": contended, "grows": grows, "starts": starts,
 "calm": calm}[sys.argv[1]]()
