"""The list of recordings: a table for people, a line of JSON each for programs."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.recording.about import Card
from tests.tapes import BEGIN, a_run, header, write_recording
from tui.cli import main
from tui.listing import list_recordings
from tui.views.format import cell_width

CARD = Card("shop.js", "server (pid 7)", 83.0, 12_345, 161.4, 12.3, "the server is CPU-bound")
RUN = a_run(5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of recordings."""
    monkeypatch.setenv("FLASHPOINT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    found = tmp_path / "recordings"
    found.mkdir(mode=0o700)
    return found


def put(folder: Path, name: str, card: Card | None = CARD) -> Path:
    """Record something under a name."""
    path = folder / f"{name}.flashpoint"
    write_recording(path, [RUN], card)
    return path


def objects() -> list[dict[str, Any]]:
    """The list for programs."""
    return [json.loads(line) for line in list_recordings(as_json=True)]


def test_the_table_has_a_row_for_each_the_newest_first(folder: Path) -> None:
    """With what its card says; a note is a sign."""
    put(folder, "20261124-090000-shop")
    put(folder, "20261124-100000-shop", replace(CARD, script="noted.js", is_marked=True))
    title, first, second, last = list_recordings(as_json=False)
    assert title.split() == [
        "when", "script", "target", "length", "peak/s", "p95", "size", "verdict"
    ]  # fmt: skip
    assert "noted.js" in first
    assert "✎ the server is CPU-bound" in first
    for part in ("shop.js", "server (pid 7)", "1:23", "161", "12.3 ms", "MB", "CPU-bound"):
        assert part in second, part
    began = datetime.fromtimestamp(BEGIN + header().wall_offset_s).astimezone()
    assert second.startswith(f"{began:%Y-%m-%d %H:%M:%S}")
    assert last.endswith("flashpoint replay 20261124-100000-shop")


def test_programs_get_everything_unrounded(folder: Path) -> None:
    """Units in names; the path can be opened."""
    path = put(folder, "20261124-090000-shop")
    (found,) = objects()
    assert found == {
        "name": "20261124-090000-shop",
        "path": str(path),
        "began_at": found["began_at"],
        "state": "ended",
        "script": "shop.js",
        "target": "server (pid 7)",
        "duration_s": 83.0,
        "requests": 12_345,
        "peak_rps": 161.4,
        "p95_ms": 12.3,
        "verdict": "the server is CPU-bound",
        "is_marked": False,
        "size_bytes": path.stat().st_size,
    }
    began = datetime.fromisoformat(found["began_at"])
    assert began.timestamp() == BEGIN + header().wall_offset_s


def test_a_recording_without_an_end_was_cut_off(folder: Path) -> None:
    """Told in both forms; without a card the name stands for the script."""
    path = put(folder, "20261124-090000-shop", None)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM meta WHERE key = 'end'")
    connection.close()
    assert [each["state"] for each in objects()] == ["ended unclean"]
    _, row, *_ = list_recordings(as_json=False)
    assert "ended unclean" in row
    assert "20261124-090000-shop" in row


def test_what_can_not_be_read_says_why(folder: Path) -> None:
    """It is in the list all the same."""
    path = put(folder, "20261124-090000-shop")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    (found,) = objects()
    assert "newer flashpoint" in found["state"]
    assert found["began_at"] is None
    _, row, *_ = list_recordings(as_json=False)
    assert "newer flashpoint" in row


def test_other_files_are_no_recordings(folder: Path) -> None:
    """Whatever they are called."""
    (folder / "x.flashpoint").write_text("no")
    (folder / "y.txt").write_text("no")
    (folder / "z.flashpoint").mkdir()
    assert objects() == []


@pytest.mark.parametrize("is_there", [True, False])
def test_an_empty_list_says_where_it_looked(
    is_there: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing for programs; no error either, also where there is no folder yet."""
    if not is_there:
        folder.rmdir()
    assert main(["ls"]) == 0
    assert capsys.readouterr().out == f"no recordings yet in {folder}\n"
    assert main(["ls", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert folder.exists() == is_there


def test_names_of_any_bytes_are_listed(folder: Path, capfdbinary: Any) -> None:
    """As well as they can be told; nothing of them reaches the terminal as it is."""
    path = put(folder, "plain")
    os.rename(path, os.fsencode(folder) + b"/odd-\xff\x1b[2J.flashpoint")
    assert main(["ls", "--json"]) == 0
    assert main(["ls"]) == 0
    output = capfdbinary.readouterr()
    assert b"\x1b" not in output.out
    assert "odd-" in json.loads(output.out.splitlines()[0])["name"]


def test_columns_stand_below_each_other_whatever_the_letters(folder: Path) -> None:
    """Wide ones take two cells."""
    put(folder, "20261124-090000-a", replace(CARD, script="負荷試験.js", target="サーバー"))
    put(folder, "20261124-080000-b")
    title, first, second, *_ = list_recordings(as_json=False)
    places = []
    for row, word in ((title, "verdict"), (first, "the server is"), (second, "the server is")):
        places.append(cell_width(row.partition(word)[0]))
    assert len(set(places)) == 1


def test_rows_are_no_wider_than_the_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a card says."""
    put(folder, "20261124-090000-a", replace(CARD, script="x" * 300, verdict="y" * 300))
    monkeypatch.setenv("COLUMNS", "80")
    rows = list(list_recordings(as_json=False))[:2]
    assert all(cell_width(row) <= 80 for row in rows)
