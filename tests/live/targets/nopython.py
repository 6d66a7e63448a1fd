"""A thread that is in no Python function, beside one that is."""
import _thread
import threading
import time

_thread.start_new_thread(time.sleep, (3600,))
time.sleep(0.2)
print("ready", flush=True)
threading.Event().wait()
