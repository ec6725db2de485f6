"""Where a selection goes when the tree takes another shape: to the same function, called alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from collectors.samples import Frame
from tui.model.calltree import CallNode, CallTree, Path
from tui.model.shape import Shape, Shaper, is_thread_frame, module_frame
from tui.model.stacks import ROOT_NODE


def carry(path: Path, old: Shape, new: Shape, tree: CallTree) -> Path:
    """Return the path in another shape of what is selected in a tree.

    The stack stays the same where it can: a > b > c, inverted, is c > b > a, and back. Where the
    new tree has no such path, it is the function called by most of the same callers, the costliest
    of several; where it has no such function, that of the nearest caller it has.

    Args:
        path: What is selected.
        old: The shape it was selected in.
        new: The shape to come.
        tree: The tree in the new shape.
    """
    if old == new:
        return tree.nearest(path)
    threads = path[:1] if path and is_thread_frame(path[0]) else ()
    chain = path[len(threads) :]
    chain = _reshaped(reversed(chain) if old.inverted else chain, new)
    if not new.by_thread:
        threads = ()
    whole = (*threads, *(reversed(chain) if new.inverted else chain))
    found = tree.nearest(whole)
    if found == whole or (new.inverted and len(found) > len(threads)):
        return found
    return _Places(tree, chain).like(chain, inverted=new.inverted) or found


def _reshaped(chain: Iterable[Frame], shape: Shape) -> Path:
    """Return what becomes of a line of calls, the outermost caller first."""
    shaper = Shaper(replace(shape, hidden=frozenset(), focus=None))
    node = ROOT_NODE
    for frame in chain:
        node = shaper.follow(node, frame) or ROOT_NODE
    return shaper.tree.path(node)


class _Places:
    """Where in a tree some functions stand."""

    def __init__(self, tree: CallTree, functions: Iterable[Frame]) -> None:
        self._above: dict[int, CallNode] = {}
        self._nodes: dict[Frame, list[CallNode]] = {frame: [] for frame in functions}
        names: dict[int, set[Frame]] = {}
        line: list[CallNode] = []
        for depth, node in tree.walk():
            del line[depth:]
            line.append(node)
            if not depth:
                continue
            self._above[id(node)] = line[-2]
            frame = node.frame
            if id(frame) not in names:
                # A module stands for its functions where the tree has these.
                names[id(frame)] = {frame, module_frame(frame)} & self._nodes.keys()
            for name in names[id(frame)]:
                self._nodes[name].append(node)

    def like(self, chain: Path, *, inverted: bool) -> Path:
        """Return the path to the end of a line of calls, or to the nearest caller there is."""
        for end in range(len(chain), 0, -1):
            nodes, callers = self._nodes[chain[end - 1]], chain[: end - 1][::-1]
            if nodes:
                lines = [(self._line(node, callers, inverted), node) for node in nodes]
                line, node = max(lines, key=lambda one: (len(one[0]), *_cost(one[1])))
                return self._path(line[-1] if inverted and line else node)
        return ()

    def _line(self, node: CallNode, callers: Path, inverted: bool) -> list[CallNode]:
        """Return those of a node's callers that are as they should be, the nearest first."""
        line: list[CallNode] = []
        for caller in callers:
            above = self._above.get(id(node))
            nexts = node.children if inverted else [above] if above else []
            found = next((n for n in nexts if caller in (n.frame, module_frame(n.frame))), None)
            if found is None:
                break
            line.append(found)
            node = found
        return line

    def _path(self, node: CallNode) -> Path:
        frames = []
        above = self._above.get(id(node))
        while above is not None:
            frames.append(node.frame)
            node, above = above, self._above.get(id(above))
        return tuple(reversed(frames))


def _cost(node: CallNode) -> tuple[int, int]:
    return node.total_period_ns, node.total_samples
