from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.pyspy import find_pyspy, is_plain_python, parse_raw
from collectors.source import SourceError


def test_raw_lines_become_stacks() -> None:
    """Line numbers are left out, so that a function is one frame; equal stacks are summed."""
    text = b"main (/a/app.py:3);burn (/a/app.py:7) 4\nmain (/a/app.py:3);burn (/a/app.py:9) 1\n"
    assert parse_raw(text) == ({(("main", "app.py"), ("burn", "app.py")): 5}, 0)


def test_unreadable_lines_are_counted() -> None:
    """What has no count is left out."""
    stacks, rejected = parse_raw(b"no count\nx (a.py:1) 12345678901\n\x1b[2J (a.py:1) 2\n")
    assert rejected == 2
    assert list(stacks) == [(("␛[2J", "a.py"),)]


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(text: bytes) -> None:
    """Nothing raises, and nothing hostile comes out."""
    stacks, _ = parse_raw(text)
    assert all("\x1b" not in name for frames in stacks for frame in frames for name in frame)


def test_a_plain_interpreter_is_known_from_others() -> None:
    """We are one; a shell is not; one that tells perf of its functions is not."""
    assert is_plain_python(os.getpid())
    assert not is_plain_python(1 << 22)
    telling = [sys.executable, "-X", "perf", "-c", "print(flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(telling, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert not is_plain_python(process.pid)
        process.communicate(b"\n")


def test_a_missing_py_spy_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to get it."""
    monkeypatch.setattr("collectors.pyspy.sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(SourceError, match="py-spy is not installed"):
        find_pyspy(str(tmp_path))
