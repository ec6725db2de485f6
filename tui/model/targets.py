"""What the operator wanted of the load over time, beside what was achieved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from collectors.course import Course, CourseUnit
from collectors.samples import LoadSample, LoadTarget
from tui.model.series import Buckets, Series

ENOUGH_S: Final = 3.0
"""Measured time without which no shortfall is told: the first push of a new target is no news."""
_NEGLIGIBLE_S: Final = 1e-6


def target_at(targets: Sequence[LoadTarget], at: float) -> tuple[CourseUnit, float] | None:
    """Return what was wanted at a moment: unit and level; None where k6 had its own schedule.

    Args:
        targets: In order of time; each holds until the next one.
        at: Seconds on the session's clock.
    """
    place = bisect_right(targets, at, key=_begin)
    if place == 0:
        return None
    course = targets[place - 1].course
    return course.unit, course.level(at)


def target_series(
    targets: Sequence[LoadTarget], buckets: Buckets, units: Collection[CourseUnit], end: float
) -> Series:
    """Return the mean target over the part of each bucket in which one of these units holds.

    Args:
        targets: In order of time; each holds until the next one.
        buckets: Columns of the trends.
        units: Which targets count; those of other units are gaps.
        end: What is after it is not known yet.
    """
    areas = [0.0] * buckets.count
    held_s = [0.0] * buckets.count
    width_s, reach = buckets.width_s, buckets.range
    for course, start, stop in _spans(targets, reach.start, min(reach.end, end)):
        if course.unit not in units:
            continue
        first = max(0, int((start - reach.start) / width_s))
        for column in range(first, buckets.count):
            left = max(start, reach.start + column * width_s)
            right = min(stop, reach.start + (column + 1) * width_s)
            if left >= stop:
                break
            if right > left:
                areas[column] += course.total(left, right)
                held_s[column] += right - left
    # A touch by a rounding error has no mean.
    return tuple(
        area / held if held > _NEGLIGIBLE_S else None
        for area, held in zip(areas, held_s, strict=True)
    )


def achieved_ratio(
    targets: Sequence[LoadTarget],
    samples: Iterable[LoadSample],
    unit: CourseUnit,
    amount: Callable[[LoadSample], float],
) -> float | None:
    """Return which share of a target rate was achieved; 1 is all of it.

    Only samples count during whose whole interval a target of the unit holds, so that both numbers
    are of the same time.

    Args:
        targets: In order of time; each holds until the next one.
        samples: Of the time in question.
        unit: Requests or iterations per second.
        amount: How many of them a sample has.

    Returns:
        None where too little was measured, or nothing was wanted.
    """
    wanted = achieved = covered_s = 0.0
    for sample in samples:
        start = sample.at - sample.interval_s
        spans = list(_spans(targets, start, sample.at))
        held_s = sum(stop - left for course, left, stop in spans if course.unit is unit)
        if held_s < sample.interval_s - _NEGLIGIBLE_S:
            continue
        wanted += sum(course.total(left, stop) for course, left, stop in spans)
        achieved += amount(sample)
        covered_s += sample.interval_s
    return achieved / wanted if wanted > 0 and covered_s >= ENOUGH_S else None


def _spans(
    targets: Sequence[LoadTarget], start: float, end: float
) -> Iterator[tuple[Course, float, float]]:
    """Yield the courses that hold within a range, each with the part in which it does."""
    if not targets or end <= start:
        return
    first = max(0, bisect_right(targets, start, key=_begin) - 1)
    edges = [each.at for each in targets[first:] if each.at < end]
    for target, (left, right) in zip(targets[first:], pairwise([*edges, end]), strict=False):
        if right > max(left, start):
            yield target.course, max(left, start), right


def _begin(target: LoadTarget) -> float:
    return target.at
