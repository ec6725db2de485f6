"""Runs one check: it is bounded in time, and what breaks it becomes a finding too."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from collectors.source import SourceError
from tui.model.doctor.finding import Area, Finding, broken, late, refused

T = TypeVar("T")
Findings: TypeAlias = Sequence[Finding]

CHECK_DEADLINE_S: Final = 3.0
PROBE_DEADLINE_S: Final = 2.5
"""For a program to tell its version, so that there is time left to end it."""


async def check(
    area: Area, name: str, work: Awaitable[Findings], deadline_s: float = CHECK_DEADLINE_S
) -> Findings:
    """Return what a check finds, or that it was refused, broke, or took too long.

    Args:
        area: What it is about.
        name: What it is called where it finds nothing itself.
        work: The check.
        deadline_s: How long it may take.
    """
    try:
        async with asyncio.timeout(deadline_s):
            return await work
    except SourceError as error:
        return [refused(area, name, error)]
    except TimeoutError:
        return [late(area, name, deadline_s)]
    # Whatever it is, the other checks shall be told: this one is a line of its own.
    except Exception as error:
        return [broken(area, name, error)]


async def in_thread(work: Callable[[], T]) -> T:
    """Run what may block for ever, like a look at a network's file system, in a thread.

    A thread of the pool would be waited for at the end; this one is left behind.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def take(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        # The loop may be closed by then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(take, result, failure)

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await future
