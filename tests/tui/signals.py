"""Sends each signal that ends a process by default to a ptop that has a terminal, and says whether its
modes and its screen came back and whether the process ended by that signal. A line each:
ok NAME / not ok NAME - WHY

usage: signals.py PTOP ARGUMENT...
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

LIMIT_S = 30
# Read by the screen: an orderly exit with the status 128 + N, of INT 0.
ORDERLY = {signal.SIGHUP: 129, signal.SIGINT: 0, signal.SIGQUIT: 131, signal.SIGTERM: 143}
LIVES = {
    signal.SIGCHLD, signal.SIGURG, signal.SIGCONT, signal.SIGWINCH, signal.SIGUSR1,
    signal.SIGUSR2, signal.SIGPIPE,
}
SKIPPED = {signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


class Screen:
    def __init__(self, command, rows=24, columns=80, limit=lambda: None):
        self.out = b""
        self.master, slave = pty.openpty()
        self.slave = slave
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in range(1, 65):
                if number not in (9, 19, 32, 33):
                    signal.signal(number, signal.SIG_DFL)
            limit()

        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal,
            env=dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8"))

    def read_until(self, done):
        end = time.monotonic() + LIMIT_S
        while not done() and time.monotonic() < end:
            if select.select([self.master], [], [], 0.02)[0]:
                self.out += os.read(self.master, 65536)
        return done()

    def drawn(self):
        # The first frame is there.
        return len(self.out.partition(b"\x1b[?1049h")[2]) > 300

    def ended(self):
        return self.process.poll() is not None

    def drain(self):
        while select.select([self.master], [], [], 0)[0]:
            self.out += os.read(self.master, 65536)

    def close(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def judge(command, number):
    screen = Screen(command)
    try:
        if not screen.read_until(screen.drawn):
            return "no screen: %r" % screen.out[-200:]
        screen.out = b""
        os.kill(screen.process.pid, number)
        if number in LIVES:
            os.write(screen.master, b"?")  # it still answers keys
            if not screen.read_until(lambda: len(screen.out) > 0 or screen.ended()):
                return "hangs"
            return "ended" if screen.ended() else None
        if not screen.read_until(screen.ended):
            return "did not end"
        screen.drain()
        if termios.tcgetattr(screen.slave)[:4] != screen.before[:4]:
            return "modes are changed"
        if b"\x1b[?1049l" not in screen.out:
            return "alternate screen was not left"
        if b"\x1b[?25h" not in screen.out:
            return "cursor is hidden"
        wanted = ORDERLY.get(number, -number)
        if screen.process.returncode != wanted:
            return "status %d, should be %d" % (screen.process.returncode, wanted)
        return None
    finally:
        screen.close()


def main():
    numbers = [n for n in range(1, 65) if n not in (32, 33) and n not in SKIPPED]
    if os.environ.get("SIGNALS"):
        numbers = [int(n) for n in os.environ["SIGNALS"].split()]
    for number in numbers:
        why = judge(sys.argv[1:], number)
        name = signal.strsignal(number) or "signal"
        print("%s signal %d (%s)%s" % ("not ok" if why else "ok", number, name,
                                       " - " + why if why else ""), flush=True)


if __name__ == "__main__":
    main()
