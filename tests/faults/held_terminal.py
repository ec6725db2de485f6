"""A terminal that the test holds at both ends: it hangs up, has another size, does not read."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.integration.program import FLASHPOINT
from tests.integration.terminal import plain_environment
from tests.waiting import eventually

ON: Final = b"h"
MODES_AT_REST: Final = {
    b"1049": b"l",  # alternate screen
    b"1000": b"l",  # mouse
    b"1002": b"l",
    b"1003": b"l",
    b"1006": b"l",
    b"1015": b"l",
    b"1016": b"l",
    b"1004": b"l",  # focus events
    b"2004": b"l",  # bracketed paste
    b"2026": b"l",  # synchronised output
    b"2048": b"l",  # resizes as input
    b"25": b"h",  # cursor
    b"7": b"h",  # line wrap
}


@dataclass(slots=True)
class HeldTerminal:
    """The program on a pty of ours.

    Attributes:
        process: The program.
        ours: The end of the terminal emulator.
        theirs: The program's end, kept open to look at its modes.
        seen: Everything that the program wrote and that was read.
        before: The modes when it started.
    """

    process: asyncio.subprocess.Process
    ours: int
    theirs: int
    before: list[Any]
    seen: bytearray = field(default_factory=bytearray)
    read_at: float = 0.0
    _is_reading: bool = False

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 36,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = FLASHPOINT,
    ) -> HeldTerminal:
        """Start the program on a new terminal."""
        ours, theirs = pty.openpty()
        _set_size(theirs, columns, rows)
        before = termios.tcgetattr(theirs)

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # As a shell leaves them to what it starts; tests may run where they are ignored.
            for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(signum, signal.SIG_DFL)

        process = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=take_terminal,
            env={**plain_environment(), "TERM": "xterm-256color", **(env or {})},
        )
        os.set_blocking(ours, False)
        terminal = cls(process, ours, theirs, before)
        terminal.read_on()
        return terminal

    def read_on(self) -> None:
        """Read what the program writes, from now on."""
        self._is_reading = True
        asyncio.get_running_loop().add_reader(self.ours, self._read)

    def stop_reading(self) -> None:
        """Be stuck: take nothing any more."""
        self._is_reading = False
        asyncio.get_running_loop().remove_reader(self.ours)

    def _read(self) -> None:
        try:
            data = os.read(self.ours, 1 << 20)
        except BlockingIOError:
            return
        except OSError:
            self.stop_reading()
            return
        self.seen += data
        self.read_at = time.monotonic()

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.ours, keys)

    def resize(self, columns: int, rows: int) -> None:
        """Have another size; the kernel tells the program."""
        _set_size(self.ours, columns, rows)

    def hang_up(self) -> None:
        """Go away."""
        if self.ours >= 0:
            self.stop_reading()
            os.close(self.ours)
            os.close(self.theirs)
            self.ours = self.theirs = -1

    async def shows(self, text: str, within_s: float = 15.0, since: int = 0) -> None:
        """Wait until a text was written, colours and places left out."""
        wanted = text.encode()
        looked_at = -1

        def is_shown() -> bool:
            nonlocal looked_at
            if len(self.seen) == looked_at:
                return False
            looked_at = len(self.seen)
            return wanted in plain(bytes(self.seen[since:]))

        try:
            await eventually(is_shown, within_s)
        except AssertionError:
            raise AssertionError(f"not shown: {text}\n{self.tail()}") from None

    def tail(self) -> str:
        """Return the end of what was written, for messages."""
        return plain(bytes(self.seen[-6000:])).decode("utf-8", "replace")

    def left_behind(self) -> list[str]:
        """Return the modes that are not as a shell needs them; read all output first."""
        left = modes_left(bytes(self.seen))
        if termios.tcgetattr(self.theirs) != self.before:
            left.append("termios")
        return left

    async def close(self) -> None:
        """End the program if it still runs, and the terminal."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        with contextlib.suppress(OSError):
            self.hang_up()


def modes_left(written: bytes) -> list[str]:
    """Return the modes that a program has switched and not switched back, by all it wrote."""
    last = {}
    kitty = 0
    for found in re.finditer(rb"\x1b\[(?:\?([\d;]+)([hl])|([<>])[\d;]*u)", written):
        if found[3]:
            kitty = max(0, kitty + (1 if found[3] == b">" else -1))
        else:
            for mode in found[1].split(b";"):
                last[mode] = found[2]
    wrong = [mode for mode, rest in MODES_AT_REST.items() if last.get(mode, rest) != rest]
    unknown = [mode for mode, way in last.items() if mode not in MODES_AT_REST and way == ON]
    left = [f"mode {mode.decode()}" for mode in [*wrong, *unknown]]
    return [*left, *(["kitty keys"] if kitty else [])]


def plain(written: bytes) -> bytes:
    """Leave out escape sequences."""
    return re.sub(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>])", b"", written)


def _set_size(fd: int, columns: int, rows: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
