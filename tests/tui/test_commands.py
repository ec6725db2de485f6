from __future__ import annotations

import re
from collections import Counter

import pytest

from tui.commands import COMMANDS, LIVE, REPLAY, Command, command, key_name


def test_ids_and_keys_are_there_once() -> None:
    """No key does two things, and no command is without one."""
    assert Counter(each.id for each in COMMANDS).most_common(1)[0][1] == 1
    for usable in (LIVE, REPLAY):
        keys = [key for each in COMMANDS if each.id in usable for key in each.keys]
        assert Counter(keys).most_common(1)[0][1] == 1
    assert {each.id for each in COMMANDS} == LIVE | REPLAY
    assert all(each.keys for each in COMMANDS)


def test_ids_are_stable() -> None:
    """People bind their own keys to them: an id may be added, not changed."""
    assert {each.id for each in COMMANDS} >= {
        "load.start",
        "load.stop",
        "display.freeze",
        "display.theme",
        *(f"panel.{name}" for name in ("next", "previous", "load", "machine", "flame", "log")),
        "panel.maximise",
        *(f"flame.{name}" for name in ("up", "down", "left", "right", "zoom", "unzoom")),
        "app.palette",
        "app.help",
        "app.quit",
    }


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.id)
def test_texts_fit_where_they_are_shown(each: Command) -> None:
    """A short title for the footer, one sentence of help."""
    found = command(each.id)
    assert found is each
    assert re.fullmatch(r"[a-z]+\.[a-z]+", found.id)
    assert 0 < len(found.title) <= 16
    assert re.fullmatch(r"[A-Z].*[^.]\.", found.help)
    assert found.group


def test_the_most_wanted_hints_differ_in_weight() -> None:
    """So that which of them fits doesn't depend on the order of the table."""
    weights = [each.weight for each in COMMANDS if each.weight]
    assert len(weights) == len(set(weights))
    assert all(0 <= weight <= 99 for weight in weights)
    assert command("app.help").weight == max(weights)


@pytest.mark.parametrize(
    ("key", "name"),
    [("question_mark", "?"), ("enter", "⏎"), ("ctrl+p", "^p"), ("x", "x"), ("T", "T")],
)
def test_keys_are_named_as_the_screen_shows_them(key: str, name: str) -> None:
    """Symbols for those that have one, else as they are."""
    assert key_name(key) == name


def test_an_unknown_id_is_an_error() -> None:
    """Not a command that does nothing."""
    with pytest.raises(KeyError, match=r"load\.fly"):
        command("load.fly")
