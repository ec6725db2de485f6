"""Tells whoever waits at a terminal what takes long, and nobody else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final, TextIO

LONG_S: Final = 1.0


@contextlib.contextmanager
def told_if_long(text: str, stream: TextIO | None, after_s: float = LONG_S) -> Iterator[None]:
    """Say what is done if it takes longer than a moment; the line is gone when it is done.

    Args:
        text: What is done, sanitised.
        stream: Where to; nothing is said where that is no terminal.
        after_s: How long a moment is.
    """
    if stream is None or not stream.isatty():
        yield
        return
    lock = threading.Lock()
    is_told = is_done = False

    def tell() -> None:
        nonlocal is_told
        with lock:
            if not is_done:
                is_told = True
                stream.write(f"\r{text} …\x1b[K")
                stream.flush()

    timer = threading.Timer(after_s, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            is_done = True
        if is_told:
            stream.write("\r\x1b[K")
            stream.flush()
