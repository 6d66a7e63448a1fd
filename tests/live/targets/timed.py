"""Things that take a known time, and say how long they took: lines of "END SECONDS"."""
import socket
import sys
import threading
import time

mode = sys.argv[1]


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def say(began):
    now = time.monotonic()
    print("%.6f %.6f" % (now, now - began), flush=True)


def timed_call(milliseconds):
    spin(milliseconds / 1000)


def calls():
    n = 0
    while True:
        for milliseconds in [float(x) for x in sys.argv[2:]]:
            n += 1
            began = time.monotonic()
            timed_call(milliseconds)
            say(began)


def loop():
    import asyncio

    async def block():
        while True:
            await asyncio.sleep(0.6)
            began = time.monotonic()
            if mode == "loop-spin":
                spin(0.2)
            else:
                time.sleep(0.2)
            say(began)

    async def main():
        async def tick():
            while True:
                await asyncio.sleep(0.01)
        await asyncio.gather(tick(), block())
    asyncio.run(main())


def serve(connection):
    n = 0
    keep = mode == "server"
    while connection.recv(100):
        began = time.monotonic()
        n += 1
        time.sleep(0.03 if n % 8 == 0 else 0.01)
        connection.sendall(b"head\n")
        connection.sendall(b"body\n")
        say(began)
        if not keep:
            connection.close()
            return


def serve_asyncio(listener):
    import asyncio

    async def handle(reader, writer):
        n = 0
        while await reader.readline():
            began = time.monotonic()
            n += 1
            await asyncio.sleep(0.03 if n % 8 == 0 else 0.01)
            writer.write(b"head\n")
            writer.write(b"body\n")
            await writer.drain()
            say(began)

    async def main():
        listener.setblocking(False)
        await (await asyncio.start_server(handle, sock=listener)).serve_forever()
    asyncio.run(main())


def server():
    """A keep-alive server and its clients, which are in another process."""
    import os
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    if os.fork() == 0:
        def ask():
            c = None
            while True:
                if c is None or mode == "server-close":
                    c = socket.create_connection(listener.getsockname())
                c.sendall(b"question\n")
                got = b""
                while not got.endswith(b"body\n"):
                    more = c.recv(100)
                    if not more:
                        os._exit(0)
                    got += more
        for _ in range(2):
            threading.Thread(target=ask).start()
        time.sleep(60)
        os._exit(0)
    if mode == "server-asyncio":
        serve_asyncio(listener)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


print("ready", flush=True)
{"calls": calls, "loop-spin": loop, "loop-sleep": loop, "server": server,
 "server-close": server, "server-asyncio": server}[mode]()
