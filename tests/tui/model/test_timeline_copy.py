"""Copies of a timeline: what comes to one is not seen by another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.recording.codec import Arrival
from collectors.samples import Sample
from tests.tapes import BEGIN, a_run, contents, stacks, timeline_of
from tui.model.timeline import Timeline

SAMPLES = [each.sample for each in a_run(25, seed=7)]

late = st.builds(
    lambda second, stack, count: stacks(BEGIN + second + 0.5, {stack: count}),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(1, 9),
)
"""Stacks of any second, also of one that is long over."""
samples = st.one_of(late, st.sampled_from(SAMPLES))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 9), samples),
        st.tuples(st.just("copy"), st.integers(0, 9), st.none()),
        st.tuples(st.just("become"), st.integers(0, 9), st.integers(0, 9)),
    ),
    max_size=30,
)


@given(steps)
def test_timelines_of_one_origin_are_as_if_each_were_alone(
    taken: list[tuple[str, int, Sample | int | None]],
) -> None:
    """Whatever is appended, copied and taken over, in any order: each has what it was given."""
    timelines = [Timeline(BEGIN)]
    given_to: list[list[Sample]] = [[]]
    for name, place, what in taken:
        place %= len(timelines)
        if name == "copy":
            timelines.append(timelines[place].copy())
            given_to.append(list(given_to[place]))
        elif isinstance(what, int):
            other = what % len(timelines)
            timelines[place].become(timelines[other])
            given_to[place] = list(given_to[other])
        else:
            assert what is not None
            timelines[place].append(what)
            given_to[place].append(what)
    for timeline, seen in zip(timelines, given_to, strict=True):
        alone = timeline_of(Arrival(0.0, each) for each in seen)
        assert contents(timeline) == contents(alone)


@given(late)
def test_a_late_stack_is_seen_by_one_of_both(sample: Sample) -> None:
    """Of the copy and of what it is a copy of, whichever of both gets it."""
    for whose in (0, 1):
        original = timeline_of(a_run(10))
        before = contents(original)
        both = (original, original.copy())
        both[whose].append(sample)
        assert contents(both[1 - whose]) == before
        assert contents(both[whose]) != before


def test_equal_revisions_mean_equal_contents() -> None:
    """Taking over another one is a change, also of one that has seen less."""
    timeline = timeline_of(a_run(5))
    revision = timeline.revision
    timeline.become(Timeline(BEGIN))
    assert timeline.revision > revision


def test_a_copy_is_not_recorded() -> None:
    """What comes to it is not told to who is told of the original."""
    original, told = Timeline(BEGIN), list[Sample]()
    original.also = told.append
    copy = original.copy()
    copy.append(SAMPLES[0])
    assert told == []
    original.append(SAMPLES[1])
    assert told == [SAMPLES[1]]
