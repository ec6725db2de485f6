"""Files of stacks: every format, and what is no such file."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack
from collectors.source import SourceError
from collectors.stackfile.folded import FoldedDecoder
from collectors.stackfile.perf_text import PerfTextDecoder
from collectors.stackfile.reader import ImportedProfile, read_profile
from collectors.stackfile.speedscope import decode_speedscope
from collectors.stackfile.tally import MAX_DEPTH, Tally

ONE = """
w  8329/8329   6636.001296:    2004008 cpu-clock:
\t            1151 work+0x28 (/srv/w)
\t            1198 main+0x29 (/srv/w)

w  8329/8330   6637.003299:    1000000 cpu-clock:
\t            1143 [unknown] (/srv/w)
\t            1198 main+0x29 (/srv/w)

""".lstrip("\n")


def folded(tally: Tally) -> Counter[str]:
    """Return weights (periods, else samples) by stacks like `main;work`."""
    frames: dict[int, Frame] = {}
    stacks: dict[int, Stack] = {}
    found: Counter[str] = Counter()
    for batch in tally.batches():
        frames.update(batch.frames)
        stacks.update(batch.stacks)
        for stack, count in batch.counts.items():
            names = ";".join(frames[number].symbol for number in stacks[stack].frames)
            found[names] += count.period_ns or count.samples
    return found


def perf(text: str, step: int = 1 << 20) -> tuple[Counter[str], PerfTextDecoder, Tally]:
    """Decode a text in pieces."""
    tally = Tally()
    decoder = PerfTextDecoder(tally)
    data = text.encode()
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
    decoder.close()
    return folded(tally), decoder, tally


def written(folder: Path, text: str | bytes, name: str = "stacks.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_perf_text_in_any_pieces(step: int) -> None:
    """A sample weighs its period; offsets are no part of names."""
    found, decoder, tally = perf(ONE, step)
    assert found == {"main;work": 2_004_008, "main;[unknown]": 1_000_000}
    assert (decoder.weighted, dict(decoder.events)) == (2, {"cpu-clock": 2})
    assert tally.rejected == {}


HEADERS = [
    ("w  8329  6636.001296:    2004008 cpu-clock: ", 2_004_008, "cpu-clock", "w"),
    ("w  8329 [003]  6636.001296:    2004008 cpu-clock:pppH: ", 2_004_008, "cpu-clock:pppH", "w"),
    ("my server 2  8329/8331  6636.001296:  17 cycles:u:", 17, "cycles:u", "my server 2"),
    ("w  8329  6636.001296: cpu-clock: ", 1, "cpu-clock", "w"),
    ("w  8329 cpu-clock: ", 1, "cpu-clock", "w"),
    ("w  8329    2004008 cpu-clock: ", 2_004_008, "cpu-clock", "w"),
    ("w  8329/8330    2004008 cpu-clock: ", 2_004_008, "cpu-clock", "w"),
    ("w  8329  6636.001296: ", 1, "", "w"),
    (" 8329/8330  6636.001296:   2004008 ", 2_004_008, "", ""),
    ("   2004008 ", 1, "", ""),
]


@pytest.mark.parametrize(("header", "weight", "event", "owner"), HEADERS)
def test_headers_of_many_fields(header: str, weight: int, event: str, owner: str) -> None:
    """As `perf script -F` prints them; a number that may be a process is no period."""
    text = f"{header}\n\t            1151 work (/srv/w)\n\t            1198 main (/srv/w)\n\n"
    found, decoder, _ = perf(text * 2)
    assert found == {"main;work": 2 * weight}
    assert list(decoder.events) == ([event] if event else [])
    tally = Tally()
    PerfTextDecoder(tally).feed(text.encode())
    ((stack,),) = (batch.stacks.values() for batch in tally.batches())
    assert stack.process == owner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Without call graphs the only frame stands on the header.
        (
            "               w  8332  6637.085235:    2004008 cpu-clock:  1151 work+0x1 (/srv/w)\n"
            "               w  8332  6637.087249:    2004008 cpu-clock:      56 idle (/srv/w)\n",
            {"work": 2_004_008, "idle": 2_004_008},
        ),
        # Addresses and symbols only, with call graphs and without.
        (
            "\n\t     1151 work\n\t     1198 main\n\n\n\t     1143 work\n",
            {"main;work": 1, "work": 1},
        ),
        (" ffffffff822018b1 _raw_spin_unlock_irq\n     563993656151 work\n     563993656151 work\n",
         {"_raw_spin_unlock_irq": 1, "work": 2}),
        ("w 1 1.5:  563993656151 work\n", {"work": 1}),
        ("w 1 1.6:  17  563993656151 work\n", {"work": 17}),
        # Comments, places in sources, and no blank line at the end.
        (
            "# ========\n# captured on: today\n#\nw 1 1.5:  7 cycles:\n\t 1151 work (/srv/w)\n"
            "  w.c:2\n\t 1198 main (/srv/w)\n  w.c:4",
            {"main;work": 7},
        ),
        # A sample without a stack.
        ("w 1 1.5:  7 cycles:\n\nw 1 1.6:  5 cycles:\n\t 1151 work (/srv/w)\n", {"": 7, "work": 5}),
        # Spaces and brackets in names; a file that is gone.
        (
            "w 1 1.5: 3 cycles:\n\t 11 <T as a::B<(u8, u8)>>::f (/srv/my (old)/w (deleted))\n",
            {"<T as a::B<(u8, u8)>>::f (/srv/my (old)/w": 3},
        ),
    ],
)  # fmt: skip
def test_texts_of_other_shapes(text: str, expected: dict[str, int]) -> None:
    """Also cut anywhere."""
    for step in (1, 3, 1 << 20):
        assert perf(text, step)[0] == expected


def test_of_several_events_the_first_is_taken(tmp_path: Path) -> None:
    """The others are named, with their numbers."""
    other = ONE.replace("cpu-clock", "task-clock")
    found, decoder, _ = perf(ONE + other)
    assert found.total() == 3_004_008
    assert dict(decoder.events) == {"cpu-clock": 2, "task-clock": 2}
    (note,) = read_profile(written(tmp_path, ONE + other)).notes
    assert note == "only cpu-clock is read, the first event; left out: task-clock (2 samples)"


def test_perf_text_has_seconds(tmp_path: Path) -> None:
    """A batch each, so that ranges can be cut from it."""
    profile = read_profile(written(tmp_path, ONE))
    assert [batch.start for batch in profile.batches] == [6636.0, 6637.0]
    assert (profile.format, profile.event, profile.is_weighted) == (
        "perf script",
        "cpu-clock",
        True,
    )


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
    unit, notes = decode_speedscope(json.dumps(speedscope()).encode(), tally)
    assert (unit, notes) == ("milliseconds", [])
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
    _, notes = decode_speedscope(json.dumps(file).encode(), Tally())
    assert notes == ["1 profiles in another unit than milliseconds are left out"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
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


def test_deep_stacks_keep_their_ends() -> None:
    """The middle is cut, and said to be."""
    lines = "".join(f"\t {n + 1:x} f{n} (/srv/w)\n" for n in range(1_000))
    found, _, _ = perf(f"w 1 1.5: 1 cycles:\n{lines}\n")
    (names,) = (each.split(";") for each in found)
    assert len(names) == MAX_DEPTH
    assert (names[0], names[-1], names[127]) == ("f999", "f0", "(stack cut)")


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


def test_damaged_text_costs_what_is_damaged() -> None:
    """Twenty thousand mutants: none crashes, none counts more samples than there are lines."""
    chance = random.Random(20_241_124)
    base = ONE.encode() * 3
    for _ in range(20_000):
        data = bytearray(base)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(30)]
                case _:
                    data[place:place] = chance.randbytes(chance.randrange(8))
        tally = Tally()
        decoder = PerfTextDecoder(tally)
        decoder.feed(bytes(data))
        decoder.close()
        samples = sum(c.samples for batch in tally.batches() for c in batch.counts.values())
        assert samples <= data.count(b"\n") + 1


def test_a_profile_is_a_value(tmp_path: Path) -> None:
    """Two readings are equal."""
    path = written(tmp_path, FOLDED)
    assert isinstance(read_profile(path), ImportedProfile)
    assert read_profile(path) == read_profile(path)
