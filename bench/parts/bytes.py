"""Bytes a second to the terminal at 1 Hz, once the screen is drawn."""
import shutil
import time

from measure import QUICK, Screen, TABLE, Target, can_run, load, ptop_screen, show

SECONDS = 8 if QUICK else 20
WARM = 5 if QUICK else 10
LIMITS = {(80, 24): 800, (160, 50): 2500}
PEERS = {
    "top": lambda pid: ["top", "-d", "1"],
    "htop": lambda pid: ["htop", "-d", "10"],
    "perf": lambda pid: ["perf", "top", "-p", str(pid), "-d", "1"],
}


def rate(screen):
    time.sleep(WARM)
    before = screen.bytes()
    time.sleep(SECONDS)
    return (screen.bytes() - before) / SECONDS


def of_peers(pid, columns, rows):
    found = []
    for name, command in PEERS.items():
        if not shutil.which(name):
            continue
        with Screen(command(pid), columns, rows) as s:
            found.append((name if name != "perf" else "perf top", rate(s)))
    return found


for target in ("node", "python3", "mt8"):
    if not can_run(target):
        continue
    with Target(target, 2.0) as t:
        for (w, h), limit in LIMITS.items():
            with ptop_screen(t.pid, columns=w, rows=h) as ptop:
                mine = rate(ptop)
                ptop.must_live(TABLE)
            note = ", ".join("%s %.0f: x%.2f" % (n, b, mine / b)
                             for n, b in of_peers(t.pid, w, h) if b > 0) if target == "node" else ""
            show("on %s, %dx%d" % (target, w, h), mine, "bytes/s", limit,
                 note + ("; " if note else "") + load())
