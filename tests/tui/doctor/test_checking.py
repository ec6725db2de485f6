from __future__ import annotations

import asyncio
import threading

import pytest

from collectors.source import SourceError
from tui.doctor.checking import Findings, check, in_thread
from tui.model.doctor.finding import Area, ok


async def fine() -> Findings:
    return [ok(Area.K6, "one", "x"), ok(Area.K6, "two", "y")]


async def refuses() -> Findings:
    raise SourceError("no k6", "install it")


async def breaks() -> Findings:
    raise ZeroDivisionError("by zero")


async def hangs() -> Findings:
    await asyncio.Event().wait()
    return []


async def test_a_check_returns_what_it_finds() -> None:
    assert [each.name for each in await check(Area.K6, "program", fine())] == ["one", "two"]


@pytest.mark.parametrize(
    ("work", "text", "mend"),
    [
        (refuses, "no k6", "install it"),
        (breaks, "the check broke: ZeroDivisionError: by zero", "tell the authors"),
        (hangs, "no answer within 0.05 s", "load of this machine"),
    ],
)
async def test_a_check_that_fails_is_one_line(work: object, text: str, mend: str) -> None:
    """Whatever went wrong, and never an exception."""
    assert callable(work)
    [finding] = await check(Area.PERF, "event", work(), deadline_s=0.05)
    assert (finding.area, finding.name, finding.state) == ("perf", "event", "fail")
    assert finding.text == text
    assert mend in finding.mend


async def test_a_thread_that_hangs_is_left_behind() -> None:
    """The check ends in time, and nobody waits for the thread."""
    never = threading.Event()

    async def look() -> Findings:
        await in_thread(never.wait)
        return []

    [finding] = await check(Area.STORAGE, "recordings", look(), deadline_s=0.05)
    assert finding.state == "fail"
    threads = [each for each in threading.enumerate() if each.name == "doctor"]
    assert all(each.daemon for each in threads)
    never.set()


async def test_what_a_thread_raises_is_raised() -> None:
    def look() -> int:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await in_thread(look)
    assert await in_thread(lambda: 5) == 5
