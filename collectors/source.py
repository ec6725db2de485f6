"""What every source of samples is, and how it fails before it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    # To make all the samples takes longer than to find out that there is no such file.
    from collectors.samples import Sample

Clock: TypeAlias = Callable[[], float]
"""Seconds on a monotonic clock; `time.monotonic` unless testing."""

Emit: TypeAlias = "Callable[[Sample], None]"
"""Takes one sample; called on the event loop only, never blocks."""


class SourceError(Exception):
    """Something is wrong on our side before or at the start of a source."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        """One line: what, and where."""
        self.hint = hint
        """One line: what to do next."""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class Source(Protocol):
    """Runs until it is cancelled or has nothing more to say, and emits samples meanwhile.

    A failure during the run is emitted as a `SourceStatus`; `run` returns normally then.
    """

    async def run(self, emit: Emit) -> None:
        """Emit samples until done.

        Raises:
            SourceError: it can't start at all.
        """
