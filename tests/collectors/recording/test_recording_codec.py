"""A sample that is read is the one that was written, or it is counted; whatever the bytes are."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.recording.codec import (
    Arrival,
    Decoder,
)
from collectors.recording.plausible import MAX_DEPTH, MAX_NUMBER
from collectors.recording.stackrow import MAX_STACKS
from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Drop,
    LogLine,
    Mark,
    MarkKind,
    Sample,
    StackBatch,
    StackCount,
)
from collectors.text import sanitise
from tests.builders import batch, host, load
from tests.collectors.recording.made_up_samples import BY_TYPE, SAMPLES, TIMES
from tests.collectors.recording.written_chunks import (
    UNREADABLE,
    body,
    plain,
    raw_body,
    read,
    tag_of,
)

HOSTILE_TEXT = "a\x1b[2J\u202e\x00\ud7ff\U000e0041\n"


def rejected_with(sample: Sample, **changes: Any) -> bool:
    """Tell whether a sample is counted instead of read when some of its fields are others."""
    samples, counts = read(raw_body([(tag_of(sample), 1.0, {**plain(sample), **changes})]))
    assert len(samples) + sum(counts.values()) == 1
    return counts == {UNREADABLE: 1}


def test_there_is_a_strategy_for_every_type_of_sample() -> None:
    assert set(BY_TYPE) == set(get_args(Sample))


@pytest.mark.parametrize("kind", BY_TYPE, ids=lambda kind: kind.__name__)
def test_every_type_of_sample_comes_back_exactly(kind: type[Any]) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(at=TIMES, sample=BY_TYPE[kind])
    def check(at: float, sample: Sample) -> None:
        decoder = Decoder()
        found = list(decoder.decode(body(sample, at=at)))
        assert found == [Arrival(at, sample)]
        assert type(found[0].sample) is kind
        assert decoder.rejected.counts == {}

    check()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SAMPLES, max_size=12))
def test_samples_come_back_in_order(samples: Sequence[Sample]) -> None:
    assert read(body(*samples)) == (list(samples), {})


def test_a_sample_of_an_unknown_type_is_counted_and_the_rest_is_read() -> None:
    mark = Mark(1.0, MarkKind.NOTE, "x")
    rows = [("mark", 1.0, plain(mark)), ("hologram", 2.0, {"at": 2.0}), ("mark", 3.0, plain(mark))]
    assert read(raw_body(rows)) == ([mark, mark], {UNREADABLE: 1})


def test_fields_that_came_later_have_defaults_and_others_are_passed_over() -> None:
    state = RunState(1.0, "running", "s", "1.1", "t", "p", "c", note="later", ceiling=4.0)
    fields = plain(state)
    for name in ("note", "ceiling", "started_at"):
        del fields[name]
    rows = [("state", 1.0, {**fields, "gone": [1, {"deep": HOSTILE_TEXT}, 2.0**900]})]
    assert read(raw_body(rows)) == ([RunState(1.0, "running", "s", "1.1", "t", "p", "c")], {})
    del fields["phase"]
    assert read(raw_body([("state", 1.0, fields)])) == ([], {UNREADABLE: 1})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), MAX_NUMBER * 2])
def test_numbers_that_nobody_can_compute_with_are_refused(number: float) -> None:
    assert rejected_with(load(1.0), at=number)
    assert rejected_with(load(1.0), interval_s=number)
    assert rejected_with(host(1.0), load_1m=number)
    assert rejected_with(batch(1.0), end=number)
    end = RunEnd(1.0, "k6-1", 1.0, 2.0, 0.0, 0, 0)
    assert rejected_with(end, latency_ms={"p95": number})
    rows = [("mark", number, plain(Mark(1.0, MarkKind.NOTE, "x")))]
    assert read(raw_body(rows)) == ([], {UNREADABLE: 1})


def test_a_float_of_four_bytes_is_looked_at_too() -> None:
    fields = plain(host(1.0))
    fields["load_1m"] = 0.0
    text = msgspec.msgpack.encode([("host", 1.0, fields)])
    double = b"\xa7load_1m\xcb" + bytes(8)
    assert double in text
    for single in (b"\x7f\x80\0\0", b"\xff\x80\0\0", b"\x7f\xc0\0\0"):
        tampered = zlib.compress(text.replace(double, b"\xa7load_1m\xca" + single))
        assert read(tampered) == ([], {UNREADABLE: 1})


def test_counts_below_zero_or_beyond_all_measure_are_refused() -> None:
    for wrong in (-1, (1 << 63) - 1, (1 << 64) - 1, -(1 << 63)):
        assert rejected_with(load(1.0), iterations=wrong)
        assert rejected_with(
            load(1.0), traffic=[{**plain(load(1.0))["traffic"][0], "failed": wrong}]
        )
        assert rejected_with(host(1.0), memory_used_bytes=wrong)
        assert rejected_with(Drop(1.0, "r", 1), count=wrong)
        assert rejected_with(batch(1.0), lost=wrong)
        assert rejected_with(batch(1.0), rejected={"r": wrong})
        assert rejected_with(batch(1.0), odd_ns=[wrong], samples=[0])
        assert rejected_with(RunEnd(1.0, "k6-1", 1.0, 2.0, 0.0, 0, 0), withheld=wrong)
    assert rejected_with(batch(1.0), samples=[-1])
    assert rejected_with(batch(1.0), samples=[1 << 61], unit_ns=1 << 61)
    assert rejected_with(batch(1.0), samples=[1, 2])
    assert not rejected_with(batch(1.0))


def test_recordings_from_before_stacks_told_what_they_lack_are_read() -> None:
    fields = plain(batch(1.0))
    del fields["cut"]
    assert read(raw_body([("stacks", 1.0, fields)])) == ([batch(1.0)], {})


def test_no_function_is_cut_out_of_more_than_there_is() -> None:
    def is_refused(samples: int, odd_ns: int, **changes: Any) -> bool:
        cut = {"steps": [3], "samples": [samples], "odd_ns": [odd_ns], **changes}
        return rejected_with(batch(1.0, 10), cut=cut)

    assert not is_refused(10, 0)
    assert not is_refused(9, 10_000_000)
    assert is_refused(11, 0)
    assert is_refused(10, 1)
    assert is_refused(-1, 10_000_000)
    assert is_refused(1, -10_000_001)
    assert is_refused(1, (1 << 63) - 1)
    assert is_refused(1, (1 << 64) - 1)
    assert is_refused(1, 0, steps=[3, 1])
    assert is_refused(1, 0, steps=[3.5])
    assert is_refused(1, 0, steps=[0] * (MAX_STACKS + 1))


def test_histograms_must_be_such_that_can_be() -> None:
    good = {"schema": 3, "buckets": {1: 2}, "zero_count": 0, "count": 2, "sum": 1.0}

    def is_refused(**changes: Any) -> bool:
        return rejected_with(load(1.0), phases={"waiting": {**good, **changes}})

    assert not is_refused()
    assert is_refused(schema=9)
    assert is_refused(schema=-5)
    assert is_refused(buckets={1: -2}, count=-2)
    assert is_refused(buckets={1 << 40: 2})
    assert is_refused(buckets={-(1 << 40): 2})
    assert is_refused(count=3)
    assert is_refused(zero_count=-2, count=0)
    assert is_refused(buckets={1: 1 << 62}, count=1 << 62)
    assert is_refused(buckets={"1": 2})


def test_stacks_deeper_than_any_are_refused() -> None:
    def stacks(depth: int) -> dict[int, Any]:
        return {0: {"process": "s", "thread": "t", "frames": [0] * depth}}

    assert not rejected_with(batch(1.0), stacks=stacks(MAX_DEPTH))
    assert rejected_with(batch(1.0), stacks=stacks(MAX_DEPTH + 1))


def test_values_of_other_types_are_refused() -> None:
    for wrong in (None, "1", [1.0], {"a": 1}, True, b"1"):
        assert rejected_with(load(1.0), at=wrong)
        assert rejected_with(load(1.0), vus=wrong)
    assert rejected_with(load(1.0), instance=5)
    assert rejected_with(load(1.0), traffic={})
    assert rejected_with(load(1.0), phases=[])


def test_texts_come_out_sanitised_wherever_they_are() -> None:
    log = LogLine(1.0, HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT)
    safe = sanitise(HOSTILE_TEXT)
    assert safe != HOSTILE_TEXT
    assert read(body(log)) == ([LogLine(1.0, safe, safe, safe)], {})
    frames = {0: {"symbol": HOSTILE_TEXT, "module": "m", "kind": "user"}}
    (found,), _ = read(
        raw_body(
            [
                (
                    "stacks",
                    1.0,
                    {**plain(batch(1.0)), "frames": frames, "rejected": {HOSTILE_TEXT: 1}},
                )
            ]
        )
    )
    assert isinstance(found, StackBatch)
    assert found.frames[0].symbol == safe
    assert found.rejected == {safe: 1}
    assert found.counts == {0: StackCount(10, 100_000_000)}
    (hidden,), _ = read(body(load(1.0, instance=HOSTILE_TEXT)))
    assert hidden == load(1.0, instance=safe)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(min_size=1))
def test_no_text_is_hostile_after_reading(text: str, key: str) -> None:
    end = RunEnd(1.0, text, 1.0, 2.0, 0.0, 0, 0, latency_ms={key: 1.0})
    (found,), _ = read(body(end))
    assert isinstance(found, RunEnd)
    assert found.instance == sanitise(text)
    assert list(found.latency_ms) == [sanitise(key)]
