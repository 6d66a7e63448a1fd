"""An asyncio service: tasks that wait for each other, for a queue, for a sleep; one that works."""
import asyncio
import threading


async def innermost(event):
    await event.wait()  # line of innermost


async def middle(event):
    await innermost(event)


async def outer(event):
    await middle(event)


async def takes(queue):
    while True:
        await queue.get()


async def sleeps():
    await asyncio.sleep(3600)


async def gathers():
    await asyncio.gather(sleeps(), sleeps())


async def agen():
    while True:
        await asyncio.sleep(3600)
        yield 1


async def iterates():
    async for _ in agen():
        pass


async def awaits_task(task):
    await task


def work():
    n = 0
    for i in range(20000):
        n += i
    return n


async def works():
    while True:
        work()
        await asyncio.sleep(0)


def in_thread(begun):
    async def quiet():
        begun.set()
        await asyncio.sleep(3600)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(quiet())


async def main():
    event, queue = asyncio.Event(), asyncio.Queue()
    loop = asyncio.get_running_loop()
    named = []
    for name, coroutine in (("deep", outer(event)), ("taker", takes(queue)),
                            ("sleeper", sleeps()), ("gatherer", gathers()),
                            ("iterator", iterates()), ("größe", sleeps())):
        task = loop.create_task(coroutine)
        task.set_name(name)
        named.append(task)
    waits = loop.create_task(awaits_task(named[0]))
    waits.set_name("waits for deep")
    worker = loop.create_task(works())
    worker.set_name("worker")
    begun = threading.Event()
    threading.Thread(target=in_thread, args=(begun,), daemon=True).start()
    while not begun.is_set():
        await asyncio.sleep(0)
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    await worker


asyncio.run(main())
