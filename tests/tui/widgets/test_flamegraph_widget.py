"""Walking through a flamegraph."""

from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.pilot import Pilot

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, Path, build_tree
from tui.model.stacks import StackTable
from tui.views.flame import FlameView
from tui.widgets.flamegraph import FlameGraph
from tui.widgets.palette import DEFAULT_VARIABLES


def path(*symbols: str) -> Path:
    return tuple(Frame(symbol, "server", FrameKind.USER) for symbol in symbols)


def tree_of(**stacks: int) -> CallTree:
    """A tree from names like `main__work`: the frames of a stack, then its samples."""
    ids: dict[Frame, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        frames = tuple(ids.setdefault(frame, len(ids)) for frame in path(*text.split("__")))
        made[number] = Stack("p", "t", frames)
        counts[number] = StackCount(samples, samples * 1000)
    table = StackTable()
    frames_by_id = {number: frame for frame, number in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=frames_by_id))
    return build_tree(table, counts)


VIEW = FlameView(1, tree_of(idle=25, main__parse=25, main__work__read=50), "last 10 s", requests=10)


class Screen(App[None]):
    def __init__(self, view: FlameView | None = VIEW) -> None:
        super().__init__()
        self.flame = FlameGraph(view)
        self.selected: list[Path] = []
        self.zoomed: list[Path] = []
        self.escaped = 0

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "escape", "Back")]

    def action_escape(self) -> None:
        self.escaped += 1

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULT_VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.flame

    def on_flame_graph_frame_selected(self, message: FlameGraph.FrameSelected) -> None:
        self.selected.append(message.path)

    def on_flame_graph_zoomed(self, message: FlameGraph.Zoomed) -> None:
        self.zoomed.append(message.path)


def lines(flame: FlameGraph) -> list[str]:
    return [flame.render_line(y).text.rstrip() for y in range(flame.size.height)]


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_picture() -> None:
    """Header, cells with a seam each, the selected one marked, and its cost in the last line."""
    app = Screen()
    async with app.run_test(size=(81, 8)):
        assert lines(app.flame) == [
            "last 10 s",
            "▶all",
            "▏idle               ▏main",
            "                    ▏parse              ▏work",
            "                                        ▏read",
            "",
            "",
            "all" + " " * 28 + "total 100% 10.0 µs/request · self 0% 0 ms/request",
        ]


async def test_keys_walk_the_tree() -> None:
    """Down goes to the greatest callee, up to the caller, sideways to the neighbour."""
    app = Screen()
    async with app.run_test(size=(61, 10)) as pilot:
        app.flame.focus()
        await press(pilot, "down", "j", "h", "right", "l", "up", "left", "k", "k", "up")
        assert app.selected == [
            path("main"),
            path("main", "work"),
            path("main", "parse"),
            path("main", "work"),
            path("main"),
            path("idle"),
            (),
        ]


async def test_zoom_in_and_out() -> None:
    """Enter zooms to the selected frame, Escape goes back step by step, then is the app's."""
    app = Screen()
    async with app.run_test(size=(61, 10)) as pilot:
        app.flame.focus()
        await press(pilot, "down", "enter")
        assert lines(app.flame)[2:4] == ["▶main", "▏parse              ▏work"]
        await press(pilot, "down", "enter", "enter")
        assert lines(app.flame)[2:5] == ["▏main", "▶work", "▏read"]
        await press(pilot, "escape", "escape")
        assert app.zoomed == [path("main"), path("main", "work"), path("main"), ()]
        assert app.escaped == 0
        await press(pilot, "escape")
        assert app.escaped == 1


async def test_cursor_survives_refreshes() -> None:
    """A vanished frame is stood in for by its nearest caller, and comes back when it does."""
    app = Screen()
    async with app.run_test(size=(61, 10)) as pilot:
        app.flame.focus()
        await press(pilot, "down", "down", "down", "enter")
        assert app.flame.selected == path("main", "work", "read")
        app.flame.view = replace(VIEW, revision=2, tree=tree_of(idle=1, main__parse=2))
        await pilot.pause()
        assert app.flame.selected == path("main")
        assert lines(app.flame)[2:4] == ["▶main", "▏parse"]
        app.flame.view = replace(VIEW, revision=3)
        await pilot.pause()
        assert app.flame.selected == path("main", "work", "read")


async def test_mouse_selects_zooms_and_hovers() -> None:
    """A click selects, a second one zooms; what is below the mouse lights up."""
    app = Screen()
    async with app.run_test(size=(61, 10)) as pilot:
        await pilot.hover(app.flame, offset=(20, 2))
        assert app.flame.hover == path("main")
        await pilot.click(app.flame, offset=(20, 2))
        await pilot.click(app.flame, offset=(20, 2))
        await pilot.pause()
        assert (app.selected, app.zoomed) == ([path("main")], [path("main")])
        for nothing in ((20, 0), (59, 7), (20, 9)):
            await pilot.click(app.flame, offset=nothing)
        assert app.selected == [path("main")]
        await pilot.hover(app.flame, offset=(20, 8))
        assert app.flame.hover is None


async def test_deep_stacks_scroll() -> None:
    """The cursor stays in sight, header and last line stay where they are."""
    names = [f"f{i}" for i in range(40)]
    view = FlameView(1, tree_of(**{"__".join(names): 3}), "header")
    app = Screen(view)
    async with app.run_test(size=(61, 10)) as pilot:
        app.flame.cursor = path(*names[:20])
        await pilot.pause()
        shown = lines(app.flame)
        assert (shown[0], "▶f19" in shown, shown[-1].startswith("f19")) == ("header", True, True)
        app.flame.cursor = ()
        await pilot.pause()
        assert lines(app.flame)[1] == "▶all"


async def test_zoomed_frame_comes_to_the_top() -> None:
    """After a zoom one sees what is below the frame, not its many callers."""
    names = [f"f{i}" for i in range(40)]
    app = Screen(FlameView(1, tree_of(**{"__".join(names): 3}), "header"))
    async with app.run_test(size=(61, 10)) as pilot:
        app.flame.focus()
        app.flame.cursor = path(*names[:20])
        await press(pilot, "enter")
        assert lines(app.flame)[1:4] == ["▏f18", "▶f19", "▏f20"]


async def test_nothing_to_show() -> None:
    """Without a view the pane is blank, without samples it says why; keys do no harm."""
    app = Screen(None)
    async with app.run_test(size=(41, 7)) as pilot:
        app.flame.focus()
        assert lines(app.flame) == [""] * 7
        app.flame.view = FlameView(1, None, "perf", empty_text="Waiting for perf")
        await press(pilot, "down", "left", "enter", "escape")
        assert lines(app.flame)[0] == "perf"
        assert lines(app.flame)[3].strip() == "Waiting for perf"
        await pilot.click(app.flame, offset=(5, 3))
        assert app.selected == app.zoomed == []


async def test_symbols_are_no_markup() -> None:
    """Brackets in symbols are shown as they are, wide characters keep the columns."""
    hostile = FlameView(
        1, tree_of(**{"[/]": 1, "[unknown]": 1, "日本語日本語日本語": 1}), "[b]h[/]"
    )
    app = Screen(hostile)
    async with app.run_test(size=(31, 6)):
        shown = lines(app.flame)
        assert shown[0].startswith("[b]h[/]")
        assert shown[2] == "▏[/]      ▏[unknown]▏日本語日…"
        assert cell_len(app.flame.render_line(2).text) == 30
        odd = "1\ufe0f\u20e3👍🏽❤\ufe0f"
        app.flame.view = FlameView(2, tree_of(**{odd: 1, odd * 9: 1}), "h")
        assert cell_len(app.flame.render_line(2).text) == 30


async def test_equal_views_repaint_nothing() -> None:
    """A view of the same revision keeps the layout that was made."""
    app = Screen()
    async with app.run_test(size=(61, 10)):
        before = app.flame.flame_layout()
        app.flame.view = replace(VIEW)
        assert app.flame.flame_layout() is before
