"""Recordings are named, listed and found by what they are of; only old plain ones are removed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.recording.about import Card, Ending
from collectors.recording.folder import folder_of
from collectors.recording.schema import END_KEY
from collectors.recording.shelf import clear_away, entries, find, new_path
from collectors.source import SourceError
from tests.faults.made_up_recordings import closed, cut_off, note

BEGAN = datetime(2024, 6, 7, 12, 30, 15).astimezone()


def named(folder: Path, name: str, card: Card | None = None, *, age_s: float = 0.0) -> Path:
    """Make a small recording that was written to last at a time before now."""
    path = closed(folder / f"{name}.flashpoint", [note(1)], card)
    at = datetime.now().astimezone().timestamp() - age_s
    os.utime(path, (at, at))
    return path


@contextmanager
def live(path: Path) -> Iterator[None]:
    """Have another process record during the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.recording_child", str(path), "1", "1000"],
        stdout=subprocess.PIPE,
    ) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            yield
        finally:
            writer.kill()


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_the_folder_is_the_users_or_the_one_that_is_named() -> None:
    assert folder_of({"FLASHPOINT_STATE_DIR": "/state"}) == Path("/state/recordings")
    for env in ({}, {"FLASHPOINT_STATE_DIR": ""}):
        assert folder_of(env).parts[-2:] == ("flashpoint", "recordings")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("checkout.js", "checkout"),
        ("a/b/checkout.ts", "checkout"),
        ("../../etc/passwd", "passwd"),
        ("spaces and ümläuts.js", "spaces-and-ml-uts"),
        ("a\nb\x1b[2J.js", "a-b-2J"),
        ("...", "run"),
        ("-rf", "rf"),
        ("", "run"),
        ("日本", "run"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_name_is_the_time_and_what_is_harmless_of_the_script(
    script: str, expected: str, tmp_path: Path
) -> None:
    assert new_path(tmp_path, script, BEGAN) == tmp_path / f"20240607-123015-{expected}.flashpoint"


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    made = []
    for _ in range(3):
        made.append(new_path(tmp_path, "x.js", BEGAN))
        made[-1].symlink_to("nowhere")
    assert [each.name for each in made] == [
        f"20240607-123015-{each}.flashpoint" for each in ("x", "x-1", "x-2")
    ]


def test_a_recording_is_found_by_its_path_its_name_or_a_part_of_it(tmp_path: Path) -> None:
    old = named(tmp_path, "20240101-000000-checkout", age_s=500)
    new = named(tmp_path, "20240102-000000-search", age_s=400)
    for word in (str(old), old.name, "20240101-000000-checkout", "20240101", "checkout"):
        assert find(word, tmp_path) == old
    assert find("search", tmp_path) == new
    assert find("latest", tmp_path) == new


def test_the_latest_is_the_one_that_began_last_whatever_it_is_called(tmp_path: Path) -> None:
    """A name that a user gave sorts before or after all others."""
    now = datetime.now().astimezone()
    named(tmp_path, "zzz-before-the-change", age_s=7200)
    mine = named(tmp_path, f"{now - timedelta(hours=1):%Y%m%d-%H%M%S}-x", age_s=60)
    assert find("latest", tmp_path) == mine
    newest = named(tmp_path, "aaa-after-the-change")
    assert find("latest", tmp_path) == newest
    assert [each.name for each in entries(tmp_path)] == [
        "aaa-after-the-change",
        mine.name.removesuffix(".flashpoint"),
        "zzz-before-the-change",
    ]


def test_of_one_second_the_latest_was_written_last(tmp_path: Path) -> None:
    first, second = (
        named(tmp_path, f"20240101-000000-{name}", age_s=age_s)
        for name, age_s in (("x", 500), ("x-1", 400))
    )
    assert find("latest", tmp_path) == second
    assert clear_away(tmp_path, 1) == [first.name]


def test_the_beginning_of_a_name_wins_over_its_middle(tmp_path: Path) -> None:
    one = named(tmp_path, "shop")
    named(tmp_path, "20240101-000000-shop-b")
    assert find("sho", tmp_path) == one
    named(tmp_path, "shop-2")
    assert find("shop", tmp_path) == one


def test_what_may_be_several_is_refused_with_their_names(tmp_path: Path) -> None:
    for day in range(1, 9):
        named(tmp_path, f"2024010{day}-000000-x", age_s=1000 - day)
    with pytest.raises(SourceError) as refused:
        find("202401", tmp_path)
    assert "202401 may be one of" in refused.value.message
    assert "20240108-000000-x" in refused.value.message
    assert refused.value.message.count("-000000-x") == 5
    with pytest.raises(SourceError, match="may be one of"):
        find("", tmp_path)


@pytest.mark.parametrize("word", ["nothing", "latest", "a\0b", "x" * 1_500, "\x1b[2J", "../*"])
def test_what_is_none_is_refused_in_one_line(word: str, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "not there"):
        with pytest.raises(SourceError) as refused:
            find(word, folder)
        assert refused.value.message.startswith("there is no recording ")
        assert "\n" not in str(refused.value)
        assert "\x1b" not in str(refused.value)


def test_entries_tell_how_recordings_are(tmp_path: Path) -> None:
    card = Card(script="s.js", target="server", duration_s=60.0, requests=5, peak_rps=1.0)
    named(tmp_path, "20240105-000000-ended", card)
    cut_off(tmp_path / "20240104-000000-cut.flashpoint", [note(1)])
    broken = named(tmp_path, "20240103-000000-broken")
    broken.write_bytes(broken.read_bytes()[:1_500])
    (tmp_path / "20240102-000000-other.flashpoint").write_text("something else")
    os.mkfifo(tmp_path / "20240101-000000-pipe.flashpoint")
    (tmp_path / "notes.txt").write_text("x")
    with live(tmp_path / "20240106-000000-live.flashpoint"):
        found = entries(tmp_path)
    assert [each.name.partition("-000000-")[2] for each in found] == [
        *("live", "ended", "cut", "broken")
    ]
    assert [each.state for each in found[:3]] == ["recording", "ended", "ended unclean"]
    assert "can't read" in found[3].state
    assert found[1].card == card
    assert found[3].card == Card()
    assert found[3].began_at is None
    assert found[1].began_at == datetime.fromtimestamp(1_700_000_000.0).astimezone()
    assert found[1].size_bytes == found[1].path.stat().st_size
    log_bytes = Path(f"{found[2].path}-wal").stat().st_size
    assert found[2].size_bytes == found[2].path.stat().st_size + log_bytes
    assert entries(tmp_path / "not there") == []


def test_the_oldest_are_cleared_away_with_what_lies_beside_them(tmp_path: Path) -> None:
    for day in range(1, 6):
        cut_off(tmp_path / f"2024010{day}-000000-x.flashpoint", [note(1)])
    before = names(tmp_path)
    assert clear_away(tmp_path, 5) == []
    assert names(tmp_path) == before
    assert clear_away(tmp_path, 3) == [f"2024010{day}-000000-x.flashpoint" for day in (1, 2)]
    assert names(tmp_path) == [name for name in before if name[:8] > "20240102"]
    assert clear_away(tmp_path, 0) == [f"2024010{day}-000000-x.flashpoint" for day in (3, 4, 5)]
    assert names(tmp_path) == []


def test_what_somebody_wants_or_nobody_can_judge_is_kept_and_does_not_count(
    tmp_path: Path,
) -> None:
    named(tmp_path, "before-the-change")
    named(tmp_path, "20240101-000000-noted", Card(is_marked=True))
    broken = named(tmp_path, "20240102-000000-broken")
    broken.write_bytes(broken.read_bytes()[:1_500])
    (tmp_path / "20240103-000000-other.flashpoint").write_text("something else")
    (tmp_path / "20240104-000000-x.txt").write_text("something else")
    (tmp_path / "20240105-000000-x.flashpoint-wal").write_text("something else")
    kept = names(tmp_path)
    for day in range(1, 4):
        named(tmp_path, f"2024020{day}-000000-x")
    with live(tmp_path / "20240101-000000-live.flashpoint"):
        removed = clear_away(tmp_path, 1)
        assert removed == [f"2024020{day}-000000-x.flashpoint" for day in (1, 2)]
        assert clear_away(tmp_path, 0) == ["20240203-000000-x.flashpoint"]
        left = [name for name in names(tmp_path) if "-live" not in name]
        assert left == kept
        assert (tmp_path / "20240101-000000-live.flashpoint").exists()
    assert clear_away(tmp_path / "not there", 0) == []


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "recordings").mkdir()
    path = named(tmp_path / "mine", "precious")
    link = tmp_path / "recordings" / "20240101-000000-x.flashpoint"
    link.symlink_to(path)
    assert clear_away(tmp_path / "recordings", 0) == [link.name]
    assert path.exists()
    assert names(tmp_path / "recordings") == []


def test_one_that_ended_before_its_run_says_why(tmp_path: Path) -> None:
    """A list shows at once that something is missing."""
    path = named(tmp_path, "20240105-000000-full")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        ending = msgspec.json.encode(Ending(1.0, "full")).decode()
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (ending, END_KEY))
    assert entries(tmp_path)[0].state == "ended early: full"
