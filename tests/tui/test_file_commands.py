"""`replay`, `export` and `ls` on the command line: what is refused, and in which words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from collectors.recording.codec import Arrival
from tests.tapes import BEGIN, a_run, stacks, timeline_of, write_recording
from tui.cli import main
from tui.export.formats import ExportFormat, Scope, export
from tui.model.rangespec import everything
from tui.model.timeline import TimeRange
from tui.tape import about_of, open_tape

RUN = a_run(20)
TIMELINE = timeline_of(RUN)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only recording there is; also a file of another program."""
    monkeypatch.setenv("FLASHPOINT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o700)
    (tmp_path / "x.folded").write_text("main;f 3\n")
    (tmp_path / "x.txt").write_text("nothing\n")
    path = folder / "20261124-090000-shop.flashpoint"
    write_recording(path, [RUN])
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "Missing argument 'RECORDING'"),
        (["replay", "latest"], "this is no terminal"),
        (["replay", "latest", "--at", "soon"], "'soon' is no duration"),
        (["replay", "latest", "--", "./server"], "replay starts no server"),
        (["export"], "Missing argument 'FILE'"),
        (["export", "latest"], "which format?"),
        (["export", "latest", "-o", "x.exe"], "which format?"),
        (["export", "latest", "--format", "gif"], "'gif' is not one of"),
        (["export", "nowhere", "--format", "md"], "there is no recording nowhere"),
        (["export", "nowhere.json", "--format", "md"], "there is no file nowhere.json"),
        (["export", "x.txt", "--format", "folded"], "no stacks that are known"),
        (["export", ".", "--format", "folded"], "."),
        (["export", "latest", "-o", "none/x.md"], "there is no such folder"),
        (["export", "latest", "-o", "recordings", "--format", "md"], "is a folder"),
        (["export", "latest", "-o", "x.folded"], "add --force to replace it"),
        (["export", "latest", "--format", "md", "--range", "9-3"], "ends before it begins"),
        (["export", "latest", "--format", "md", "--range", "1:2:3:4-"], "is no time"),
        (["export", "latest", "--format", "md", "--range", "90-"], "nothing was measured in 90s-"),
        (["export", "latest", "--format", "md", "--range", "run 9"], "no baseline 'run 9'"),
        (["export", "latest", "--format", "md", "--baseline", "no"], "no baseline 'no'"),
        (["export", "latest", "--format", "svg", "--range", "0-0.05"], "no stacks in 0s-0.05s"),
        (["export", "x.folded", "--format", "md"], "md is of a whole run"),
        (["export", "x.folded", "--format", "svg", "--range", "0-9"], "is no run"),
        (["export", "latest", "--format", "md", "--", "./server"], "export starts no server"),
        (["export", "a\nb\x1b[2J", "--format", "md"], "a␊b␛[2J"),
        (["ls", "extra"], "unexpected extra argument"),
        (["ls", "--", "./server"], "ls starts no server"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, one line on standard error, no file written."""
    before = sorted(os.listdir())
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert output.err.count("\n") == 1, output.err
    assert output.out == ""
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("word", ["latest", "20261124-090000-shop", "20261124", "shop"])
def test_a_recording_is_found_by_its_name(
    word: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole, by its beginning or a part of it, or as the newest."""
    assert main(["export", word, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["about"]["name"] == run.name


@pytest.mark.parametrize("asked", list(ExportFormat))
def test_what_is_written_is_the_export_of_what_was_seen_live(
    asked: ExportFormat, run: Path
) -> None:
    """Byte for byte, in every format, of the whole load."""
    assert main(["export", str(run), "--format", asked.value, "-o", "out"]) == 0
    tape = open_tape(run)
    about = about_of(run.name, tape.header, TIMELINE)
    tape.close()
    expected = export(asked, Scope(TIMELINE, everything(TIMELINE), about))
    assert Path("out").read_bytes() == expected


def test_a_range_and_a_baseline_of_the_run(run: Path) -> None:
    """As they are in the run."""
    name, baseline = next(iter(TIMELINE.baselines.items()))
    arguments = ["--range", "5-15", "--baseline", name, "-o", "out.json"]
    assert main(["export", str(run), *arguments]) == 0
    zero = everything(TIMELINE).start
    tape = open_tape(run)
    about = about_of(run.name, tape.header, TIMELINE)
    tape.close()
    scope = Scope(TIMELINE, TimeRange(zero + 5, zero + 15), about, baseline)
    assert Path("out.json").read_bytes() == export(ExportFormat.JSON, scope)


def test_a_run_without_stacks_has_none_to_export(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rather than an empty file; its load can be."""
    path = run.with_name("plain.flashpoint")
    write_recording(path, [[each for each in RUN if each.sample in TIMELINE.loads]])
    assert main(["export", str(path), "--format", "folded"]) == 2
    assert "there are no stacks in it" in capsys.readouterr().err
    assert main(["export", str(path), "--format", "csv"]) == 0


def test_one_that_was_cut_off_is_exported_and_told(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, beside the file on standard output."""
    import sqlite3

    with sqlite3.connect(run) as connection:
        connection.execute("DELETE FROM meta WHERE key = 'end'")
    connection.close()
    assert main(["export", str(run), "--format", "csv"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("time,")
    assert output.err == f"flashpoint: {run.name} ended unclean: its writer was cut off\n"


def test_nobody_records_to_what_is_over(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So there is nothing to follow."""
    monkeypatch.setattr("tui.filecommands.refuse_without_terminal", lambda _: None)
    said: list[Any] = []
    monkeypatch.setattr("click.echo", lambda text, **_: said.append(text))
    assert main(["replay", "latest", "--follow"]) == 2
    assert "nobody is recording to" in str(said)


def test_a_short_name_that_fits_several_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that it may be."""
    write_recording(run.with_name("20261124-100000-shop.flashpoint"), [RUN])
    assert main(["export", "shop", "--format", "md"]) == 2
    error = capsys.readouterr().err
    assert "20261124-090000-shop, 20261124-100000-shop" in error


def test_stacks_that_came_before_any_load_are_exported(run: Path) -> None:
    """Where k6 was not yet there, too, if they are in the range."""
    path = run.with_name("early.flashpoint")
    arrivals = [Arrival(BEGIN + 1, stacks(BEGIN + 1, {1: 4}))]
    write_recording(path, [arrivals])
    assert main(["export", str(path), "-o", "out.folded"]) == 0
    assert Path("out.folded").read_text().rstrip().endswith("f1 40000000")
