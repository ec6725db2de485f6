"""A real terminal for the program: tmux to look at the screen, a bare pty to time its bytes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import secrets
import shlex
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.integration.program import FLASHPOINT
from tests.waiting import eventually


def plain_environment() -> dict[str, str]:
    """Return our environment without the size that the test runner claims for its own output."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Tmux:
    """One tmux server with one window, in which a command runs under a shell.

    Args:
        columns: Width of the window.
        rows: Height of the window.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._socket = f"flashpoint-{secrets.token_hex(4)}"
        self._tmux("-f", "/dev/null", "new", "-d", "-x", str(columns), "-y", str(rows), "sh")
        self.pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=plain_environment(),
        )
        return done.stdout

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Type the program's command line; its exit status is printed after it."""
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in (env or {}).items())
        line = f"{settings} {shlex.join([*FLASHPOINT, *arguments])}; echo status=$?"
        self.keys("-l", line)
        self.keys("Enter")

    def keys(self, *keys: str) -> None:
        """Press keys, in tmux's notation."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._tmux("capture-pane", "-p")

    async def shows(self, *texts: str, within_s: float = 15.0) -> str:
        """Wait until all texts are on the screen, and return it."""
        seen = ""

        def all_there() -> bool:
            nonlocal seen
            seen = self.screen()
            return all(text in seen for text in texts)

        try:
            await eventually(all_there, within_s)
        except AssertionError:
            raise AssertionError(f"not on the screen: {texts}\n{seen}") from None
        return seen

    def modes(self) -> str:
        """Return the modes that an application can leave behind."""
        return self._tmux(
            "display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
        )

    def close(self) -> None:
        """End the tmux server and all that runs in it."""
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False
        )


@dataclass(slots=True)
class Chunk:
    """Bytes that the program wrote, and when they were read."""

    at: float
    """`time.monotonic()`."""
    data: bytes


@dataclass(slots=True)
class Pty:
    """The program on a pty of its own, with the time of everything it writes."""

    process: asyncio.subprocess.Process
    fd: int
    chunks: list[Chunk] = field(default_factory=list)

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        columns: int = 160,
        rows: int = 48,
        env: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> Pty:
        """Start the program on a new terminal, under another one if that is named."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = await asyncio.create_subprocess_exec(
            *under,
            *FLASHPOINT,
            *arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=take_terminal,
            env={**plain_environment(), "TERM": "xterm-256color", **(env or {})},
        )
        os.close(theirs)
        os.set_blocking(ours, False)
        terminal = cls(process, ours)
        asyncio.get_running_loop().add_reader(ours, terminal._read)
        return terminal

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 1 << 20)
        except OSError:  # the other side is closed
            data = b""
        if data:
            self.chunks.append(Chunk(time.monotonic(), data))
        else:
            asyncio.get_running_loop().remove_reader(self.fd)

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.fd, keys)

    async def close(self) -> None:
        """End the program if it still runs."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)
