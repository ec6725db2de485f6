"""Building the server anew."""

from __future__ import annotations

import sys
import time

import pytest

from collectors.process import Guard
from collectors.samples import LogLine
from collectors.source import SourceError
from collectors.target_build import build_argv, build_target


def test_a_command_is_split_as_a_shell_does() -> None:
    """Quotes hold words together; nothing is expanded."""
    assert build_argv("cargo build --features 'a b' $HOME") == [
        *("cargo", "build", "--features"),
        *("a b", "$HOME"),
    ]


@pytest.mark.parametrize(
    ("command", "said"), [("", "is empty"), ("  ", "is empty"), ("make 'x", "no closing quotation")]
)
def test_what_is_no_command_is_refused(command: str, said: str) -> None:
    """With an example of one."""
    with pytest.raises(SourceError, match=said) as caught:
        build_argv(command)
    assert "cargo build --release" in caught.value.hint


async def run(guard: Guard, program: str) -> list[LogLine]:
    """Build with a Python program and return what it wrote."""
    lines: list[LogLine] = []
    command = f"{sys.executable} -c '{program}'"
    await build_target(guard, command, time.monotonic, lines.append)
    return lines


async def test_what_a_build_writes_is_logged(guard: Guard) -> None:
    """Of both streams, sanitised, as lines of the build."""
    lines = await run(guard, 'import sys; print("one\\x1b[2J"); print("two", file=sys.stderr)')
    assert {(line.source, line.text) for line in lines} == {
        ("build", "one␛[2J"),
        ("build", "two"),
    }


async def test_a_build_that_fails_says_why(guard: Guard) -> None:
    """Its status and its last line."""
    with pytest.raises(SourceError, match=r"exited with status 3; its last line: error: E0308"):
        await run(guard, 'print("error: E0308"); raise SystemExit(3)')


async def test_a_build_that_can_not_be_started_says_why(guard: Guard) -> None:
    """Before anything else happens."""
    with pytest.raises(SourceError, match="can't start /no/cargo"):
        await build_target(guard, "/no/cargo build", time.monotonic, lambda line: None)
