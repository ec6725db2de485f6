"""The pane of stacks: a flamegraph, a table, or a function between callers and callees."""

from __future__ import annotations

from typing import Final

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widget import Widget

from collectors.samples import Frame
from tui.model.calltree import CallTree, Path
from tui.model.lens import Picture
from tui.model.search import next_match
from tui.model.selection import carry
from tui.views.flamepane import FlamePaneView
from tui.widgets.flamegraph import FlameGraph
from tui.widgets.functiontable import FunctionTable

_SEEN: Final = {
    "graph": ("graph",),
    "sandwich": ("callers", "graph"),
    "functions": ("functions",),
    "changes": ("changes",),
}
"""Form → what is seen in it."""


class FlamePane(Vertical):
    """Shows a `FlamePaneView`; what is selected stays selected in whatever form it is shown."""

    DEFAULT_CSS = """
    FlamePane > * { height: 1fr; }
    """

    view: reactive[FlamePaneView | None] = reactive(None)

    graph = getters.query_one("#graph", FlameGraph)
    callers = getters.query_one("#callers", FlameGraph)
    functions = getters.query_one("#functions", FunctionTable)
    changes = getters.query_one("#changes", FunctionTable)

    def compose(self) -> ComposeResult:
        """Every form; one of them is seen, or both halves of a sandwich."""
        yield FlameGraph(id="callers")
        yield FlameGraph(id="graph")
        yield FunctionTable(id="functions")
        yield FunctionTable(id="changes")

    @property
    def active(self) -> Widget:
        """What takes the keys."""
        form = _form(self.view)
        return self.graph if form == "sandwich" else self.query_one(f"#{form}", Widget)

    @property
    def selected(self) -> Frame | None:
        """The function under the cursor; None at the root."""
        view = self.view
        if view is None:
            return None
        table = self._table(view)
        if table is not None:
            return table.selected
        graph = self.callers if self.callers.has_focus else self.graph
        if graph.selected:
            return graph.selected[-1]
        tree = graph.view.tree if graph.view is not None else None
        is_whole = view.picture is not Picture.SANDWICH or tree is None
        return None if is_whole or tree is None else tree.root.frame

    def watch_view(self, before: FlamePaneView | None, now: FlamePaneView | None) -> None:
        """Hand each form its part, and take the selection along where the form changes."""
        if now is None:
            return
        frame = self.selected_in(before)
        tree = now.graph.tree
        was_graph = before is not None and before.picture is Picture.GRAPH
        if before is not None and was_graph and now.picture is Picture.GRAPH and tree is not None:
            self._carry(before, now, tree)
        if now.functions is None and now.changes is None:
            # Where it is not seen, it need not be laid out.
            self.graph.view = now.graph
        self.callers.view = now.callers
        self.functions.view = now.functions
        self.changes.view = now.changes
        if before is None or _form(before) != _form(now):
            self._turn(_form(now), frame, tree)

    def selected_in(self, view: FlamePaneView | None) -> Frame | None:
        """Return what was selected in the form that was shown."""
        table = self._table(view)
        if view is None or table is not None:
            return table.selected if table is not None else None
        return self.graph.cursor[-1] if self.graph.cursor else None

    def _table(self, view: FlamePaneView | None) -> FunctionTable | None:
        """Return the table that a view is shown in; None where it is a graph."""
        return {"functions": self.functions, "changes": self.changes}.get(_form(view))

    def _carry(self, before: FlamePaneView, now: FlamePaneView, tree: CallTree) -> None:
        if before.shape == now.shape:
            return
        path = carry(self.graph.cursor, before.shape, now.shape, tree)
        if now.shape.inverted and not before.shape.inverted:
            # What is selected is a leaf's function now; its callers are below it.
            path = path[: 1 + now.shape.by_thread]
        self.graph.forget_zoom()
        self.graph.cursor = path

    def _turn(self, form: str, frame: Frame | None, tree: CallTree | None) -> None:
        had_focus = self.has_focus_within
        # Not by classes: these would have the styles of everything in here worked out anew.
        for child in self.children:
            child.display = child.id in _SEEN[form]
        if form in ("functions", "changes"):
            table = self.functions if form == "functions" else self.changes
            table.select(frame)
        elif form == "sandwich":
            self.graph.forget_zoom()
            self.callers.forget_zoom()
            self.graph.cursor = self.callers.cursor = ()
        elif form == "graph" and frame is not None and tree is not None:
            self.graph.forget_zoom()
            self.graph.cursor = _hottest(tree, frame)
        if had_focus:
            self.screen.set_focus(self.active)

    def move(self, name: str) -> bool:
        """Go up, down, left or right, zoom in or out; return whether that was for this pane."""
        graph = self.callers if self.callers.has_focus else self.graph
        table = self._table(self.view)
        match name:
            case "up" | "down" if table is not None:
                table.action_move(1 if name == "down" else -1)
            case "up" | "down" | "left" | "right" if table is None:
                graph.action_move(name)
            case "zoom" if table is None:
                graph.action_zoom()
            case "unzoom" if table is None and graph.check_action("unzoom", ()):
                graph.action_unzoom()
            case _:
                return name in ("left", "right")
        return True

    def select_match(self, step: int) -> bool:
        """Go to the next match of the search, or the one before; return whether there is one."""
        view = self.view
        if view is None or view.search is None or view.picture is not Picture.GRAPH:
            return False
        path = next_match(view.search, self.graph.cursor, step)
        if path is None:
            return False
        if self.graph.zoom != path[: len(self.graph.zoom)]:
            self.graph.forget_zoom()
        self.graph.select(path)
        return True


def _form(view: FlamePaneView | None) -> str:
    """Return in which form a view is shown."""
    if view is None:
        return "graph"
    if view.callers is not None:
        return "sandwich"
    if view.changes is not None:
        return "changes"
    return "functions" if view.functions is not None else "graph"


def _hottest(tree: CallTree, frame: Frame) -> Path:
    """Return the path to the costliest occurrence of a function; () where it is not."""
    best: tuple[int, int] = (0, 0)
    found: Path = ()
    line: list[Frame] = []
    for depth, node in tree.walk():
        del line[max(0, depth - 1) :]
        if depth:
            line.append(node.frame)
        cost = node.total_period_ns, node.total_samples
        if depth and node.frame == frame and cost > best:
            best, found = cost, tuple(line)
    return found
