"""Percentiles and leak verdicts on values that are known, by bench-model: no target, no clock."""
import os
import subprocess

from measure import BUILD, show

out = subprocess.run([os.path.join(BUILD, "bench", "bench-model")], capture_output=True, text=True,
                     check=True).stdout
lines = {words[0]: [float(w) for w in words[1:]] for words in map(str.split, out.splitlines())}
error, size, ns = lines.pop("percentiles")
show("percentiles, worst of 9 on 5 shapes", error, "% off", 1.6, "a million values each, %.1f ns a "
     "value" % ns)
show("bytes of a series' histogram", size, "bytes", 5120)
for name, (growing, runs, off) in lines.items():
    leaks = name.startswith("leak")
    show(("leak not seen: " if leaks else "taken for a leak: ") + name,
         runs - growing if leaks else growing, "of %d" % runs, 0,
         "slope at most %.1f %% off" % off if leaks else "")
