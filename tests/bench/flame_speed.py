"""How long a flamegraph takes to lay out and to paint.

The tree is made up: 5 000 nodes, favourite callees, few stacks that are hot and many that are not.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from textual.app import App, ComposeResult

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, build_tree
from tui.model.stacks import StackTable
from tui.views.flame import FlameView, lay_out
from tui.widgets.flamegraph import FlameGraph
from tui.widgets.palette import DEFAULT_VARIABLES

NODES = 5_000
COLUMNS = 200
LINES = 64
REPEATS = 20


class _Screen(App[None]):
    def __init__(self, view: FlameView) -> None:
        super().__init__()
        self.flame = FlameGraph(view)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULT_VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.flame


def made_up_tree(nodes: int) -> CallTree:
    """Build a tree of about so many nodes; the same one each time."""
    choose = random.Random(4)
    frames = [Frame(f"app::part{n % 9}::step{n}", "app", FrameKind.USER) for n in range(200)]
    callees = [[choose.randrange(len(frames)) for _ in range(6)] for _ in frames]
    stacks: dict[tuple[int, ...], int] = {}
    known: set[tuple[int, ...]] = set()
    while len(known) < nodes:
        stack = [0]
        while len(stack) < 60 and choose.random() < 0.98:
            favourite = min(int(choose.expovariate(3)), 5)
            stack.append(callees[stack[-1]][favourite])
        path = tuple(stack)
        stacks[path] = stacks.get(path, 0) + int(choose.paretovariate(0.8))
        known.update(path[:depth] for depth in range(1, len(path) + 1))
    table = StackTable()
    numbered = list(enumerate(stacks.items()))
    counts = {n: StackCount(samples, samples * 10_101_010) for n, (_, samples) in numbered}
    batch = StackBatch(
        start=0.0,
        end=1.0,
        counts=counts,
        stacks={n: Stack("server", "worker", path) for n, (path, _) in numbered},
        frames=dict(enumerate(frames)),
    )
    table.add(batch)
    return build_tree(table, counts)


async def measure(rounds: int) -> dict[str, list[float]]:
    """Lay out and paint, 20 times a round; what was done → seconds each time."""
    tree = made_up_tree(NODES)
    app = _Screen(FlameView(1, tree, "header", requests=1_000))
    async with app.run_test(size=(COLUMNS + 1, LINES)) as pilot:
        flame = app.flame
        await pilot.pause()
        layout = flame.flame_layout()
        assert layout is not None
        cells = sum(map(len, layout.rows))
        lines = min(LINES, len(layout.rows) + 2)

        def paint() -> None:
            for y in range(lines):
                flame.render_line(y)

        return {
            f"lay out {tree.nodes} nodes at {layout.columns} columns": _times(
                lambda: lay_out(tree, layout.columns), rounds
            ),
            f"paint {cells} cells in {lines} lines": _times(paint, rounds),
        }


def _times(work: Callable[[], object], rounds: int) -> list[float]:
    work()
    times = []
    for _ in range(REPEATS * rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times


def table(times: dict[str, list[float]]) -> str:
    """Return medians and the slowest."""
    lines = [f"{'':44}{'median ms':>10}{'max ms':>8}"]
    for name, each in times.items():
        lines.append(f"{name:44}{1e3 * statistics.median(each):10.2f}{1e3 * max(each):8.2f}")
    return "\n".join(lines)
