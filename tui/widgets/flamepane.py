"""The pane of stacks: a flamegraph, a table, or a function between callers and callees."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive

from collectors.samples import Frame
from tui.model.calltree import CallNode, CallTree, Path
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


class FlamePane(Vertical, can_focus=True):
    """Shows a `FlamePaneView`; what is selected stays selected in whatever form it is shown.

    The pane has the keys, not what is in it: to hand the focus on with each change of form would
    have everything styled and drawn once more.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home", "edge('first')", "First", show=False, id="table.first"),
        Binding("end", "edge('last')", "Last", show=False, id="table.last"),
    ]

    DEFAULT_CSS = """
    FlamePane > * { height: 1fr; }
    """

    view: reactive[FlamePaneView | None] = reactive(None)

    graph = getters.query_one("#graph", FlameGraph)
    callers = getters.query_one("#callers", FlameGraph)
    functions = getters.query_one("#functions", FunctionTable)
    changes = getters.query_one("#changes", FunctionTable)

    def __init__(self, *, id: str, classes: str = "") -> None:  # noqa: A002 - as all widgets do
        super().__init__(id=id, classes=classes)
        self._at_callers = False
        """Whether the keys are for the upper half of a sandwich."""

    def compose(self) -> ComposeResult:
        """Every form; one of them is seen, or both halves of a sandwich."""
        forms: tuple[FlameGraph | FunctionTable, ...] = (
            FlameGraph(id="callers"),
            FlameGraph(id="graph"),
            FunctionTable(id="functions"),
            FunctionTable(id="changes"),
        )
        for form in forms:
            form.can_focus = False
            yield form

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Have the keys go on from where the mouse was."""
        if event.widget in (self.callers, self.graph):
            self._at_callers = event.widget is self.callers

    @property
    def _walked(self) -> FlameGraph:
        """The graph that the keys are for."""
        return self.callers if self._at_callers else self.graph

    @property
    def selected(self) -> Frame | None:
        """The function under the cursor; None at the root."""
        view = self.view
        if view is None:
            return None
        table = self._table(view)
        if table is not None:
            return table.selected
        graph = self._walked
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
        self._at_callers = False
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

    def move(self, name: str) -> bool:
        """Go up, down, left or right, zoom in or out; return whether that was for this pane."""
        graph, table = self._walked, self._table(self.view)
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

    def action_page(self, pages: int) -> None:
        """Go as many rows of a table as are in sight down, or up."""
        table = self._table(self.view)
        if table is not None:
            table.action_page(pages)

    def action_edge(self, edge: Literal["first", "last"]) -> None:
        """Go to the first or the last row of a table."""
        table = self._table(self.view)
        if table is not None:
            table.action_edge(edge)

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
    stack: list[tuple[CallNode, Path]] = [(tree.root, ())]
    while stack:
        node, path = stack.pop()
        for child in node.children:
            cost = child.total_period_ns, child.total_samples
            # What is below a node costs no more than the node.
            if cost > best:
                below = (*path, child.frame)
                if child.frame == frame:
                    best, found = cost, below
                else:
                    stack.append((child, below))
    return found
