# 200 ms of processor time from its first line on, then another function for the rest of 3 s.
import time


def first_work():
    while time.process_time() - began < 0.2:
        for i in range(1000):
            pass


def second_work():
    end = time.time() + 3
    while time.time() < end:
        for i in range(1000):
            pass


began = time.process_time()
first_work()
second_work()
