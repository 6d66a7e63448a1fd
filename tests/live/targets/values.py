"""Variables of simple types, and some that are not; one thread that sleeps in them."""
import time


class Order:
    def __repr__(self):
        raise RuntimeError("nobody may call this")


def inner(number, negative, big, text, *rest, keyword=None, **more):
    flag, nothing, ratio = True, None, 0.25
    data = b"a\x00b" * 100
    items, pair, table, some = list(range(1000)), (1, "two"), {"k": 1, 2: [3]}, {1, 2, 3}
    order, long_text, unicode_text = Order(), "x" * 100000, "größe\x1b[31m"
    nested = [[1, [2]], {"a": {}}]
    captured = 42

    def uses():
        return captured

    time.sleep(3600)
    return (flag, nothing, ratio, data, items, pair, table, some, order, long_text,
            unicode_text, nested, uses, number, negative, big, text, rest, keyword, more)


def outer():
    depth = 1
    inner(7, -12345678901, 1 << 200, "hello", 1, 2, keyword="kw", extra=1.5)
    return depth


print("ready", flush=True)
outer()
