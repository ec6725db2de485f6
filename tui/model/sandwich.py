"""One function between its callers and its callees.

A stack is cut once, where the function stands outermost in it: what called it there is a caller,
what came of that call is a callee, also when the function calls itself again. So the function is
never among its own callers, and both trees are exactly its total. Stacks whose callers were lost
are in both, and say so as their outermost caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from collectors.samples import Frame, StackCount
from tui.model.calltree import CallTree, Path, PrefixTree, ancestry
from tui.model.shape import Grown, Shape, grow, module_frame
from tui.model.stacks import CALLER_LOST_FRAME, ROOT_NODE, StackTable


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """What called a function, and what it called; both trees have its frame as their root."""

    callers: CallTree
    """Inverted: the callers of a node are its children."""
    callees: CallTree
    samples: int
    """Of all stacks with the function, each once."""
    period_ns: int


def sandwich(
    table: StackTable,
    counts: Mapping[int, StackCount],
    frame: Frame,
    shape: Shape = Shape(),  # noqa: B008 - it is frozen
) -> Sandwich:
    """Collect what is above and below a function over all stacks of a range.

    Args:
        table: Knows the stacks.
        counts: Stack id → count, summed over the range.
        frame: The function; also the frame of a module.
        shape: What becomes of the stacks before; which way up it is and its focus mean nothing
            here, where a function is looked at from both sides.
    """
    grown = grow(table, counts, replace(shape, inverted=False, focus=None))
    if shape.by_module:
        frame = module_frame(frame)
    callees, callers = PrefixTree(frame), PrefixTree(frame)
    places = _cut(grown, frame, callees)
    kept = [(*places[leaf], count) for leaf, count in grown.leaves if leaf in places]
    above = {cut: _outwards(grown, cut) for cut in {cut for cut, _, _ in kept}}
    ends = {cut: _grow(callers, path) for cut, path in above.items()}
    lost = {cut for cut, path in above.items() if CALLER_LOST_FRAME in path}
    caller_lost = sum(count.samples for cut, _, count in kept if cut in lost)
    called = callees.assemble((node, count) for _, node, count in kept)
    calling = callers.assemble((ends[cut], count) for cut, _, count in kept)
    unknown = called.unknown_samples
    return Sandwich(
        callers=replace(calling, unknown_samples=unknown, caller_lost_samples=caller_lost),
        callees=replace(called, caller_lost_samples=caller_lost),
        samples=called.samples,
        period_ns=called.period_ns,
    )


def _outwards(grown: Grown, node: int) -> Path:
    frames = []
    while node != ROOT_NODE:
        frames.append(grown.frames[node])
        node = grown.parents[node]
    return tuple(frames)


def _grow(callers: PrefixTree, above: Path) -> int:
    node = ROOT_NODE
    for caller in above[1:]:
        node = callers.child(node, caller)
    return node


def _cut(grown: Grown, frame: Frame, callees: PrefixTree) -> dict[int, tuple[int, int]]:
    """Grow the tree of callees.

    Returns:
        For each node from the function on: where its stack was cut, and its place among the
        callees.
    """
    parents, frames = grown.parents, grown.frames
    places: dict[int, tuple[int, int]] = {}
    is_it: dict[int, bool] = {}
    for number in ancestry(parents, [leaf for leaf, _ in grown.leaves])[1:]:
        found, place = frames[number], places.get(parents[number])
        if place is not None:
            places[number] = place[0], callees.child(place[1], found)
            continue
        if id(found) not in is_it:
            is_it[id(found)] = frame in (found, module_frame(found))
        if is_it[id(found)]:
            places[number] = number, ROOT_NODE
    return places
