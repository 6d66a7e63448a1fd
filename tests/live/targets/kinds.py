# Work in every kind of frame: generators, coroutines, functions called back from C, recursion of
# brief leaves. Callers and callees are fixed, so every other pair is an invention.
import asyncio
import functools


def turn(n=3000):
    x = 0
    for i in range(n):
        x += i
    return x


def generator_inner():
    for i in range(4):
        turn()
        yield i


def generator_outer():
    yield from generator_inner()


def drive_generator():
    for i in generator_outer():
        pass


async def coroutine_inner():
    turn()
    turn()


async def coroutine_outer():
    await coroutine_inner()
    await asyncio.sleep(0)
    await coroutine_inner()


def drive_coroutine():
    loop.run_until_complete(coroutine_outer())


def key_work(one):
    turn()
    return -one


def drive_sorted():
    sorted(range(4), key=key_work)


def reduce_work(a, b):
    turn()
    return a + b


def map_work(one):
    return functools.reduce(reduce_work, [one, 1, 2])


def drive_map():
    list(map(map_work, range(2)))


class Meta:
    def __eq__(self, other):
        turn()
        return False

    __hash__ = None


def drive_slot():
    [Meta(), Meta(), Meta()].count(1)


loop = asyncio.new_event_loop()
print("ready", flush=True)
while True:
    drive_generator()
    drive_coroutine()
    drive_sorted()
    drive_map()
    drive_slot()
