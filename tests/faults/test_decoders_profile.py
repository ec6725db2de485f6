"""Whatever is broken in perf's text or in a file of stacks: counted or refused, never raised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.perf.offcpu_decode import OffCpuDecoder
from collectors.samples import StackBatch
from collectors.source import SourceError
from collectors.stackfile.reader import read_profile
from collectors.text import MAX_SYMBOL_BYTES, sanitise
from tests.faults.conftest import Report
from tests.faults.mutation import Mutations, chunks, survive

DATA: Final = Path(__file__).parents[1] / "data"
PERF: Final = [
    (DATA / f"perf_{name}.txt").read_bytes()[:20_000] for name in ("lost", "rust", "threads")
]
SWITCHES: Final = [(DATA / "offcpu_switches.txt").read_bytes()[:20_000]]
FOLDED: Final = b"main;serve;read_[k] 12\nmain;serve;parse<T>::f 3\n# comment\nmain;a b;c 0.5\n" * 9
SPEEDSCOPE: Final = (
    b'{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":'
    b'[{"name":"main"},{"name":"f","file":"/a/b.c","line":3},{"name":"g_[k]"}]},"profiles":['
    b'{"type":"sampled","name":"t","unit":"milliseconds","startValue":0,"endValue":9,"samples":'
    b'[[0],[0,1],[0,1,2]],"weights":[1,2.5,3]},{"type":"evented","name":"e","unit":"milliseconds",'
    b'"startValue":0,"endValue":9,"events":[{"type":"O","frame":0,"at":0},'
    b'{"type":"O","frame":1,"at":1500},{"type":"C","frame":1,"at":4000},'
    b'{"type":"C","frame":0,"at":5000}]}]}'
)
WORDS: Final = (
    *(b"PERF_RECORD_LOST lost 9\n", b"PERF_RECORD_SWITCH IN\n", b"\t 1 x (/y)\n", b"[unknown]"),
    *(b" (deleted)", b" 1/1 9.123456789: 1 \n", b"cpu-clock:", b"\t" * 99, b" " * 99),
)

pytestmark = pytest.mark.timeout(1200)


def check(batches: Sequence[StackBatch]) -> int:
    """Check what may be shown of batches; return how many samples are in them."""
    frames = [frame for batch in batches for frame in batch.frames.values()]
    for text in (text for frame in frames for text in (frame.symbol, frame.module)):
        assert text == sanitise(text)
        assert len(text.encode()) <= MAX_SYMBOL_BYTES + len(" (deleted)")
    counts = [count for batch in batches for count in batch.counts.values()]
    assert all(count.samples >= 0 <= count.period_ns for count in counts)
    return sum(count.samples for count in counts)


@pytest.mark.parametrize("is_off_cpu", [False, True], ids=["samples", "switches"])
def test_perf_text(report: Report, is_full: bool, is_off_cpu: bool) -> None:
    """Everything printed is a sample or counted by reason, and nothing of it is of a stranger."""
    make = Mutations(SWITCHES if is_off_cpu else PERF, words=WORDS)
    asked: set[int] = set()

    def names(pid: int, _: int) -> tuple[str, str] | None:
        asked.add(pid)
        return None if pid % 2 else ("app", "main")

    def read(data: bytes, number: int) -> None:
        started_at = 1_000.0 if number % 2 else 0.0
        decoder = (
            OffCpuDecoder(Interner(), names, lambda _pid, _tid: True, started_at)
            if is_off_cpu
            else PerfScriptDecoder(Interner(), names, started_at)
        )
        batches = []
        for chunk in chunks(data, number):
            batches += decoder.feed(chunk, 20_000.0)
        batches += decoder.close()
        samples = check(batches)
        rejected = sum(sum(batch.rejected.values()) for batch in batches)
        if not is_off_cpu:
            assert samples + rejected == decoder.printed
        assert all(int(batch.start) == int(batch.end) for batch in batches)

    case = "perf's switches" if is_off_cpu else "perf's samples"
    survive(report, case, 200_000 if is_full else 20_000, make, read)
    assert any(pid % 2 for pid in asked)


@pytest.mark.parametrize("kind", ["folded", "perf text", "speedscope"])
def test_stack_files(report: Report, is_full: bool, tmp_path: Path, kind: str) -> None:
    """A file of stacks is refused in words, or read with what can be of it."""
    path = tmp_path / "stacks"
    refusals: list[str] = []
    corpus = {"folded": [FOLDED], "perf text": PERF, "speedscope": [SPEEDSCOPE]}[kind]
    make = Mutations(corpus, words=[*WORDS, b";", b'"samples":[', b'"unit":"seconds"'])

    def read(data: bytes, _: int) -> None:
        path.unlink(missing_ok=True)  # a file system may flush what is written over
        path.write_bytes(data)
        try:
            found = read_profile(path)
        except SourceError as error:
            refusals.append(str(error))
            return
        check(found.batches)
        assert all(note == sanitise(note) for note in found.notes)

    survive(report, f"files of stacks, {kind}", 70_000 if is_full else 7_000, make, read)
    assert all(map(str.isprintable, refusals))
