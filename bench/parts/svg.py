"""A generated folded file of 100,000 different stacks to SVG, by bench-svg."""
import os
import re
import subprocess

from measure import BUILD, fail, load, show

LIMIT_S = 0.25
LIMIT_BOXES = 10000

out = subprocess.run([os.path.join(BUILD, "bench", "bench-svg")], capture_output=True, text=True,
                     check=False)
cases = re.findall(r"^(\w+) .*?CPU ([\d.]+) s = (.*?) \(.*?(\d+) boxes, (\d+) bytes.*?"
                   r"ratio (\d+)x", out.stdout, re.S | re.M)
if out.returncode != 0 or not cases:
    fail("bench-svg says:\n" + out.stdout + out.stderr)
for order, cpu, parts, boxes, size, ratio in cases:
    show("100,000 stacks, " + order, float(cpu), "s CPU", LIMIT_S,
         "%s; %s MB; flamegraph.pl measured elsewhere: x1/%s; %s"
         % (parts, round(int(size) / 1e6, 1), ratio, load()))
show("boxes drawn", max(int(c[3]) for c in cases), "boxes", LIMIT_BOXES)
