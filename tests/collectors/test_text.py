from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.text import sanitise, sanitise_lines

anything = st.text(st.characters(), max_size=200) | st.binary(max_size=200)
HOSTILE_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
# Signs of the Arabic, Syriac, Kaithi and Egyptian scripts: format characters, but with a shape.
SHAPED_FORMATS = (
    *range(0x600, 0x606),
    *(0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD),
    *range(0x13430, 0x13440),
)


def is_hostile(char: str) -> bool:
    """Whether a character could act on a terminal or hide in a line, by Unicode's own tables."""
    code, category = ord(char), unicodedata.category(char)
    return (
        category in HOSTILE_CATEGORIES
        or (category == "Cf" and code not in SHAPED_FORMATS)
        or unicodedata.bidirectional(char) in BIDI
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE0FFF
    )


@given(anything, st.integers(1, 300))
def test_nothing_hostile_comes_out(text: str | bytes, limit: int) -> None:
    """No control, bidirectional, zero-width or tag characters, no surrogates; bounded; stable."""
    safe = sanitise(text, limit)
    assert len(safe) <= limit
    assert not any(map(is_hostile, safe))
    assert sanitise(safe, limit) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain [/] text", "plain [/] text"),
        ("\x1b]52;c;x\x07", "␛]52;c;x␇"),
        ("a\u202eb", "a\\u202eb"),
        (b"\xff", "\\xff"),
        ("\x9b2J\x7f", "\\u009b2J␡"),
        ("grüße 日本", "grüße 日本"),
    ],
)
def test_what_was_there_is_shown(text: str | bytes, safe: str) -> None:
    """Visible glyphs in the place of what can't be shown; the rest as it was."""
    assert sanitise(text) == safe


def test_every_hostile_character_of_unicode_is_shown() -> None:
    """One by one, and what is not hostile stays as it is unless it can't be seen."""
    for code in range(sys.maxunicode + 1):
        safe = sanitise(chr(code))
        if is_hostile(chr(code)):
            assert not any(map(is_hostile, safe)), hex(code)
            assert safe.strip(), hex(code)
        elif unicodedata.category(chr(code))[0] in "NPSZ":
            assert safe == chr(code), hex(code)


@pytest.mark.parametrize(
    ("text", "limit", "safe"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        ("\x00\u202e", 4, "␀\\u…"),
        ("日本語".encode(), 2, "日…"),
        ("日本".encode(), 2, "日本"),
        ("abc", 1, "…"),
    ],
)
def test_what_is_cut_is_marked(text: str | bytes, limit: int, safe: str) -> None:
    """The limit is of the result, and no character is cut in two."""
    assert sanitise(text, limit) == safe


def test_a_megabyte_costs_no_more_than_its_beginning() -> None:
    """Only what can be in the result is looked at."""
    assert sanitise(b"\x1b" * (1 << 24), 3) == "␛␛…"


@given(st.text(st.characters(), max_size=200))
def test_lines_are_safe_and_stable(text: str) -> None:
    """Only line feeds are left of what acts on a terminal."""
    safe = sanitise_lines(text)
    assert not any(map(is_hostile, safe.replace("\n", "")))
    assert sanitise_lines(safe) == safe.removesuffix("\n")


def test_lines_stay_lines() -> None:
    """Line ends are kept, tabs are spaces, the rest is made safe."""
    assert sanitise_lines("a\tb\n\x1b[31mc") == "a   b\n␛[31mc"
