"""What is put right should the monitor be killed: its terminal, and the folders it made for itself.

The guard does it. The keeper can, should the guard be killed as well: it has a copy of what the
guard was told, waiting in a socket, and reads it when the guard is gone. Imports the standard
library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
from collections.abc import Sequence
from typing import Any

from collectors.terminal_reset import put_back

FAREWELL_FD = 0
"""A pipe from the monitor, which writes a byte before it leaves: end of file alone is its death."""
MAX_NOTE_BYTES = 1 << 16
DEATH_WITHIN_S = 0.5
"""After the guard's: killed together, they don't end in the same moment."""


class Aftermath:
    """The terminal and the folders, as the monitor told of them; to be made before the fork."""

    def __init__(self) -> None:
        self._terminal: tuple[int, list[Any]] | None = None
        self._screen_open = False
        self._folders: list[str] = []
        self._copies: tuple[socket.socket, socket.socket] | None = None
        with contextlib.suppress(OSError):  # too many files are open: the guard alone knows then
            self._copies = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for end in self._copies:
                end.setblocking(False)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to put right."""
        return bool(self._folders) or (self._screen_open and self._terminal is not None)

    def note(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        """In the guard: keep what a message `terminal`, `screen` or `folder` tells."""
        self._keep(message, fds)
        if self._copies is not None:
            with contextlib.suppress(OSError):
                socket.send_fds(self._copies[0], [json.dumps(message).encode()], list(fds))

    def catch_up(self) -> None:
        """In the keeper: learn what the guard noted, once it is gone."""
        if self._copies is not None:
            with contextlib.suppress(BlockingIOError):  # that was all
                while True:
                    copy, fds, _, _ = socket.recv_fds(self._copies[1], MAX_NOTE_BYTES, 1)
                    self._keep(json.loads(copy), fds)

    def _keep(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        match message["op"]:
            case "terminal":
                attributes = message["attributes"]
                characters = [c if c in (0, 1) else bytes([c]) for c in attributes[6]]
                for fd in fds:
                    self._terminal = (fd, [*attributes[:6], characters])
            case "screen":
                self._screen_open = message["open"]
            case "folder":
                self._folders.append(message["path"])

    def restore_terminal(self) -> None:
        """Put the terminal back if a screen is open on it."""
        if self._terminal is not None and self._screen_open:
            put_back(*self._terminal)

    def remove_folders(self) -> None:
        """Remove the folders with what is in them."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def is_monitor_killed(within_s: float = DEATH_WITHIN_S) -> bool:
    """Tell whether the monitor dies now, or is dead; not where it leaves, or goes on."""
    ready, _, _ = select.select([FAREWELL_FD], [], [], within_s)
    return bool(ready) and not os.read(FAREWELL_FD, 1)
