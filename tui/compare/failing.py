"""Whether a condition of `--fail-if` holds, and the line that says why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from tui.compare.comparison import Comparison
from tui.compare.named import cost_of, is_named, nearest_name
from tui.compare.sampled import Sampled, compare_costs, worth
from tui.compare.words import quantity, signed_percent, signed_quantity, span
from tui.model.change import Change
from tui.model.failif import Condition, LimitKind, Symbols
from tui.model.metric import Dimension, Metric
from tui.views.load import NOUNS

_WITHOUT_INTERVAL: Final = frozenset({Metric.REQUESTS, Metric.MEMORY})
"""Nothing tells how sure these are; their change is taken as it is."""
_NOT_OF_REQUESTS: Final = frozenset({Metric.MEMORY, Metric.GENERATOR_CPU, Metric.DROPPED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition says of a comparison."""

    is_failed: bool
    text: str
    """One line, without an escape sequence; names in it are sanitised."""


def fails(condition: Condition, comparison: Comparison) -> Verdict:
    """Decide whether a comparison fails a condition.

    A limit without a sign is held against the run after as it was measured, as k6 does with its
    thresholds. A change fails if it is real and too great: its whole 95 % interval lies beyond 'no
    change', and what was measured lies beyond the limit. Runs without a difference therefore fail
    about once in 40 times, and hardly ever with a limit that is wider than chance.

    That the interval lie beyond the limit itself would be stricter, and worse: the noisier a run
    is, the greater a regression it would let pass, in silence, and with the buckets of k6 `+10%` of
    a percentile would let +25 % pass for ever. So the limit says what is still allowed, the
    interval only whether anything happened; a change just at the limit is as likely to fail as not.
    Without an interval (`requests`, `memory`) what was measured decides by itself.

    What can't be measured fails, for a check that checks nothing must not be passed.
    """
    found = _change(condition, comparison)
    if isinstance(found, str):
        return Verdict(True, f"{_name(condition)} can't be told: {found}")
    if condition.kind is LimitKind.VALUE:
        return _judge_value(condition, found)
    return _judge_change(condition, found)


def _judge_value(condition: Condition, change: Change) -> Verdict:
    after = change.after
    if after is None:
        return Verdict(True, f"{_name(condition)} can't be told: it was not measured after")
    dimension = condition.dimension
    said = quantity(after.value, dimension)
    if after.interval is not None:
        interval = span(
            after.interval,
            lambda value: "∞" if math.isinf(value) else quantity(value, dimension),
        )
        said += f" ({interval})"
    limit = _limit(condition)
    is_failed = _is_beyond(after.value, condition)
    return Verdict(is_failed, f"{_name(condition)} {said}, allowed {limit}")


def _judge_change(condition: Condition, change: Change) -> Verdict:
    name = _name(condition)
    missing = _missing(condition, change)
    if missing:
        return Verdict(True, f"{name} can't be told: {missing}")
    value = change.delta or 0.0
    interval, write = change.delta_interval, _writer(condition)
    if condition.kind is LimitKind.RATIO:
        value = 0.0 if change.ratio is None else change.ratio - 1
        interval = None
        if change.ratio_interval is not None:
            interval = change.ratio_interval[0] - 1, change.ratio_interval[1] - 1
    said = "new" if math.isinf(value) else write(value)
    if interval is not None:
        said += f" ({span(interval, write)})"
    is_beyond = _is_beyond(value, condition)
    is_real = change.is_more if condition.is_above else change.is_less
    if change.delta_interval is None:
        is_real = True
    text = f"{name} {said}, allowed {_limit(condition)}"
    if is_beyond and not is_real:
        text += ": no more than chance"
    return Verdict(is_beyond and is_real, text)


def _change(condition: Condition, comparison: Comparison) -> Change | str:
    """Return what the condition is about, or why that is not known."""
    subject = condition.subject
    is_value = condition.kind is LimitKind.VALUE
    of_requests = isinstance(subject, Symbols) or subject not in _NOT_OF_REQUESTS
    if of_requests and not is_value and not comparison.is_same_kind:
        kinds = [NOUNS[side.found.kind] for side in (comparison.before, comparison.after)]
        return f"a request is not the same thing, {kinds[0]} before and {kinds[1]} after"
    if isinstance(subject, Symbols):
        return _function_change(condition, subject, comparison)
    return comparison.figures[subject]


def _function_change(
    condition: Condition, symbols: Symbols, comparison: Comparison
) -> Change | str:
    for name, side in (("before", comparison.before), ("after", comparison.after)):
        if side.found.tree is None or not side.found.tree.samples:
            return f"no stacks were sampled {name}"
        if not side.found.stack_requests:
            return f"no requests {name}"
    if condition.kind is not LimitKind.RATIO and not comparison.is_time:
        return "the samples have no time; write a limit in %"
    cost = cost_of(comparison.functions, symbols)
    if cost is None:
        near = nearest_name(comparison.functions, symbols)
        asked = f"; did you mean {near}?" if near else ""
        return f"no function of that name was sampled, before or after{asked}"
    costs = []
    for side, part in ((comparison.before, cost.before), (comparison.after, cost.after)):
        measured = Sampled(part.samples, part.scale_us / 1e6)
        costs.append(
            worth(
                measured,
                side.side.timeline,
                side.found,
                lambda frame: is_named(frame.symbol, symbols),
            )
        )
    return compare_costs(*costs)


def _missing(condition: Condition, change: Change) -> str:
    """Return why a change can't be judged; empty where it can."""
    is_symbol = isinstance(condition.subject, Symbols)
    lacking = [
        name for name, each in (("before", change.before), ("after", change.after)) if each is None
    ]
    if lacking:
        return f"it was not measured {' and '.join(lacking)}"
    if change.delta_interval is None and condition.subject not in _WITHOUT_INTERVAL:
        return "a range is too short to tell how sure it is"
    if condition.kind is LimitKind.RATIO and change.ratio is None and not is_symbol:
        return "it was 0 before and after"
    return ""


def _is_beyond(value: float, condition: Condition) -> bool:
    return value > condition.limit if condition.is_above else value < condition.limit


def _name(condition: Condition) -> str:
    if isinstance(condition.subject, Symbols):
        return condition.text.rpartition(">" if condition.is_above else "<")[0].strip()
    return condition.subject.value


def _writer(condition: Condition) -> Callable[[float], str]:
    if condition.kind is LimitKind.RATIO:
        return signed_percent
    return partial(signed_quantity, dimension=condition.dimension)


def _limit(condition: Condition) -> str:
    """Return the limit without digits that nobody wrote."""
    sign, size = "+" if condition.is_above else "−", abs(condition.limit)
    if condition.kind is LimitKind.RATIO:
        return f"{sign}{size * 100:g} %"
    if condition.kind is LimitKind.VALUE:
        sign = ""
    if condition.dimension is Dimension.SHARE:
        return f"{sign}{size * 100:g}{' pp' if sign else '%'}"
    return f"{sign}{quantity(size, condition.dimension)}"
