"""Lines of JSON and rows of CSV become points, and whatever else stands there is counted."""

from __future__ import annotations

from collections import Counter

import pytest

from collectors.k6.resultfile.csv_rows import CsvRows, is_csv_header
from collectors.k6.resultfile.json_lines import JsonLines, is_json_line, read_json_tags
from collectors.k6.resultfile.metric_types import Declared
from collectors.k6.resultfile.points import BadPoint
from collectors.k6.resultfile.screen import MAX_LINE_BYTES, LineScreen
from collectors.samples import MetricType
from tests.collectors.k6.resultfile.writing import HEADER, START, metric_line

POINT = (
    b'{"metric":"http_reqs","type":"Point","data":{"time":"2026-11-24T11:56:01.06Z","value":1,'
    b'"tags":{"group":"::shop","name":"http://h/\\u0026","status":"200"}}}'
)
ROW = b"http_reqs,1795521361,1.000000" + b"," * 16


def test_a_line_of_json() -> None:
    """Its tags are kept as they are spelled."""
    skipped: Counter[str] = Counter()
    lines = JsonLines(skipped)
    ((metric, second, value, spelling),) = lines.feed([POINT])
    assert (metric, second, value) == ("http_reqs", START, 1.0)
    assert read_json_tags(spelling) == {"group": "::shop", "name": "http://h/&", "status": "200"}
    assert not skipped
    assert is_json_line(POINT)


def test_types_are_told_before_points() -> None:
    """The first word counts; what is no type of k6's is not kept."""
    lines = JsonLines(Counter())
    told = [
        metric_line("took", "trend", "time"),
        metric_line("took", "gauge"),
        metric_line("odd", "spiral"),
    ]
    assert lines.feed([line.encode() for line in told]) == []
    assert lines.types == {"took": Declared(MetricType.TREND, "time")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'time="2026-11-24T12:02:32Z" level=warning msg="x"', "lines_of_text"),
        (b"running (0m01.0s), 2/2 VUs", "lines_of_text"),
        (POINT[:80], "lines_of_broken_json"),
        (POINT.replace(b':1,"', b':+Inf,"'), "values_not_finite"),
        (POINT.replace(b':1,"', b':NaN,"'), "values_not_finite"),
        (POINT.replace(b':1,"', b':1e300,"'), "values_not_finite"),
        (POINT.replace(b':1,"', b':"1","'), "lines_not_of_k6"),
        (POINT.replace(b"Point", b"Pint"), "lines_not_of_k6"),
        (b'{"metrics":{}}', "lines_not_of_k6"),
        (b"[1]", "lines_of_text"),
        (POINT.replace(b"T11", b" 11"), "time_unreadable"),
        (b'{"a":' + b"[" * 100_000, "lines_of_broken_json"),
        (
            b'{"type":"Point","metric":"m","data":{"tags":' + b"[" * 5000 + b"]" * 5000 + b"}}",
            "lines_of_broken_json",
        ),
    ],
)
def test_what_is_no_point_in_json(line: bytes, reason: str) -> None:
    """It is counted, and lines after it are read."""
    skipped: Counter[str] = Counter()
    assert len(JsonLines(skipped).feed([line, b"", b"  ", POINT])) == 1
    assert skipped == {reason: 1}


@pytest.mark.parametrize("spelling", ["[]", '{"a":1}', '{"a":{}}', "1", '{"a":"\\ud800"}', "{"])
def test_what_is_no_tags(spelling: str) -> None:
    with pytest.raises(BadPoint, match="tags_unreadable"):
        read_json_tags(spelling)


def test_no_tags_are_no_fault() -> None:
    assert [read_json_tags(spelling) for spelling in ("", "null", "{}")] == [{}, {}, {}]


def test_a_last_line_is_whole_or_cut_off() -> None:
    """A file that was copied without its last line end is whole."""
    for line, expected in ((POINT, {}), (POINT[:100], {"last_line_cut_off": 1})):
        skipped: Counter[str] = Counter()
        assert len(JsonLines(skipped).close([line])) == 1 - len(expected)
        assert skipped == expected
    for row, expected in (
        (ROW, {}),
        (ROW[:-3], {"last_line_cut_off": 1}),
        (ROW[:20], {"last_line_cut_off": 1}),
        (ROW[:-3] + b',"ab', {"lines_with_open_quotes": 1}),
    ):
        skipped = Counter()
        rows = CsvRows(skipped)
        rows.feed([HEADER.strip().encode()])
        assert len(rows.close([row])) == 1 - len(expected)
        assert skipped == expected


def read_rows(text: str | bytes, header: str = HEADER) -> tuple[list[dict[str, str]], Counter[str]]:
    """Return the tags of all rows, and what was left out."""
    skipped: Counter[str] = Counter()
    rows = CsvRows(skipped)
    screen = LineScreen(skipped)
    raw = header.encode() + (text if isinstance(text, bytes) else text.encode())
    points = rows.feed(screen.feed(raw)) + rows.close(screen.close())
    return [dict(rows.read_tags(point[3])) for point in points], skipped


def test_a_row_of_csv() -> None:
    """Quotes may hold commas, quotes and line ends; tags without a column stand together."""
    tags, skipped = read_rows(
        'checks,1795521361,1.000000,"is ""2,00""",,,,"::shop::in,ner",,"na\nme",,default,,,,,,'
        '"mine=a,b&other=x&y=1&z",vu=1&iter=2\n'
    )
    assert not skipped
    assert tags == [
        {
            "check": 'is "2,00"',
            "error": "",
            "error_code": "",
            "expected_response": "",
            "group": "::shop::in,ner",
            "method": "",
            "name": "na\nme",
            "proto": "",
            "scenario": "default",
            "service": "",
            "status": "",
            "subproto": "",
            "tls_version": "",
            "url": "",
            "mine": "a,b",
            "other": "x",
            "y": "1&z",
        }
    ]


def test_columns_are_those_of_the_header() -> None:
    """An older k6 had no metadata, and system tags may be off."""
    header = "metric_name,timestamp,metric_value,method,url,extra_tags\n"
    tags, _ = read_rows("http_reqs,1795521361,1,GET,http://h/,a=1\n", header)
    assert tags == [{"method": "GET", "url": "http://h/", "a": "1"}]
    assert is_csv_header(header.strip().encode())
    assert not is_csv_header(b"metric_name,timestamp,metric_values")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"level=info, something, else, here", "time_unreadable"),
        (b"running", "lines_of_text"),
        (ROW.replace(b"1.0", b"one"), "lines_of_text"),
        (ROW.replace(b"1.000000", b"+Inf"), "values_not_finite"),
        (ROW.replace(b"1.000000", b"NaN"), "values_not_finite"),
        (ROW + b'"', "lines_with_open_quotes"),
        (ROW + b"\0", "lines_with_zero_bytes"),
        (ROW + b"\xff", "lines_not_utf8"),
        (ROW + b"x" * MAX_LINE_BYTES, "lines_too_long"),
        (HEADER.strip().encode(), "time_unreadable"),
    ],
)
def test_what_is_no_row(line: bytes, reason: str) -> None:
    """It is counted, and rows before and after it are read."""
    tags, skipped = read_rows(b"\n".join((ROW, line, ROW, b"", ROW, b"")))
    assert skipped == {reason: 1}
    assert len(tags) == 3


def test_an_open_quote_costs_one_line() -> None:
    """Even where another one follows much later."""
    broken = ROW + b'"'
    tags, skipped = read_rows(b"\n".join((broken, *[ROW] * 50, broken, *[ROW] * 50, b"")))
    assert skipped == {"lines_with_open_quotes": 2}
    assert len(tags) == 100
    tags, skipped = read_rows(b"\n".join((broken, *[ROW] * 40_000)))
    assert skipped == {"lines_with_open_quotes": 1}
    assert len(tags) == 40_000


def test_a_quote_that_is_never_closed_is_given_up() -> None:
    """After a mebibyte of lines that may be in it, at the end, or where no row comes of it."""
    text = b"some text\n"
    tags, skipped = read_rows(b'a "b\n' + text * 110_000 + ROW)
    assert skipped == {"lines_with_open_quotes": 1, "lines_of_text": 110_000}
    assert len(tags) == 1
    tags, skipped = read_rows(b'a "b\n' + text * 3)
    assert skipped == {"lines_with_open_quotes": 1, "lines_of_text": 3}
    tags, skipped = read_rows(b'a "b\n' + text + b'c "d\n' + ROW)
    assert skipped == {"lines_with_open_quotes": 2, "lines_of_text": 1}
    assert len(tags) == 1


def test_text_before_the_header() -> None:
    tags, skipped = read_rows(ROW + b"\n", "level=info\n\n" + HEADER)
    assert skipped == {"lines_of_text": 1}
    assert len(tags) == 1


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_lines_are_screened(chunk_bytes: int) -> None:
    """A mark of byte order and both kinds of line ends are no fault."""
    skipped: Counter[str] = Counter()
    screen = LineScreen(skipped)
    raw = b"\xef\xbb\xbfone\r\ntwo\n\0\nth\xc3\xa9\n\xff\nlast"
    lines = []
    for at in range(0, len(raw), chunk_bytes):
        lines += screen.feed(raw[at : at + chunk_bytes])
    assert lines == [b"one", b"two", "thé".encode()]
    assert screen.close() == [b"last"]
    assert skipped == {"lines_with_zero_bytes": 1, "lines_not_utf8": 1}


def test_a_line_may_be_a_mebibyte_and_no_longer() -> None:
    skipped: Counter[str] = Counter()
    screen = LineScreen(skipped)
    for extra in (0, 1, 2, 3 * MAX_LINE_BYTES):
        line = b"x" * (MAX_LINE_BYTES + extra)
        assert screen.feed(line + b"\nnext\n") == ([line, b"next"] if not extra else [b"next"])
    assert skipped == {"lines_too_long": 3}
