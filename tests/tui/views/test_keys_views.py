from __future__ import annotations

import pytest

from tests.builders import texts
from tui.commands import COMMANDS, LIVE, REPLAY, key_name
from tui.views.keys import KeysView, draw_keys

VIEW = KeysView(frozenset({"load.start"}))
HINTS = {
    f"{key_name(each.keys[0])} {each.title}" for each in COMMANDS if each.weight and each.id in LIVE
}


@pytest.mark.parametrize("width", [*range(0, 50), 79, 80, 120, 160])
def test_hints_are_whole_or_not_there(width: int) -> None:
    """The row is exactly as wide as asked, whatever fits."""
    (row,) = texts(draw_keys(VIEW, width, 1))
    assert len(row) == width
    assert {hint.strip() for hint in row.split("  ") if hint.strip()} <= HINTS


def test_all_hints_fit_on_a_wide_screen() -> None:
    """In the order of the command table."""
    (row,) = texts(draw_keys(VIEW, 160, 1))
    assert row.split("  ")[:3] == [" s start", "x stop", "p pause"]
    assert all(hint in row for hint in HINTS)


def test_a_replay_has_keys_of_its_own() -> None:
    """Those that play, instead of those that load."""
    (row,) = texts(draw_keys(KeysView(frozenset(), REPLAY), 80, 1))
    assert "space play" in row
    assert "stop" not in row


@pytest.mark.parametrize(("width", "hints"), [(10, [" ? help   "]), (1, [" "])])
def test_help_is_the_last_to_go(width: int, hints: list[str]) -> None:
    """Whoever knows nothing else finds everything there."""
    assert texts(draw_keys(VIEW, width, 1)) == hints


def test_quit_and_stop_stay_before_the_rest() -> None:
    """On a narrow screen too one can end the load and leave."""
    (row,) = texts(draw_keys(VIEW, 26, 1))
    assert row == " x stop  ? help  q quit   "


def test_what_does_nothing_now_is_dimmed() -> None:
    """Key and title, and nothing else."""
    (row,) = draw_keys(VIEW, 80, 1)
    assert [text for text, key in row if key == "keys-off"] == [" s", " start "]
    assert (" x", "keys-key") in row
    assert draw_keys(VIEW, 80, 0) == []
