"""Files of stacks: every format, and what is no such file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import FrameKind
from collectors.source import SourceError
from collectors.stackfile.folded import INLINED_MODULE, FoldedDecoder
from collectors.stackfile.perf_text import PerfTextDecoder
from collectors.stackfile.reader import ImportedProfile, read_profile
from collectors.stackfile.speedscope import Found, decode_speedscope
from collectors.stackfile.tally import Tally
from tests.collectors.stackfile.folding import ONE, folded, written

FOLDED = """main;work 12
main;read;sys_read_[k] 3
main;f(a, b) 2.0
# a comment

main;jit_[j];small_[i] 1
"""


def test_folded_stacks(tmp_path: Path) -> None:
    """Annotations tell kinds; names may hold blanks; a float is rounded."""
    profile = read_profile(written(tmp_path, FOLDED))
    (batch,) = profile.batches
    kinds = {frame.symbol: frame.kind for frame in batch.frames.values()}
    assert kinds["sys_read"] is FrameKind.KERNEL
    assert (kinds["jit"], kinds["small"]) == (FrameKind.JIT, FrameKind.USER)
    assert [f.symbol for f in batch.frames.values() if f.module == INLINED_MODULE] == ["small"]
    assert "f(a, b)" in kinds
    assert sum(count.samples for count in batch.counts.values()) == 18
    assert (profile.format, profile.is_weighted, profile.notes) == ("folded", False, ())


def speedscope(unit: str = "milliseconds") -> dict[str, object]:
    frames = [{"name": "main", "file": "/srv/app.rs"}, {"name": "work"}, {"name": "read"}]
    sampled = {
        "type": "sampled", "name": "worker", "unit": unit, "startValue": 0, "endValue": 9,
        "samples": [[0, 1], [0, 2], [0, 1]], "weights": [2, 3.5, 1],
    }  # fmt: skip
    events = [("O", 0, 0), ("O", 1, 1), ("C", 1, 4), ("O", 2, 4), ("C", 2, 5), ("C", 0, 6)]
    evented = {
        "type": "evented", "name": "main", "unit": unit, "startValue": 0, "endValue": 6,
        "events": [{"type": t, "frame": f, "at": at} for t, f, at in events],
    }  # fmt: skip
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": frames},
        "profiles": [sampled, evented],
    }


def test_speedscope_of_both_types() -> None:
    """Weights in the unit of time; what is open between two events has the time between them."""
    tally = Tally()
    found = decode_speedscope(json.dumps(speedscope()).encode(), tally)
    assert found == Found("milliseconds", (), has_times=False)
    assert folded(tally) == {
        "main;work": 6_000_000,  # 2 + 1, and 3 between the events
        "main;read": 4_500_000,
        "main": 2_000_000,
    }


def test_speedscope_without_a_unit_counts_samples(tmp_path: Path) -> None:
    """As folded stacks do."""
    profile = read_profile(written(tmp_path, json.dumps(speedscope("none")), "x.json"))
    assert (profile.format, profile.is_weighted) == ("speedscope", False)
    assert profile.batches[0].stacks[0].thread == "worker"


def test_another_unit_is_left_out_and_told() -> None:
    """Bytes and seconds make no sum."""
    file = speedscope()
    file["profiles"][1]["unit"] = "bytes"  # type: ignore[index]
    found = decode_speedscope(json.dumps(file).encode(), Tally())
    assert found.notes == ("1 profiles in another unit than milliseconds are left out",)


def evented(*events: tuple[str, int, float], unit: str = "seconds") -> dict[str, object]:
    """A file of one profile of events."""
    told = [{"type": t, "frame": f, "at": at} for t, f, at in events]
    profile = {"type": "evented", "name": "main", "unit": unit, "events": told}
    return {**speedscope(unit), "profiles": [profile]}


def seconds_of(file: dict[str, object]) -> dict[float, int]:
    """Return nanoseconds by the second that they are counted in."""
    tally = Tally()
    decode_speedscope(json.dumps(file).encode(), tally)
    return {b.start: sum(c.period_ns for c in b.counts.values()) for b in tally.batches()}


def test_events_have_times(tmp_path: Path) -> None:
    """What goes on over several seconds is counted in each of them, for its part."""
    file = evented(("O", 0, 0.5), ("O", 1, 1.25), ("C", 1, 3.0), ("C", 0, 3.75))
    assert seconds_of(file) == {0: 500_000_000, 1: 10**9, 2: 10**9, 3: 750_000_000}
    assert read_profile(written(tmp_path, json.dumps(file), "x.json")).has_times
    milliseconds = evented(("O", 0, 1500), ("C", 0, 2500), unit="milliseconds")
    assert seconds_of(milliseconds) == {1: 500_000_000, 2: 500_000_000}


@pytest.mark.parametrize(
    "file",
    [
        speedscope(),
        evented(("O", 0, 0), ("C", 0, 9), unit="none"),
        evented(("O", 0, -1), ("C", 0, 9)),
        evented(("O", 0, 0), ("C", 0, 1e8)),
        evented(("O", 0, 1e30), ("C", 0, 1e30)),
    ],
)
def test_times_that_can_not_be_told_or_cut_up(file: dict[str, object]) -> None:
    """With samples, whose times are not told; without a clock; before it; for years."""
    assert set(seconds_of(file)) <= {0.0}


def test_events_that_go_back_count_nothing_twice() -> None:
    """However often they do."""
    back = [("O", 0, 0.0)] + [("O", 1, 5.0), ("C", 1, 0.0)] * 1_000 + [("C", 0, 6.0)]
    assert sum(seconds_of(evented(*back)).values()) == 6_000_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"Usage: x FILE\nfiles:\n\tcd there\n\tadd x\nat 12:30: done\n",
            "no stacks that are known",
        ),
        (b"w  1  1.5: cpu-clock: \nw  1  1.6: cpu-clock: \n", "not asked for ip and sym"),
        (b"a;b\0;c 1\n" * 3, "has no stacks that are known"),
        (b"", "has no stacks that are known"),
        (b"hello\nworld\n", "has no stacks that are known"),
        (b"{}", "can't be read"),
        (b'{"shared": {"frames": []}, "profiles": []}', "has no stacks"),
        (b"{" * 100_000, "can't be read"),
        (b"PERFILE2" + bytes(100), "perf script -i"),
        (b"\x1f\x8b" + bytes(40), "can't be read to its end"),
        (gzip.compress(b"a;b 1\n" * 1_000_000), "too large when unpacked"),
        (bytes(range(256)) * 40, "has no stacks that are known"),
    ],
)
def test_what_is_no_file_of_stacks_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    """In one line that says what to do."""
    with pytest.raises(SourceError) as caught:
        read_profile(written(tmp_path, content))
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """Folders, pipes and nothing; none of them is waited for."""
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("", "is not a file"), ("pipe", "is not a file"), ("x", "No such file")):
        with pytest.raises(SourceError, match=said):
            read_profile(tmp_path / name)


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    """By what they begin with, whatever they are called."""
    plain, packed = written(tmp_path, ONE), written(tmp_path, gzip.compress(ONE.encode()), "x")
    assert read_profile(packed) == read_profile(plain)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_noise_is_rejected_or_read_but_never_more(noise: bytes, step: int) -> None:
    """No exception, no weight from nowhere, whatever comes."""
    for make in (PerfTextDecoder, FoldedDecoder):
        tally = Tally()
        decoder = make(tally)
        for start in range(0, len(noise), step):
            decoder.feed(noise[start : start + step])
        decoder.close()
        for batch in tally.batches():
            assert all(count.samples > 0 <= count.period_ns for count in batch.counts.values())


def test_a_profile_is_a_value(tmp_path: Path) -> None:
    """Two readings are equal."""
    path = written(tmp_path, FOLDED)
    assert isinstance(read_profile(path), ImportedProfile)
    assert read_profile(path) == read_profile(path)


@pytest.mark.parametrize(
    ("event", "counted"),
    [("cpu-clock", None), ("task-clock:u", None), ("cpu-clock/call-graph=fp/", None)]
    + [(name, name) for name in ("cycles", "cpu_core/cycles/", "page-faults:u")],
)
def test_periods_are_time_only_of_clocks(event: str, counted: str | None, tmp_path: Path) -> None:
    """Of other events they are occurrences, and said to be."""
    path = written(tmp_path, ONE.replace("cpu-clock", event))
    assert read_profile(path).counted_event == counted
    assert read_profile(written(tmp_path, FOLDED)).counted_event is None
