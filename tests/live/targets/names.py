# Names and files of code that no source could have: control characters, line ends, separators,
# lone surrogates, 100 MB.
import sys
import time


def body(n):
    x = 0
    for i in range(n):
        x += i
    return x


evil = [
    "\x1b[31mred\x07", "new\nline 7", "semi;colon", 'quo"te<&>\'', "tab\tbed\r", "nul\0nul",
    "gr\u00f6\u00dfe_\u6570", "\U0001f40d", "lone\ud800", "\u202eright", "\x9b2Jcsi", "", " ",
    "x" * 100000000,
]
made = []
for name in evil:
    code = body.__code__.replace(co_name=name, co_filename="/f/" + name[:5000] + ".py")
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=name)
    made.append(type(body)(code, globals()))
space = {}
exec("def gr\u00fcn_\u00e9t\u00e9():\n return body(20000)\n", {"body": body}, space)
made.append(space["gr\u00fcn_\u00e9t\u00e9"])
print("ready", flush=True)
while True:
    for work in made:
        if work.__code__.co_argcount:
            work(20000)
        else:
            work()
