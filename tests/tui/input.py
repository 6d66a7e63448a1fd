"""What no one types, sizes no one has, and limits: each must leave a ptop that answers `q`, or one
that ends with a word. A line each: ok NAME / not ok NAME - WHY

usage: input.py WHAT PTOP ARGUMENT...	WHAT: floods, sizes or limits
"""
import fcntl
import os
import random
import resource
import select
import struct
import sys
import termios

from signals import LIMIT_S, Screen

BYTES = 300000
# All letters but q, with those that save files, and line ends; no ^C.
TEXT = (b"jkG/abc\n1234567w eimoLx+-[]rbBd" * (BYTES // 32 + 1))[:BYTES]
FLOODS = {
    "a marked paste": b"\x1b[200~" + TEXT + b"\x1b[201~",
    "a paste that is not marked": TEXT.replace(b"w", b"v"),
    "an arrow held down": b"\x1b[B" * (BYTES // 3),
    "mouse reports": b"\x1b[<0;10;10M" * (BYTES // 11),
}
SIZES = ((0, 0), (1, 1), (1, 1000), (1000, 1), (3, 5), (1000, 1000), (65535, 65535))


def feed(screen, data):
    """As fast as it is taken."""
    os.set_blocking(screen.master, False)
    at = 0

    def step():
        nonlocal at
        if select.select([], [screen.master], [], 0)[1]:
            try:
                at += os.write(screen.master, data[at:at + 4096])
            except BlockingIOError:
                pass
        return at == len(data) or screen.ended()

    done = screen.read_until(step)
    os.set_blocking(screen.master, True)
    return done


def orderly(screen, status=0):
    if not screen.read_until(screen.ended):
        return "does not end"
    screen.drain()
    if screen.process.returncode != status:
        return "status %d: %r" % (screen.process.returncode, screen.out[-200:])
    if termios.tcgetattr(screen.slave)[:4] != screen.before[:4]:
        return "modes are changed"
    entered = screen.out.rfind(b"\x1b[?1049h")
    if entered >= 0 and screen.out.rfind(b"\x1b[?1049l") < entered:
        return "alternate screen was not left"
    if screen.out.rfind(b"\x1b[?2004l") < screen.out.rfind(b"\x1b[?2004h"):
        return "pastes are still marked"
    return None


def quit_by(screen, keys=b"q"):
    os.write(screen.master, keys)
    return orderly(screen)


def flood(command, data):
    screen = Screen(command)
    try:
        if not screen.read_until(screen.drawn):
            return "no screen: %r" % screen.out[-200:]
        files = os.listdir()
        if not feed(screen, data):
            return "takes longer than %d s" % LIMIT_S
        why = quit_by(screen)
        return why or (None if os.listdir() == files else "saved a file")
    finally:
        screen.close()


def paste_into_filter(command):
    """It is typed, cleaned, and not a key: the last line end does not close the line."""
    screen = Screen(command)
    try:
        if not screen.read_until(screen.drawn):
            return "no screen: %r" % screen.out[-200:]
        os.write(screen.master, b"/")
        feed(screen, b"\x1b[200~pasted\x1b]2;x\x07\n" + TEXT + b"\x1b[201~")
        if not screen.read_until(lambda: b"pasted?]2;x??jkG/abc?" in screen.out):
            return "not in the line: %r" % screen.out[-300:]
        return quit_by(screen, b"\x03")
    finally:
        screen.close()


def floods(command):
    for name, data in FLOODS.items():
        yield name, flood(command, data)
    yield "a paste into the filter", paste_into_filter(command)


def size(command, rows, columns):
    screen = Screen(command, rows, columns)
    try:
        if not screen.read_until(lambda: b"\x1b[?2004h" in screen.out):
            return "no screen: %r" % screen.out[-200:]
        for view in b"1234567?":
            os.write(screen.master, bytes([view]))
        return quit_by(screen, b"\x03")
    finally:
        screen.close()


def resizes(command):
    screen = Screen(command)
    try:
        if not screen.read_until(screen.drawn):
            return "no screen: %r" % screen.out[-200:]
        for _ in range(1000):
            now = [random.choice((0, 1, 2, 24, 80, 1000, 60000)) for _ in "xy"]
            fcntl.ioctl(screen.slave, termios.TIOCSWINSZ, struct.pack("HHHH", *now, 0, 0))
            screen.drain()
        return quit_by(screen)
    finally:
        screen.close()


def sizes(command):
    for rows, columns in SIZES:
        yield "%d x %d" % (columns, rows), size(command, rows, columns)
    yield "1,000 sizes in a row", resizes(command)


def limited(command, what, value, words):
    """Either it works, or it says why not. True in front: it said so."""
    screen = Screen(command, limit=lambda: resource.setrlimit(what, (value, value)))
    try:
        screen.read_until(lambda: screen.drawn() or screen.ended())
        if not screen.ended():
            os.write(screen.master, b"q")
            screen.read_until(screen.ended)
        if screen.process.returncode == 0:
            return False, orderly(screen)
        why = orderly(screen, 1)
        said = any(w in screen.out for w in words) and b"hint: " in screen.out
        return True, why or (None if said else "says %r" % screen.out[-200:])
    finally:
        screen.close()


def limits(command):
    words = (b"out of memory", b"cannot start a thread")
    ended = 0
    for megabytes in (12, 16, *range(20, 29), 32, 48):
        said, why = limited(command, resource.RLIMIT_AS, megabytes << 20, words)
        ended += said
        yield "ulimit -v of %d MiB" % megabytes, why
    yield "one of them was too little", None if ended else "none was"
    said, why = limited(command, resource.RLIMIT_STACK, 128 << 10, (b"the stack is limited",))
    yield "ulimit -s of 128 KiB", why


def main():
    for name, why in globals()[sys.argv[1]](sys.argv[2:]):
        print("%s %s%s" % ("not ok" if why else "ok", name, " - " + why if why else ""), flush=True)


main()
