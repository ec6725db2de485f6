"""What takes long is told at a terminal, once, and leaves no trace."""

from __future__ import annotations

import io

from tests.waiting import eventually
from tui.patience import told_if_long


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


async def test_what_takes_long_is_told_and_taken_back() -> None:
    """After a moment, and only until it is done."""
    terminal = Terminal()
    with told_if_long("reading x", terminal, after_s=0.0):
        await eventually(lambda: "reading x …" in terminal.getvalue())
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_does_not_is_not_told() -> None:
    """Neither is anything where nobody looks."""
    for stream, after_s in ((Terminal(), 60.0), (io.StringIO(), 0.0)):
        with told_if_long("reading x", stream, after_s=after_s):
            pass
        assert stream.getvalue() == ""
    with told_if_long("reading x", None):
        pass
