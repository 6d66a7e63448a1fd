"""Stacks that reach their outermost frame, of all samples, as ptop itself counts them."""
from measure import QUICK, Target, batch, can_run, load, show

SECONDS = 5 if QUICK else 15
LIMITS = {"deep15": 99.9, "deep60": 99.9, "mt8": 99.9, "rust": 99.9, "python3": 99.9,
          "cc1plus": 99.9, "node": 99.0, "node-map": 99.0}


def measure(name, limit):
    with Target(name, 2.0) as target:
        t = batch(target.pid, SECONDS, "-r", 997)
    lost = t["lost"]
    bad = lost["stack_truncated"] + lost["stack_broken"]
    others = ", ".join("%s %d" % (k, v) for k, v in lost.items() if v)
    show(name, 100 * (1 - bad / max(t["samples"], 1)), "%", limit,
         "%d samples, effective %.1f %%, backend %s; lost: %s; %s"
         % (t["samples"], t["effective_pct"], t["backend"], others or "nothing", load()),
         at_least=True)


for one, least in LIMITS.items():
    if can_run(one):
        measure(one, least)
