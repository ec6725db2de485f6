from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.log import LogReader, parse_fields
from collectors.redact import Redactor

T = 'time="2026-11-22T23:49:02Z"'


def read(text: str | bytes, at: float = 1.0) -> list[tuple[str, str]]:
    reader = LogReader(Redactor())
    raw = text.encode() if isinstance(text, str) else text
    return [(line.level, line.text) for line in [*reader.feed(raw, at), *reader.close(at)]]


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (f'{T} level=info msg="hi there" source=console', "info", "hi there"),
        (f"{T} level=info msg=hi source=console", "info", "hi"),
        (
            f'{T} level=warning msg="Request Failed" error="Get \\"http://h/?a=b\\": refused"',
            "warning",
            'Request Failed: Get "http://h/?a=…": refused',
        ),
        (
            f'{T} level=error msg="Error: boom\\n\\tat setup (file:///s.js:1:32(3))\\n" '
            'hint="script exception"',
            "error",
            "Error: boom at setup (file:///s.js:1:32(3)) (script exception)",
        ),
        ('{"level":"fatal","msg":"x","error":"y","time":"t"}', "error", "x: y"),
        ("plain words", "", "plain words"),
        ("{not json", "", "{not json"),
        (f"{T} msg=x", "", f"{T} msg=x"),
    ],
)
def test_every_format_of_k6_is_read(line: str, level: str, text: str) -> None:
    """logfmt, JSON and raw lines give a level and one line of text."""
    assert read(line + "\n") == [(level, text)]


def test_lines_are_cut_anywhere() -> None:
    """Where the chunks end does not matter."""
    raw = f"{T} level=info msg=a\n{T} level=error msg=b\r\n\nrest".encode()
    for cut in range(len(raw)):
        reader = LogReader(Redactor())
        lines = [*reader.feed(raw[:cut], 1.0), *reader.feed(raw[cut:], 1.0), *reader.close(1.0)]
        assert [line.text for line in lines] == ["a", "b", "rest"]


def test_hostile_and_huge_lines_are_harmless() -> None:
    """Control characters become visible, lines are bounded."""
    ((_, text),) = read(b"\x1b]52;c;x\x07\xff" + b"y" * 200_000 + b"\n")
    assert text.startswith("␛]52;c;x␇\\xff")
    assert len(text) == 4096


def test_the_first_error_is_that_of_k6_itself() -> None:
    """console.error and failed iterations do not hide what ended the run."""
    reader = LogReader(Redactor())
    reader.feed(f"{T} level=error msg=mine source=console\n".encode(), 1.0)
    assert reader.first_error is None
    reader.feed(f'{T} level=error msg="iteration threw" source=stacktrace\n'.encode(), 1.0)
    assert reader.first_error == "iteration threw"
    reader.feed(f'{T} level=error msg="really"\n{T} level=error msg=later\n'.encode(), 1.0)
    assert reader.first_error == "really"


def test_a_raw_log_has_a_first_error_too() -> None:
    """Without levels the first line with an error in it is taken."""
    reader = LogReader(Redactor())
    reader.feed(b"hello\nGoError: no such module\nError: other\n", 1.0)
    assert reader.first_error == "GoError: no such module"


def test_a_flood_is_counted_and_does_not_hide_the_error() -> None:
    """So many lines a second are kept, the rest is counted; the next second begins anew."""
    reader = LogReader(Redactor(), max_lines_per_second=3)
    flood = f"{T} level=info msg=x source=console\n".encode() * 10
    assert len(reader.feed(flood, 1.2)) == 3
    assert reader.feed(f"{T} level=error msg=boom\n".encode(), 1.9) == []
    assert reader.first_error == "boom"
    assert reader.take_over_limit() == 8
    assert reader.take_over_limit() == 0
    assert len(reader.feed(flood, 2.0)) == 3


@given(st.binary(max_size=300))
def test_random_bytes_are_survived(raw: bytes) -> None:
    """Whatever k6 writes, a line is a line."""
    for _, text in read(raw):
        assert "\n" not in text
        assert "\x1b" not in text


@given(st.dictionaries(st.sampled_from(["msg", "level", "error"]), st.text(), min_size=1))
def test_json_fields_come_back(fields: dict[str, str]) -> None:
    """A JSON line gives its fields if it has a message."""
    expected = fields if "msg" in fields else {}
    assert parse_fields(json.dumps(fields)) == expected
