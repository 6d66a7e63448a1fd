"""The worst case for a reader that does not stop its target: torture.py TURNS

Ten levels of functions, four variants each, that call and return all the time. Variant v of a
level calls only variants v and v + 1 (modulo 4) of the next, so a stack that never was, put
together from two moments, nearly always shows a pair that cannot be. The leaf makes TURNS turns
of an empty loop: 10 last half a microsecond, 1000 about 30.
"""
import sys

LEVELS, VARIANTS = 10, 4
turns = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
text = []
for v in range(VARIANTS):
    text.append("def f%d_%d():\n    for _ in turns:\n        pass\n" % (LEVELS, v))
for level in range(LEVELS - 1, 0, -1):
    for v in range(VARIANTS):
        text.append("def f%d_%d():\n    f%d_%d()\n    f%d_%d()\n" % (
            level, v, level + 1, v, level + 1, (v + 1) % VARIANTS))
exec(compile("\n".join(text), __file__, "exec"))
while True:
    f1_0()
    f1_1()
    f1_2()
    f1_3()
