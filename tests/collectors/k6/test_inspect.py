"""Asking k6 what is in a script; a shell script plays k6."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from collectors.k6.binary import K6Binary
from collectors.k6.inspect import MAX_OUTPUT_BYTES, NotReadable, inspect_script
from collectors.process import Guard
from collectors.source import SourceError
from tests.waiting import eventually

ENV = {"PATH": "/usr/bin:/bin"}


async def inspected(
    guard: Guard, folder: Path, program: str, *arguments: str, deadline_s: float = 10.0
) -> Mapping[str, Any]:
    """Ask a k6 that does this."""
    path = folder / "k6"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    binary = K6Binary(str(path), "1.1.0", (1, 1, 0))
    return await inspect_script(guard, binary, "s.js", arguments, ENV, deadline_s)


async def test_options_are_what_k6_prints(guard: Guard, tmp_path: Path) -> None:
    """Whatever it says beside them."""
    program = """echo 'level=warning msg="old"' >&2; echo '{"vus": 4, "scenarios": null}'"""
    assert await inspected(guard, tmp_path, program) == {"vus": 4, "scenarios": None}


async def test_k6_is_told_what_changes_the_options(guard: Guard, tmp_path: Path) -> None:
    """And nothing else of the user's: it would refuse options of `run`."""
    program = """printf '{"told": "%s"}' "$*" """
    arguments = ("-e", "A=1", "--out", "csv", "-tjs", "--compatibility-mode=base", "-q", "-c", "f")
    told = await inspected(guard, tmp_path, program, *arguments)
    expected = "inspect --include-system-env-vars -e A=1 -tjs --compatibility-mode=base -c f s.js"
    assert told == {"told": expected}


async def test_the_first_error_is_the_reason(guard: Guard, tmp_path: Path) -> None:
    """In k6's own words, harmless and without secrets."""
    program = (
        "echo 'level=error msg=\"no \\u001b[2J https://u:pw@h/?t=5\"' >&2;"
        "echo 'level=error msg=second' >&2; exit 107"
    )
    with pytest.raises(NotReadable) as caught:
        await inspected(guard, tmp_path, program)
    message = caught.value.message
    assert message.startswith("no ")
    assert not re.search("second|pw|t=5|\x1b", message)


async def test_an_end_without_a_word_is_told(guard: Guard, tmp_path: Path) -> None:
    """By its status; what was printed before does not count."""
    with pytest.raises(NotReadable, match="k6 inspect ended with 7"):
        await inspected(guard, tmp_path, "echo '{}'; exit 7")
    with pytest.raises(NotReadable, match="k6 inspect ended with -9"):
        await inspected(guard, tmp_path, "kill -9 $$")


def left_below(pid: int) -> list[str]:
    """Return the names of what lives below a process."""
    names = []
    for each in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if each.status() != psutil.STATUS_ZOMBIE:
                names.append(each.name())
    return names


@pytest.mark.parametrize(
    "program",
    [
        "echo nonsense",
        "",
        "echo '[1]'",
        "echo '{} {}'",
        "printf '\\377'",
        "printf '%09999d' 0 | tr 0 '['",
    ],
)
async def test_what_are_no_options_is_refused(guard: Guard, tmp_path: Path, program: str) -> None:
    """The script may be fine."""
    with pytest.raises(SourceError, match="printed no options") as caught:
        await inspected(guard, tmp_path, program)
    assert not isinstance(caught.value, NotReadable)


@pytest.mark.parametrize("program", ["exec sleep 60", "trap '' INT; while :; do sleep 60; done"])
async def test_a_k6_that_hangs_is_ended(guard: Guard, tmp_path: Path, program: str) -> None:
    """And nothing of it is left."""
    with pytest.raises(SourceError, match=r"did not tell within 0\.3 s what is in s\.js") as caught:
        await inspected(guard, tmp_path, program, deadline_s=0.3)
    assert not isinstance(caught.value, NotReadable)
    # The kernel has yet to do it when the end of k6 itself is known.
    await eventually(lambda: not left_below(guard.pid), 1.0)


async def test_far_too_much_is_read_but_not_kept(guard: Guard, tmp_path: Path) -> None:
    """k6 can end, and its end is told."""
    program = "head -c 20000000 /dev/zero | tr '\\0' '[';"
    with pytest.raises(SourceError, match="printed no options"):
        await inspected(guard, tmp_path, program)
    with pytest.raises(NotReadable, match="ended with 3"):
        await inspected(guard, tmp_path, program + " exit 3")


async def test_large_options_are_read_whole(guard: Guard, tmp_path: Path) -> None:
    """Up to the bound."""
    size = MAX_OUTPUT_BYTES - 100
    program = f"printf '{{\"a\": \"'; head -c {size} /dev/zero | tr '\\0' x; printf '\"}}'"
    assert len((await inspected(guard, tmp_path, program))["a"]) == size


async def test_many_errors_do_not_stop_it(guard: Guard, tmp_path: Path) -> None:
    """Both streams are read at the same time."""
    program = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo '{}'"
    assert await inspected(guard, tmp_path, program) == {}
