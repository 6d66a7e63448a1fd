"""A small web application: one slow page, one quick one, one that waits."""
import time

from flask import Flask

app = Flask(__name__)


def slow_query():
    total = 0
    for i in range(200000):
        total += i * i
    return total


@app.route("/slow")
def slow_page():
    return str(slow_query())


@app.route("/quick")
def quick_page():
    return "ok"


@app.route("/waits")
def waiting_page():
    time.sleep(0.02)
    return "late"
