"""Stacks in the formats of other programs, and back."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from collectors.stackfile.folded import FoldedDecoder
from collectors.stackfile.reader import read_profile
from collectors.stackfile.speedscope import decode_speedscope
from collectors.stackfile.tally import Tally
from tui.cli import main
from tui.export.stacks.folded import folded_lines
from tui.export.stacks.formats import StackFormat, format_of, write_stacks
from tui.export.stacks.speedscope import SCHEMA, speedscope_json
from tui.model.stacks import StackTable

NASTY = '<script>alert("1")</script> ]]> & \' {{x}}'
NO_XML = "a\uffffb\ufffec"
STACKS = {("main", "work"): 3, ("main", "work", "sys_read"): 2, ("main", NASTY): 1}


def made(
    stacks: dict[tuple[str, ...], int], period_ns: int = 10
) -> tuple[StackTable, dict[int, StackCount]]:
    """Return a table with these stacks; `sys_` begins the kernel's functions."""
    ids: dict[str, int] = {}
    rows = {
        number: Stack(
            "s", f"worker-{number % 2}", tuple(ids.setdefault(n, len(ids)) for n in names)
        )
        for number, names in enumerate(stacks)
    }
    frames = {
        number: Frame(
            name, "server", FrameKind.KERNEL if name.startswith("sys_") else FrameKind.USER
        )
        for name, number in ids.items()
    }
    table = StackTable()
    table.add(StackBatch(0.0, 0.0, {}, rows, frames))
    return table, {
        number: StackCount(count, count * period_ns) for number, count in enumerate(stacks.values())
    }


def test_folded_lines() -> None:
    """Nanoseconds where samples have periods, else samples; kernel frames say so."""
    assert list(folded_lines(*made({**STACKS, ("main", "a;b"): 1}))) == [
        f"main;{NASTY} 10\n",
        "main;a:b 10\n",
        "main;work 30\n",
        "main;work;sys_read_[k] 20\n",
    ]
    assert "main;work 3\n" in list(folded_lines(*made(STACKS, 0)))


def test_speedscope_is_of_its_schema() -> None:
    """Every index is in the table, weights are as many as samples and add up."""
    file = json.loads(speedscope_json(*made(STACKS), "run", "flashpoint 1"))
    assert file["$schema"] == SCHEMA
    frames = file["shared"]["frames"]
    assert {frame["name"] for frame in frames} == {"main", "work", "sys_read_[k]", NASTY}
    assert [profile["name"] for profile in file["profiles"]] == ["worker-0", "worker-1"]
    total = 0
    for profile in file["profiles"]:
        assert (profile["type"], profile["unit"]) == ("sampled", "nanoseconds")
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= n < len(frames) for sample in profile["samples"] for n in sample)
        assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
        total += sum(profile["weights"])
    assert total == 60


def test_kinds_of_frames_survive() -> None:
    """Of the kernel, made at run time, inlined, unknown: through folded lines and speedscope."""
    lines = ["[unknown];main;sys_read_[k] 2\n", "main;jit_[j];small_[i] 1\n"]
    tally = Tally()
    decoder = FoldedDecoder(tally)
    decoder.feed("".join(lines).encode())
    (batch,) = tally.batches()
    table = StackTable()
    table.add(batch)
    assert list(folded_lines(table, batch.counts)) == lines
    tally = Tally()
    decode_speedscope(speedscope_json(table, batch.counts, "x", "y"), tally)
    (other,) = tally.batches()
    assert {(f.symbol, f.kind) for f in other.frames.values()} == {
        (f.symbol, f.kind) for f in batch.frames.values()
    }


def test_what_is_no_time_is_not_called_time() -> None:
    """Periods of another event than a clock are its occurrences."""
    table, counts = made(STACKS)
    units = [
        profile["unit"]
        for event in (None, "cycles")
        for profile in json.loads(speedscope_json(table, counts, "x", "y", event))["profiles"]
    ]
    assert units == ["nanoseconds", "nanoseconds", "none", "none"]
    text = write_stacks(StackFormat.SVG, table, counts, "x", "y", "cycles").decode()
    assert "6 samples, 60 cycles" in text
    raw = gzip.decompress(write_stacks(StackFormat.PPROF, table, counts, "x", "y", "cycles"))
    assert b"cycles" in raw
    assert b"nanoseconds" not in raw


def test_an_svg_is_whole_and_holds_names_as_data() -> None:
    """One document without anything from elsewhere; its script is always the same."""
    text = write_stacks(StackFormat.SVG, *made(STACKS), NASTY, "flashpoint 1").decode()
    root = ET.fromstring(text)
    frames = [g for g in root.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "frame"]
    shares = {g.get("data-name"): float(g.get("data-w") or 0) for g in frames}
    assert shares["all"] == shares["main"] == 1
    assert shares["work"] == pytest.approx(5 / 6)
    assert shares[NASTY] == pytest.approx(1 / 6)
    (title,) = root.iter("{http://www.w3.org/2000/svg}title")
    assert title.text == NASTY
    (script,) = root.iter("{http://www.w3.org/2000/svg}script")
    assert script.text is not None
    assert "alert" not in script.text
    assert len(list(root.iter("{http://www.w3.org/2000/svg}script"))) == 1
    assert ET.fromstring(write_stacks(StackFormat.SVG, *made({(NO_XML,): 1}), NO_XML, "x"))
    outside = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith(("href", "src"))]
    assert outside == []


names = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1)
stacks = st.dictionaries(
    st.lists(names.filter(lambda n: "_[" not in n), min_size=1, max_size=6).map(tuple),
    st.integers(1, 10**9),
    min_size=1,
    max_size=20,
)


@given(stacks, st.sampled_from([0, 10_101_010]))
def test_there_and_back_stacks_are_the_same(
    found: dict[tuple[str, ...], int], period_ns: int
) -> None:
    """Folded and speedscope keep every stack and its weight."""
    table, counts = made(found, period_ns)
    lines = list(folded_lines(table, counts))
    tally = Tally()
    decoder = FoldedDecoder(tally)
    decoder.feed("".join(lines).encode())
    decoder.close()
    assert again(tally) == lines
    tally = Tally()
    decode_speedscope(speedscope_json(table, counts, "x", "y"), tally)
    assert again(tally) == lines


def again(tally: Tally) -> list[str]:
    """Return what was read as folded lines."""
    table = StackTable()
    counts: dict[int, StackCount] = {}
    for batch in tally.batches():
        table.add(batch)
        counts.update(batch.counts)
    return list(folded_lines(table, counts))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.folded", StackFormat.FOLDED),
        ("a.speedscope.json", StackFormat.SPEEDSCOPE),
        ("A.PB.GZ", StackFormat.PPROF),
        ("a.svg", StackFormat.SVG),
        ("a.png", None),
        ("-", None),
    ],
)
def test_a_name_tells_the_format(name: str, found: StackFormat | None) -> None:
    """By its ending."""
    assert format_of(Path(name)) is found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.folded"
    path.write_text("main;work 3\nmain;read 2\nbroken\n")
    return path


def test_a_file_is_converted(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """To a file or to standard output; what could not be read is told."""
    assert main(["export", str(file), "--format", "folded"]) == 0
    out, err = capfd.readouterr()
    assert out == "main;read 2\nmain;work 3\n"
    assert err == "flashpoint: left out: 1 × line unreadable\n"
    target = tmp_path / "out.speedscope.json"
    assert main(["export", str(file), "-o", str(target)]) == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert read_profile(target).format == "speedscope"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{file}"], "which format? (add --format: folded, speedscope, pprof, svg)"),
        (["{file}", "--format", "png"], "'png' is not one of"),
        (["{file}", "-o", "{file}"], "is there already (add --force to replace it)"),
        (["{file}", "-o", "/not/there/x.svg"], "there is no such folder"),
        (["/not/there", "--format", "svg"], "there is no file /not/there"),
        (["{file}", "--format", "svg", "--", "./server"], "export starts no server"),
    ],
)
def test_what_can_not_be_converted_is_refused(
    arguments: list[str], said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit status 2, and nothing lost."""
    before = file.read_bytes()
    assert main(["export", *(each.replace("{file}", str(file)) for each in arguments)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert file.read_bytes() == before


def test_a_file_is_replaced_when_asked(file: Path) -> None:
    """In one step."""
    assert main(["export", str(file), "-o", str(file), "--force"]) == 0
    assert file.read_text() == "main;read 2\nmain;work 3\n"


def test_to_look_at_a_file_needs_a_terminal(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To convert it does not."""
    assert main(["flame", str(file)]) == 2
    assert "this is no terminal (flashpoint export" in capsys.readouterr().err


def test_binary_is_not_written_to_a_terminal(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text is."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["export", str(file), "--format", "pprof"]) == 2
    assert "pprof is no text (name a file: -o OUT)" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error(file: Path) -> None:
    """As when `head` ends."""
    file.write_text("".join(f"main;f{n} 1\n" for n in range(50_000)))
    argv = [sys.executable, "-m", "tui", "export", str(file), "--format", "folded"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_to_convert_loads_no_screen(file: Path) -> None:
    """Nor an event loop: half of the time it takes."""
    code = (
        "import sys; from tui.cli import main; main(['export', sys.argv[1], '--format', 'folded']);"
        "sys.exit(str({'textual', 'rich', 'aiohttp', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, check=False)
    assert done.stderr.decode().splitlines()[-1] == "set()"
