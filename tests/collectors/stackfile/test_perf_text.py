"""Text of perf script: any fields, any events, any pieces."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind
from collectors.stackfile.perf_text import PerfTextDecoder
from collectors.stackfile.reader import read_profile
from collectors.stackfile.tally import MAX_DEPTH, Tally
from tests.collectors.stackfile.folding import ONE, folded, written


def perf(text: str, step: int = 1 << 20) -> tuple[Counter[str], PerfTextDecoder, Tally]:
    """Decode a text in pieces."""
    tally = Tally()
    decoder = PerfTextDecoder(tally)
    data = text.encode()
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
    decoder.close()
    return folded(tally), decoder, tally


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
    # Columns tell a period, ten wide, from ids, seven wide at most, and from an address.
    ("   2004008 ", 2_004_008, "", ""),
    ("my srv 2:x    1001001 ", 1_001_001, "", "my srv 2:x"),
    ("my srv 2:x 31688    1001001 ", 1_001_001, "", "my srv 2:x"),
    ("w    2004008 cpu-clock: ", 2_004_008, "cpu-clock", "w"),
    ("12345678901 ", 12_345_678_901, "", ""),
    ("8329 ", 1, "", ""),
    ("w   8329 ", 1, "", "w"),
    ("               0 ", 1, "", ""),
    (
        "w  8329  6636.001296:    2004008 cpu-clock:         7ffe433d74e8 ",
        2_004_008,
        "cpu-clock",
        "w",
    ),
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
            {"<T as a::B<(u8, u8)>>::f": 3},
        ),
    ],
)  # fmt: skip
def test_texts_of_other_shapes(text: str, expected: dict[str, int]) -> None:
    """Also cut anywhere."""
    for step in (1, 3, 1 << 20):
        assert perf(text, step)[0] == expected


CALLS = "\t            117e work+0x15 (/srv/w)\n\t            12a1 main+0x65 (/srv/w)\n"
BESIDE = [
    " ABI:2    AX:0xffffffffffffffda    SP:0x7ffe433d74e8    IP:0x7f5a0c9842ad ",
    " insn: 48 89 05 ae 2e 00 00",
    " 0x401136/0x401130/P/-/-/0  0x40114c/0x401136/P/-/-/0 ",
    " main+0x65/work+0x0/P/-/-/0 ",
    " 4K",
    " N/A",
    "        1a2b3c4d5",
    "  w.c:7\n|7        void work(int n){ s: for (;;) s += 1.5; }",
]


@pytest.mark.parametrize("beside", BESIDE)
def test_what_stands_beside_a_stack_is_no_sample(beside: str) -> None:
    """Registers, instructions, branches, sizes of pages, places, text of sources."""
    for header in ("w  862  9245.433584:    2000000 cpu-clock: ", "   2000000 "):
        found, decoder, tally = perf(f"{header}\n{CALLS}{beside}\n\n" * 3)
        assert found == {"main;work": 6_000_000}
        assert (decoder.weighted, decoder.events.total() in (0, 3)) == (3, True)
        assert tally.rejected == {}


INLINE = [
    "         w  2103  9335.514007:    2000000 cpu-clock:      5579a5cf418a work+0x1 (/srv/w)",
    "           sp  x    2000000      5579a5cf418a work",
    "           sp  x  2103    2000000      5579a5cf418a work",
    "   2000000      5579a5cf418a work",
    "         w  2103  9335.514007:    2000000 cpu-clock:                0     5579a5cf418a work",
    "         w  2103  9335.514007:    2000000 cpu-clock:         68100142 |OP N/A|LVL N/A or N/A"
    "|SNP N/A|TLB N/A|LCK N/A|BLK  N/A     5579a5cf418a work",
]


@pytest.mark.parametrize("line", INLINE)
def test_one_frame_on_the_header_itself(line: str) -> None:
    """Found by its column, whatever is before it and behind it."""
    behind = ["", " 2M", " ABI:2    AX:0x1 ", " insn: 83 c2 01", " 0x401136/0x401130/P/-/-/0 "]
    for each in behind if line.endswith(")") else ["", *behind[2:]]:
        found, _, tally = perf(f"{line}{each}\n" * 3)
        assert found == {"work": 6_000_000}
        assert tally.rejected == {}


def test_records_of_other_kinds_are_no_samples() -> None:
    """As --show-mmap-events, --show-task-events and --show-lost-events print them."""
    records = (
        "swapper     0 [000]     0.000000: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1209988) @"
        " 0xffffffff81000000]: x [kernel.kallsyms]_text\n"
        "PERF_RECORD_COMM exec: w:31688/31688\n"
        "w 31688  9123.083000: PERF_RECORD_LOST lost 3\n"
    )
    found, decoder, _ = perf(records + ONE + records)
    assert found.total() == 3_004_008
    assert dict(decoder.events) == {"cpu-clock": 2}


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("ffffffff816b8aae", Frame("[unknown]", "", FrameKind.UNKNOWN)),
        ("  126b (/srv/w)", Frame("[unknown]", "w", FrameKind.UNKNOWN)),
        (
            "  126b [unknown] (/memfd:x (deleted))",
            Frame("[unknown]", "memfd:x (deleted)", FrameKind.UNKNOWN),
        ),
        ("  126b f+0x1 (/srv/w (deleted))", Frame("f", "w (deleted)", FrameKind.USER)),
        (
            "  1210 __GI___libc_read+0xd (inlined)",
            Frame("__GI___libc_read", "[inlined]", FrameKind.USER),
        ),
        ("ffffffff816b8aae vfs_read+0xbe", Frame("vfs_read", "", FrameKind.KERNEL)),
        (
            "  11 (anonymous namespace)::f(int)",
            Frame("(anonymous namespace)::f(int)", "", FrameKind.USER),
        ),
    ],
)
def test_a_frame_of_any_fields(line: str, frame: Frame) -> None:
    """Without a symbol it is unknown; of a file the last part is kept."""
    tally = Tally()
    PerfTextDecoder(tally).feed(f"w 1 1.5:  7 cycles:\n\t{line}\n\n".encode())
    (batch,) = tally.batches()
    assert list(batch.frames.values()) == [frame]


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 300))
def test_known_stacks_are_taken_like_new_ones(order: list[int], step: int) -> None:
    """In any order and any pieces there are as many samples of each as were printed."""
    blocks = [
        f"{comm} 1 {second}.5{n}0000:  10 cycles:\n{leaf}{CALLS if deep else ''}\n"
        for n, (comm, second, leaf, deep) in enumerate(
            [
                ("a", 1, "\t 11 x (/srv/w)\n", True),
                ("b", 1, "\t 11 x (/srv/w)\n", True),
                ("a", 2, "\t 11 x (/srv/w)\n", False),
                ("a", 2, "\t 12 y (/srv/w)\n", True),
                ("a", 2, "", False),
                ("# a", 2, "\t 12 y (/srv/w)\n", False),
            ]
        )
    ]
    names = ["main;work;x", "main;work;x", "x", "main;work;y", "", "y"]
    found, _, tally = perf("".join(blocks[n] for n in order), step)
    expected: Counter[str] = Counter()
    for n in order:
        expected[names[n]] += 1 if n == 5 else 10
    assert found == expected
    assert tally.rejected == {}


@pytest.mark.parametrize(
    "text",
    [
        "a" * 900_000,
        "x" + " " * 900_000 + "y",
        "w 1 1.5: " + "a:" * 450_000 + "x",
        "w 1 1.5: 1 cpu-clock:\n\t11 a" + " " * 900_000 + "b (",
        "w 1 1.5: 1 cpu-clock:\n\t11 a" + " (" * 450_000,
        "w 1 1.5: 1 cpu-clock:  ffffffff815f07e5 " + " (a)" * 220_000 + "x",
        "1 " * 450_000,
    ],
)
def test_long_hostile_lines_take_no_long_time(text: str) -> None:
    """No pattern looks at a byte again and again: else this took hours."""
    tally = Tally()
    decoder = PerfTextDecoder(tally)
    decoder.feed(text.encode() + b"\n\n" + ONE.encode())
    decoder.close()
    assert folded(tally).total() >= 2_004_008


def test_of_several_events_the_first_is_taken(tmp_path: Path) -> None:
    """The others are named, with their numbers."""
    other = ONE.replace("cpu-clock", "task-clock")
    found, decoder, _ = perf(ONE + other)
    assert found.total() == 3_004_008
    assert dict(decoder.events) == {"cpu-clock": 2, "task-clock": 2}
    (note,) = read_profile(written(tmp_path, ONE + other)).notes
    assert note == "only cpu-clock is read, the first event; left out: task-clock (2 samples)"


def test_samples_without_an_event_are_told_beside_others(tmp_path: Path) -> None:
    """They are counted with the first event; where no header names any, nothing can be known."""
    bare = ONE.replace("cpu-clock:", "")
    found, decoder, _ = perf(bare + ONE)
    assert found.total() == 2 * 3_004_008
    assert decoder.nameless == 2
    (note,) = read_profile(written(tmp_path, bare + ONE)).notes
    assert note == "2 samples name no event, and are taken for cpu-clock"
    assert read_profile(written(tmp_path, bare)).notes == ()


@pytest.mark.parametrize(
    ("record", "second"),
    [
        ("w 31688  6636.083000: PERF_RECORD_LOST lost 3\n", 6636),
        ("w 31688 [001]  6637.9: PERF_RECORD_LOST_SAMPLES lost 3 \n", 6637),
        ("w 31688  9999.083000: PERF_RECORD_LOST lost 3\n", 6637),
        ("PERF_RECORD_LOST lost 3\n", 6636),
    ],
)
def test_what_perf_lost_is_told(record: str, second: int, tmp_path: Path) -> None:
    """In the second that it says so, or in the nearest one that has samples."""
    profile = read_profile(written(tmp_path, record + ONE + record))
    assert {batch.start: batch.lost for batch in profile.batches if batch.lost} == {second: 6}
    assert profile.notes == ("perf says that it lost 6 samples",)


def test_what_perf_lost_is_read_where_it_really_did() -> None:
    """As `perf script --show-lost-events` printed it: 410 + 176 + 14538 + 14563."""
    text = (Path(__file__).parents[2] / "data" / "perf_lost.txt").read_text()
    _, _, tally = perf(text)
    assert tally.lost.total() == 29_687
    assert tally.rejected == {}


SOURCES = ONE.replace("(/srv/w)\n", "(/srv/w)\n  w.c:7\n")


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        (ONE, False),
        (ONE + "\n\n", False),
        (ONE[:-1], True),
        (ONE[:-2], True),
        (ONE[:-9], True),
        (ONE + ONE[:30], True),
        (SOURCES, False),
        (SOURCES[:-3], True),
        (SOURCES[:-1], True),
        (INLINE[0] + "\n", False),
        (INLINE[0] + "\n" + INLINE[0][:-3], True),
        ("# no sample\n" + ONE + "# no sample\n", False),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_text_that_was_cut_is_told(text: str, is_cut: bool, step: int, tmp_path: Path) -> None:
    """Where its end is not one that perf prints; also in the middle of a place in a source."""
    assert perf(text, step)[1].is_cut == is_cut
    told = [note for note in read_profile(written(tmp_path, text)).notes if "may be cut" in note]
    assert bool(told) == is_cut


def test_times_are_told_only_where_all_samples_have_one(tmp_path: Path) -> None:
    """Ranges of others would lack some."""
    timeless = ONE.replace("6637.003299:", "")
    assert read_profile(written(tmp_path, ONE)).has_times
    assert not read_profile(written(tmp_path, timeless)).has_times


def test_perf_text_has_seconds(tmp_path: Path) -> None:
    """A batch each, so that ranges can be cut from it."""
    profile = read_profile(written(tmp_path, ONE))
    assert [batch.start for batch in profile.batches] == [6636.0, 6637.0]
    assert (profile.format, profile.event, profile.is_weighted) == (
        "perf script",
        "cpu-clock",
        True,
    )


def test_deep_stacks_keep_their_ends() -> None:
    """The middle is cut, and said to be."""
    lines = "".join(f"\t {n + 1:x} f{n} (/srv/w)\n" for n in range(1_000))
    found, _, _ = perf(f"w 1 1.5: 1 cycles:\n{lines}\n")
    (names,) = (each.split(";") for each in found)
    assert len(names) == MAX_DEPTH
    assert (names[0], names[-1], names[127]) == ("f999", "f0", "(stack cut)")


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
