"""A program on a terminal, for the tests of the prompt."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

PATIENCE = 60  # Seconds for what comes at once on a machine that has nothing else to do.


class Terminal:
    """The program on a terminal of its own; what it prints is gathered in `text`."""

    def __init__(self, program, *arguments, columns=60):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen([program, *arguments], stdin=slave, stdout=slave,
                                        stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def wait_for(self, words):
        end = time.monotonic() + PATIENCE
        while words not in self.text:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"{words!r} did not come, only {self.text!r}")
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self.text += data.decode()
        assert words in self.text, self.text
        before, _, self.text = self.text.partition(words)
        return before

    def send(self, text):
        os.write(self.master, text.encode())

    def end(self):
        code = self.process.wait(PATIENCE)
        os.close(self.master)
        return code
