"""Files are told apart by what is in them, unpacked within bounds, and refused in one line."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.k6.resultfile import unpack
from collectors.k6.resultfile.reader import is_k6_result, read_k6_result
from collectors.redact import Redactor
from collectors.source import SourceError
from tests.collectors.k6.resultfile.writing import (
    HEADER,
    START,
    Written,
    csv_text,
    http,
    json_text,
    total,
    written,
)

POINTS = [point for n in range(50) for point in http(n / 10, failed=n % 10 == 0)]
BOTH = pytest.mark.parametrize("text", [json_text(POINTS), csv_text(POINTS)], ids=["json", "csv"])


@BOTH
@pytest.mark.parametrize(
    "pack",
    [
        str.encode,
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text[:500].encode()) + gzip.compress(text[500:].encode()),
        lambda text: gzip.compress(text.encode()) + b"\0" * 700,
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: text.removesuffix("\n").encode(),
    ],
    ids=["plain", "gzip", "two members", "padded", "windows", "no last line end"],
)
def test_whole_files(tmp_path: Path, text: str, pack: Callable[[str], bytes]) -> None:
    """Its name does not matter."""
    path = written(tmp_path, pack(text), "result.txt")
    assert is_k6_result(path)
    result = read_k6_result(path)
    assert result.format == ("k6 json" if text.startswith("{") else "k6 csv")
    assert total(result.samples) == (50, 5)
    assert [s.at for s in result.samples] == [START + n + 1.0 for n in range(5)]
    assert result.notes == ()


@BOTH
def test_a_file_that_is_not_whole(tmp_path: Path, text: str) -> None:
    """What stands in it counts, and what is missing is told."""
    cut = read_k6_result(written(tmp_path, text[: len(text) - 140].removesuffix("\n")))
    assert cut.notes == ("left out: 1 × last line cut off",)
    assert 45 < total(cut.samples)[0] <= 50

    packed = gzip.compress(text.encode())
    result = read_k6_result(written(tmp_path, packed[:-100]))
    assert "the packed data is cut off: what stood before it is read" in result.notes
    assert 0 < total(result.samples)[0] <= 50

    result = read_k6_result(written(tmp_path, packed + b"rubbish"))
    assert result.notes == ("the packed data is damaged: what stood before it is read",)
    assert total(result.samples) == (50, 5)


@BOTH
def test_lines_of_others_are_counted(tmp_path: Path, text: str) -> None:
    """Such as those of k6's log, where both go to the same place."""
    log = 'time="2026-11-24T12:02:32Z" level=warning msg="slow"\n'
    lines = text.splitlines(keepends=True)
    mixed = log * 3 + "".join(lines[:4]) + log + "".join(lines[4:])
    raw = mixed.encode() + b"\0\0\n" + b"\xff\n" + b"x" * (1 << 20) + b"y\n"
    path = written(tmp_path, raw)
    assert is_k6_result(path)
    result = read_k6_result(path)
    assert total(result.samples) == (50, 5)
    assert sorted(result.notes) == [
        "left out: 1 × lines not utf8",
        "left out: 1 × lines too long",
        "left out: 1 × lines with zero bytes",
        "left out: 4 × lines of text",
    ]


def test_notes_tell_what_is_no_measurement(tmp_path: Path) -> None:
    """Guessed types, endpoints without a place, points of another day."""
    points = [p for n in range(10_003) for p in http(0, name=f"/{n}")[:1]]
    points += [Written(f"m{n}", 0, 1.0) for n in range(7)]
    points += [Written("vus", 90_000, 1.0)]
    result = read_k6_result(written(tmp_path, csv_text(points)))
    assert len(result.samples) == 1
    assert result.notes == (
        "left out: 1 × points far from the rest",
        "3 requests are counted as (other): there is room for 10000 endpoints, "
        "and for 1000000 of all seconds together",
        "types of metrics are not in the file, guessed by their values: "
        "m0 (counter), m1 (counter), m2 (counter), m3 (counter), m4 (counter) and 2 more",
    )


def test_the_caller_names_the_process_and_may_see_secrets(tmp_path: Path) -> None:
    path = written(tmp_path, json_text(http(0, name="http://h/?a=b")))
    result = read_k6_result(path, instance="k6-7", redactor=Redactor(enabled=False))
    (sample,) = result.samples
    assert (sample.instance, sample.endpoints[0].name) == ("k6-7", "http://h/?a=b")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        b"main;work 5\nmain 3\n",
        b'{"metrics":{"http_reqs":{"count":5}}}',
        b'{"a":1}\n' * 1_000,
        b"[" * 100_000,
        b"time,value\n1,2\n",
        b"\0" * 100_000,
        b"\x1f\x8b",
        b"\x1f\x8bnot gzip at all",
        gzip.compress(b"nothing of k6", mtime=0),
        json_text(POINTS).encode("utf-16"),
    ],
)
def test_other_files(tmp_path: Path, raw: bytes) -> None:
    """They are no result, and the one line says what would be one."""
    path = written(tmp_path, raw)
    assert not is_k6_result(path)
    with pytest.raises(SourceError, match="is no result file of k6") as caught:
        read_k6_result(path)
    assert "\n" not in str(caught.value)
    assert "--out json=FILE" in caught.value.hint


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (HEADER, "has no points of k6's. was it"),
        (HEADER + "a\nb\n", "has no points of k6's, but 2 × lines of text"),
        (json_text(http(0)).replace("T", "t"), "has no points of k6's, but 3 × time unreadable"),
    ],
)
def test_results_without_points(tmp_path: Path, raw: str, why: str) -> None:
    """The reason is told, as far as there is one."""
    with pytest.raises(SourceError, match=why):
        read_k6_result(written(tmp_path, raw))


def test_what_can_not_be_read(tmp_path: Path) -> None:
    """Nothing blocks, and nothing but one error comes of it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, why in (
        (tmp_path, "is not a file"),
        (pipe, "is not a file"),
        (Path("/dev/zero"), "is not a file"),
        (tmp_path / "there\x1b[31m", "can't read .*there␛"),
        (tmp_path / "a\0b", "can't read"),
    ):
        assert not is_k6_result(path)
        with pytest.raises(SourceError, match=why):
            read_k6_result(path)


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is packed too well to be a result, or too large; text of k6's is far from both."""
    bomb = gzip.compress(HEADER.encode() + b"\0" * (40 << 20), 9)
    path = written(tmp_path, bomb)
    assert is_k6_result(path)
    with pytest.raises(SourceError, match="too large when unpacked"):
        read_k6_result(path)

    text = csv_text(http(0) * 2_000)
    path = written(tmp_path, gzip.compress(text.encode()))
    assert total(read_k6_result(path).samples) == (2_000, 0)
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", len(text) - 1)
    with pytest.raises(SourceError, match="too large when unpacked"):
        read_k6_result(path)
