"""What takes too long is told from what is held up once."""

from __future__ import annotations

import time

import pytest

from tests.faults.mutation import MAX_SECONDS, survive


def burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_an_input_that_hangs_is_found() -> None:
    """It takes as long each time that it is read, and its number is told."""

    def read(_: bytes, number: int) -> None:
        burn(10 * MAX_SECONDS * (number == 3))

    with pytest.raises(AssertionError, match="input 3 of seed"):
        survive(lambda *_, **__: None, "nothing", 10, lambda _: b"", read)


def test_an_input_that_was_held_up_passes() -> None:
    """Others may have had the processor's caches."""
    held_up = [3]

    def read(_: bytes, number: int) -> None:
        if number in held_up:
            held_up.remove(number)
            burn(2 * MAX_SECONDS)

    survive(lambda *_, **__: None, "nothing", 10, lambda _: b"", read)
    assert not held_up
