"""What makes two runs hard to compare: said before anyone believes the figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from collectors.samples import LoadSample, MarkKind
from tui.compare.comparison import Compared, Comparison
from tui.model.metric import Metric
from tui.model.stackquality import ENOUGH_SAMPLES, MANY_LOST_RATIO, MANY_UNKNOWN_RATIO
from tui.model.verdict import Severity
from tui.views.format import count, percent, rate
from tui.views.load import NOUNS

WARM_UP_S: Final = 3.0
"""So long after the load began, caches are cold and connections are made."""
FEW_PUSHES: Final = 20
"""With less, what varies from second to second is hardly known, and intervals become wide."""
FEW_REQUESTS: Final = 1_000
"""Below it hardly ten of them are above p99."""
OTHER_LOAD_RATIO: Final = 0.1

_PID: Final = re.compile(r" \(pid \d+\)|, port \d+$")


@dataclass(frozen=True, slots=True)
class Doubt:
    """One sentence with texts from outside, which each kind of output writes in its own way."""

    text: str
    """With `{}` where a text from outside stands."""
    quotes: tuple[str, ...] = ()
    """Sanitised."""

    def said(self, quote: Callable[[str], str]) -> str:
        """Return the sentence.

        Args:
            quote: Makes a text from outside safe.
        """
        return self.text.format(*map(quote, self.quotes))


def doubts(comparison: Comparison) -> list[Doubt]:
    """Return what speaks against comparing two runs, the gravest first."""
    before, after = list(_alone(comparison.before)), list(_alone(comparison.after))
    sides = (
        ("Both", [text for text in before if text in after]),
        ("Before", [text for text in before if text not in after]),
        ("After", [text for text in after if text not in before]),
    )
    found = [*_differences(comparison)]
    return found + [Doubt(f"{name}: {text}.") for name, texts in sides for text in texts]


def _differences(comparison: Comparison) -> Iterator[Doubt]:
    before, after = comparison.before, comparison.after
    if not comparison.is_same_kind:
        kinds = (NOUNS[before.found.kind], NOUNS[after.found.kind])
        yield Doubt(f"A request is not the same thing: {kinds[0]} before, {kinds[1]} after.")
    if before.side.timeline is after.side.timeline and _overlap(before, after):
        yield Doubt("The ranges overlap: what they have in common is on both sides.")
    yield from _other_texts(before, after)
    if before.cores and after.cores and before.cores != after.cores:
        yield Doubt(f"The machines have {before.cores} and {after.cores} cores.")
    rates = comparison.figures[Metric.RPS]
    if rates.ratio is not None and abs(rates.ratio - 1) > OTHER_LOAD_RATIO and rates.is_changed:
        texts = [rate(each.value) if each else "" for each in (rates.before, rates.after)]
        yield Doubt(f"The load differs, {texts[0]} and {texts[1]} a second: latency depends on it.")
    vus = [each.found.load.vus if each.found.load else None for each in (before, after)]
    if None not in vus and vus[0] != vus[1]:
        yield Doubt(f"The numbers of VUs differ: {vus[0]} and {vus[1]} at the end.")


def _other_texts(before: Compared, after: Compared) -> Iterator[Doubt]:
    one, other = before.side.about, after.side.about
    pairs = {
        "scripts": (one.script, other.script),
        "targets": (_PID.sub("", one.target), _PID.sub("", other.target)),
        "machines": (one.machine, other.machine),
        "ways to move the load": (one.control, other.control),
        "versions of k6": (one.k6_version, other.k6_version),
        "profilers": (one.profiler, other.profiler),
        "versions of flashpoint": (one.flashpoint_version, other.flashpoint_version),
    }
    for noun, texts in pairs.items():
        # What is not known can't be told apart.
        if all(texts) and texts[0] != texts[1]:
            yield Doubt(f"The {noun} differ: {{}} and {{}}.", texts)


def _alone(each: Compared) -> Iterator[str]:
    """Say what is wrong with one side by itself; no text from outside is in it."""
    found = each.found
    if found.load is None or not found.load.requests:
        yield "no requests in the range"
    else:
        pushes = each.side.timeline.loads_in(found.range)
        if found.load.requests < FEW_REQUESTS:
            yield f"only {count(found.load.requests)} {NOUNS[found.kind]}s"
        if len(pushes) < FEW_PUSHES:
            yield f"{len(pushes)} pushes of k6 are too few to tell what varies between them"
        if _is_cold(each):
            yield f"the first {WARM_UP_S:.0f} s of the load are in the range, when it warms up"
    if found.verdict is not None and found.verdict.severity is not Severity.GOOD:
        yield found.verdict.text
    yield from _of_stacks(each)


def _of_stacks(each: Compared) -> Iterator[str]:
    found = each.found
    if found.tree is None:
        if each.side.about.profiler:
            yield "no stacks in the range, so functions can't be compared"
        return
    samples = found.tree.samples
    if samples < ENOUGH_SAMPLES:
        yield f"only {samples} samples of stacks"
    if found.lost and found.lost > MANY_LOST_RATIO * samples:
        yield f"{count(found.lost)} samples of stacks were lost, {count(samples)} were not"
    if found.tree.unknown_ratio > MANY_UNKNOWN_RATIO:
        yield f"{percent(found.tree.unknown_ratio)} of the samples have no name for their function"


def _overlap(before: Compared, after: Compared) -> bool:
    one, other = before.side.range, after.side.range
    return max(one.start, other.start) < min(one.end, other.end)


def _is_cold(each: Compared) -> bool:
    """Tell whether the beginning of a load is in the range, and was not called warmed up."""
    timeline, range_ = each.side.timeline, each.side.range
    first: dict[str, LoadSample] = {}
    for sample in timeline.loads:
        first.setdefault(sample.instance, sample)
    begins = [sample.at - sample.interval_s for sample in first.values()]
    warm = [mark.at for mark in timeline.marks if mark.kind is MarkKind.WARM_UP_END]
    return any(
        range_.start < begin + WARM_UP_S
        and begin < range_.end
        and not any(begin <= at <= range_.start for at in warm)
        for begin in begins
    )
