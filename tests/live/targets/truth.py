# Threads that wait in odd places of odd code, and what Python itself says of their stacks: one line
# of JSON a thread, innermost frame first, then "ready".
import asyncio
import json
import random
import sys
import threading
import time

forever = threading.Event()


def plain():
    forever.wait()


def many_lines():
    return dict(
        first=1,
        second=[
            2,
            forever
            .wait(
            ),
        ],
        third=3,
    )


def in_comprehension():
    return [
        forever.wait()
        for i in range(3)
    ]


def in_lambda():
    hold = lambda: (
        forever.wait())
    hold()


class Thing:
    @staticmethod
    def static():
        forever.wait()

    @property
    def attribute(self):
        def within():
            return self.static()
        return within()


def in_class_body():
    class Body:
        value = forever.wait()


def in_property():
    return Thing().attribute


def of_sort():
    def key(one):
        forever.wait()
        return one
    return sorted([3, 1, 2],
                  key=key)


def generator():
    yield 1
    yield from (forever.wait() for i in range(2))


def in_generator():
    for i in generator():
        pass


def in_handler():
    try:
        raise ValueError
    except ValueError:
        try:
            raise KeyError
        finally:
            with threading.Lock():
                forever.wait()


def in_coroutine():
    async def inner():
        forever.wait()

    async def outer():
        await inner()

    async def values():
        yield 1
        await outer()

    async def all_of_them():
        async for i in values():
            pass
    asyncio.run(all_of_them())


def far_lines(seed):
    """Code whose lines jump by more than a line table's entry holds."""
    rng = random.Random(seed)
    text = ["def jumps(wait):", " x = 0"]
    for i in range(300):
        text.append("\n" * rng.choice([0, 0, 1, 5, 126, 127, 128, 129, 255, 300, 33000]))
        text.append(" x += %d%s" % (i, " + 0" * rng.choice([0, 1, 40, 130])))
        if i == 200:
            text.append(" (x +" + "\n" * rng.choice([1, 130, 40000]) + "1," + "\n" * 3 + "wait())")
    space = {}
    exec(compile("\n".join(text), "/made/up-%d.py" % seed, "exec"), space)
    return lambda: space["jumps"](forever.wait)


def threads():
    works = [plain, many_lines, in_comprehension, in_lambda, in_class_body, in_property,
             of_sort, in_generator, in_handler, in_coroutine]
    works += [far_lines(seed) for seed in range(6)]
    for n, work in enumerate(works):
        name = "th\u00ef-%d" % n if n % 2 else None
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        yield thread
    yield threading.main_thread()


def stack(frame):
    while frame:
        code = frame.f_code
        yield [getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno]
        frame = frame.f_back


def tell():
    time.sleep(0.25)
    frames = sys._current_frames()
    for thread in everyone:
        print(json.dumps({"tid": thread.native_id, "name": thread.name,
                          "frames": list(stack(frames[thread.ident]))}))
    print("ready", flush=True)
    while True:
        time.sleep(100)


everyone = list(threads())
threading.Thread(target=tell, daemon=True).start()
forever.wait()
