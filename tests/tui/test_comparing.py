"""`flashpoint diff` as a command: two recordings made here, text out, an exit status."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path

import pytest

from collectors.recording.about import Header
from collectors.recording.recorder import Recorder
from collectors.samples import Frame, FrameKind, Sample, Stack, StackBatch, StackCount
from tests.builders import histogram, load
from tui.cli import main

SECONDS = 30


def second(at: float, *, ms: float, work: int) -> list[Sample]:
    """Return a second of a hundred requests and some samples of a function."""
    waves = [ms / 1e3 * (1 + 0.2 * (each % 10) / 10) for each in range(100)]
    stacks = StackBatch(
        start=at - 0.9,
        end=at - 0.1,
        counts={0: StackCount(work, work * 10_000_000), 1: StackCount(20, 200_000_000)},
        stacks={0: Stack("server", "t", (0, 1)), 1: Stack("server", "t", (0,))},
        frames={
            0: Frame("main", "server", FrameKind.USER),
            1: Frame("app::parse_json", "server", FrameKind.USER),
        },
    )
    return [load(at, 100, latency=histogram(waves)), stacks]


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[str, str]:
    """Two recordings: the later is twice as slow, its function costs three times as much."""
    paths = []
    for name, ms, work in (("calm", 10.0, 20), ("slow", 20.0, 60)):
        clock = count(100.0)
        now = [next(clock)]
        header = Header(100.0, 1.7e9, f"{name}.js", "0.1.0", "Linux, 2 cores", 1, 1)
        path = tmp_path / f"{name}.flashpoint"
        recorder = Recorder(path, header, partial(list.__getitem__, now, 0), lambda _: None)
        for _ in range(SECONDS):
            now[0] = next(clock)
            for sample in second(now[0], ms=ms, work=work):
                recorder.add(sample)
        recorder.close()
        paths.append(str(path))
    return paths[0], paths[1]


def test_what_changed_is_told(
    recorded: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Figures with signs, the function that changed, and both runs by name."""
    assert main(["diff", *recorded]) == 0
    out = capsys.readouterr().out
    assert "calm" in out
    assert "slow" in out
    assert any(line.startswith("▲ latency p95") for line in out.splitlines())
    assert any(line.startswith("▲ app::parse_json") for line in out.splitlines())


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("p95>+10%", 1),
        ("p95 > +300%", 0),
        ("symbol:parse_json>+10%", 1),
        ("symbol:main>+10%", 0),
        ("cpu_per_request>+5%", 1),  # of no machine: what can't be measured does not pass
        ("rps<-5%", 0),
        ("errors>1%", 0),
    ],
)
def test_a_condition_decides_the_status(
    recorded: tuple[str, str], capsys: pytest.CaptureFixture[str], condition: str, status: int
) -> None:
    """1 where it holds outside its interval, and the line says how much it was."""
    assert main(["diff", *recorded, "--fail-if", condition]) == status
    word = "FAIL" if status else "pass"
    assert any(line.startswith(word) for line in capsys.readouterr().out.splitlines())


def test_ranges_of_one_run(recorded: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The same one twice: nothing changed, as Markdown."""
    ranges = ["--before-range", "0:05-0:15", "--after-range", "last 10s"]
    assert main(["diff", recorded[0], recorded[0], *ranges, "--markdown"]) == 0
    out = capsys.readouterr().out
    assert "| = latency p95 |" in out
    assert "5s-15s" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fail-if", "p95>10%"], "signed"),
        (["--fail-if", "p59>+10%"], "p95"),
        (["--range", "9:00-9:30"], "nothing was measured"),
        (["--range", "night"], "there is no baseline"),
        (["--range", "0:30-0:10"], "ends before it begins"),
    ],
)
def test_what_can_not_be_compared_is_one_line(
    recorded: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """What, where, and what to do next; exit status 2."""
    assert main(["diff", *recorded, *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_run_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of those that are is named."""
    assert main(["diff", "nope", "latest"]) == 2
    assert "flashpoint ls" in capsys.readouterr().err
