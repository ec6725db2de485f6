from __future__ import annotations

from tui.model.doctor.finding import Area, Finding, fail, ok, warn
from tui.views.findings import finding_lines, summary_line

FOUND = [
    ok(Area.K6, "program", "k6 2.2.0"),
    warn(Area.TERMINAL, "size", "70×20", "make it larger"),
    fail(Area.PERF, "permission", "not allowed", "sudo sysctl"),
]


def test_the_table_is_aligned_and_says_the_state_in_a_word_and_a_sign() -> None:
    """What mends it stands below, where the texts begin."""
    assert list(finding_lines(FOUND)) == [
        "✓ ok    k6        program     k6 2.2.0",
        "! warn  terminal  size        70×20",
        "                              → make it larger",
        "✗ fail  perf      permission  not allowed",
        "                              → sudo sysctl",
        "",
        "1 ok, 1 warn, 1 fail: something does not work, see the lines marked fail",
    ]


def test_without_unicode_the_signs_are_ascii() -> None:
    """The texts are whoever prints them to replace."""
    lines = list(finding_lines([FOUND[0], FOUND[2]], is_plain=True))
    assert "".join(lines).isascii()
    assert [line[0] for line in lines[:2]] == ["+", "x"]


def test_one_line_sums_up() -> None:
    """By the worst that there is."""
    nothing: list[Finding] = []
    assert summary_line(nothing) == "0 ok: all of it works"
    assert summary_line(FOUND[:1]) == "1 ok: all of it works"
    assert summary_line(FOUND[:2]) == "1 ok, 1 warn: all of it works, with something missing"
