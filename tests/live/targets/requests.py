"""A thread for each request, as http.server's ThreadingHTTPServer has them: each lives six
milliseconds of CPU time, two in each of three functions."""
import threading
import time


def spin(milliseconds):
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass


def first():
    spin(2)


def second():
    spin(2)


def third():
    spin(2)


def request():
    first()
    second()
    third()


print("ready", flush=True)
while True:
    thread = threading.Thread(target=request)
    thread.start()
    thread.join()
    time.sleep(0.002)
