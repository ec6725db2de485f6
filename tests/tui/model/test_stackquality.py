"""How far stacks can be trusted."""

from __future__ import annotations

import pytest

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.stackquality import QualityVerdict, StackQuality, stack_quality
from tui.model.stacks import StackTable
from tui.views.quality import quality_text, remedy_text

UNKNOWN = "[unknown]"


def quality(lost: int = 0, **stacks: int) -> StackQuality:
    """Return that of stacks like `start_thread__work`; `k_` begins kernel frames."""
    table = StackTable()
    ids: dict[Frame, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        names = text.replace("unknown", UNKNOWN).split("__")
        frames = tuple(ids.setdefault(frame(name), len(ids)) for name in names)
        made[number] = Stack("s", "t", frames, caller_lost=names[0] == "send")
        counts[number] = StackCount(samples, samples * 1000)
    table.add(StackBatch(0.0, 0.0, {}, made, {n: f for f, n in ids.items()}))
    return stack_quality(table, counts, lost)


def frame(name: str) -> Frame:
    if name == UNKNOWN:
        return Frame(name, "server", FrameKind.UNKNOWN)
    return Frame(name, "server", FrameKind.KERNEL if name.startswith("k_") else FrameKind.USER)


def test_good_stacks_have_a_start_and_names() -> None:
    """Whatever starts a thread or a process; the kernel's frames are no depth."""
    found = quality(start_thread__serve__work=90, _start__main__work=20, main__k_read=10)
    assert found == StackQuality(120, 0, 0.0, 0.0, 0.0, 3)
    assert found.verdict is QualityVerdict.GOOD
    assert (quality_text(found), remedy_text(found)) == ("depth 3", "")


@pytest.mark.parametrize("start", ["Thread._bootstrap", "_bootstrap", "<module>"])
def test_threads_of_python_have_a_start(start: str) -> None:
    """As py-spy names it: its stacks are whole."""
    found = quality(**{f"{start}__run__work": 120})
    assert (found.broken_root_ratio, found.verdict) == (0.0, QualityVerdict.GOOD)
    assert quality(**{"bootstrap_cache__work": 120}).broken_root_ratio == 1.0


@pytest.mark.parametrize(
    ("found", "verdict", "said", "remedy"),
    [
        (quality(main__work=99), QualityVerdict.TOO_FEW, "too few samples", ""),
        (quality(3, main__a__b=100), QualityVerdict.LOSSY, "depth 3", "--perf-frequency"),
        (
            quality(work=60, parse=30, main__work=30),
            QualityVerdict.NO_FRAME_POINTERS,
            "broken roots 75.0% · depth 1",
            "force-frame-pointers=yes",
        ),
        (
            quality(main__serve__unknown=30, main__serve__work=70),
            QualityVerdict.NO_SYMBOLS,
            "unknown 30.0% · depth 3",
            "debug = 1",
        ),
    ],
)
def test_what_is_most_wrong_is_named_with_its_remedy(
    found: StackQuality, verdict: QualityVerdict, said: str, remedy: str
) -> None:
    """In the line above the graph."""
    assert found.verdict is verdict
    assert said in quality_text(found)
    assert remedy in remedy_text(found)


def test_callers_lost_in_libc_are_told_apart() -> None:
    """The C library breaks chains in programs that are built well; nothing would help."""
    found = quality(send__k_tcp=50, main__serve__work=70)
    assert found.caller_lost_ratio == pytest.approx(5 / 12)
    assert found.broken_root_ratio == found.caller_lost_ratio
    assert found.verdict is QualityVerdict.GOOD
    assert quality_text(found) == "caller lost 41.7% · depth 3"


def test_stacks_cut_by_libc_do_not_hide_missing_frame_pointers() -> None:
    """What is left of the stacks decides."""
    found = quality(send__k_tcp=60, work=40)
    assert found.verdict is QualityVerdict.NO_FRAME_POINTERS


def test_a_stripped_libc_starts_threads_too() -> None:
    """Its thread start has no name; the like in another module is a broken root."""
    work = Frame("work", "server", FrameKind.USER)
    for module, ratio in (("libc.so.6", 0.0), ("libfoo.so", 1.0)):
        table = StackTable()
        frames = {0: Frame(UNKNOWN, module, FrameKind.UNKNOWN), 1: work}
        table.add(StackBatch(0.0, 0.0, {}, {0: Stack("s", "t", (0, 1))}, frames))
        assert stack_quality(table, {0: StackCount(9, 9)}).broken_root_ratio == ratio


def test_kernel_threads_have_no_root_to_break() -> None:
    """Their stacks are whole."""
    assert quality(k_worker__k_work=200).broken_root_ratio == 0.0


def test_nothing_says_nothing() -> None:
    """No remedy for what is not there."""
    found = quality()
    assert (quality_text(found), remedy_text(found)) == ("too few samples", "")
