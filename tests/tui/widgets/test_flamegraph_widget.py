"""Walking through a flamegraph."""

import random
from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.pilot import Pilot

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, Path, build_tree
from tui.model.stacks import StackTable
from tui.views.flame import FlameView, Tint
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


def segments(flame: FlameGraph, y: int) -> list[Segment]:
    return [segment for segment in flame.render_line(y) if segment.text.strip()]


def background(segment: Segment) -> str:
    """The colour behind a text, as `#rrggbb`."""
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    return segment.style.bgcolor.get_truecolor().hex


async def wheel(
    pilot: Pilot[None], flame: FlameGraph, *, up: bool, at: tuple[int, int], ctrl: bool = False
) -> None:
    """Turn the wheel by one step over a place."""
    kind = events.MouseScrollUp if up else events.MouseScrollDown
    event = kind(
        flame,
        x=at[0],
        y=at[1],
        delta_x=0,
        delta_y=0,
        button=0,
        shift=False,
        meta=False,
        ctrl=ctrl,
        screen_x=flame.region.x + at[0],
        screen_y=flame.region.y + at[1],
    )
    flame.post_message(event)
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_picture() -> None:
    """Header, cells after their edges, the selected one marked, and its cost in the last line."""
    app = Screen()
    async with app.run_test(size=(81, 8)):
        assert lines(app.flame) == [
            "last 10 s",
            "▶all",
            "▏idle                main",
            "                    ▏parse               work",
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
        assert lines(app.flame)[2:4] == ["▶main", "▏parse               work"]
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
        assert shown[2] == "▏[/]       [unknown] 日本語日…"
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


async def test_edges_inside_of_columns() -> None:
    """A shared column has the left cell's colour up to the edge, and the right one's behind it."""
    app = Screen(replace(VIEW, tree=tree_of(idle=33, main=67)))
    async with app.run_test(size=(41, 6)):
        assert lines(app.flame)[2] == "▏idle        ▎main"
        idle, edge, main = segments(app.flame, 2)[1:4]
        assert edge.text == "▎"
        assert edge.style is not None
        assert edge.style.color is not None
        assert edge.style.color.get_truecolor().hex == background(idle)
        assert background(edge) == background(main) != background(idle)


async def test_neighbours_of_one_shade_have_a_line_between_them() -> None:
    """Where both sides have one colour, a thin line in the pane's colour is near to the edge."""
    shown = []
    for share in (40, 41, 45, 49):
        tree = tree_of(main=share, idle=80 - share)
        nodes = {id(node): Tint("diff-same", "") for _, node in tree.walk()}
        app = Screen(replace(VIEW, tree=tree, tints=nodes))
        async with app.run_test(size=(11, 6)):
            shown.append(lines(app.flame)[2])
    assert shown == ["▏idle▏main", "▏id…▕main", "▏id…│main", "▏  ▕main"]


async def test_a_thin_frame_can_be_selected() -> None:
    """The marker takes a whole column, however thin the frame is."""
    app = Screen(replace(VIEW, tree=tree_of(a=97, b=2, c=1)))
    async with app.run_test(size=(41, 6)):
        assert lines(app.flame)[2] == "▏a" + " " * 36 + "▉▋"
        app.flame.select(path("b"))
        assert lines(app.flame)[2] == "▏a" + " " * 36 + "▶▋"
        assert cell_len(app.flame.render_line(2).text) == 40


async def test_search_marks_matches_and_dims_the_rest() -> None:
    """Matches have a colour of their own and are underlined and bold, all others are dim."""
    tree = tree_of(idle=25, main__parse=25, main__work__read=50)
    found = frozenset({id(tree.find(path("main", "work")))})
    app = Screen(replace(VIEW, tree=tree, pattern="work", matches=found))
    async with app.run_test(size=(81, 8)):
        parse, work = segments(app.flame, 3)[1], segments(app.flame, 3)[-1]
        assert (parse.text.strip(), work.text.strip()) == ("parse", "work")
        assert background(parse) == DEFAULT_VARIABLES["flame-dim"]
        assert background(work) == DEFAULT_VARIABLES["flame-match"]
        assert [segment.style and segment.style.underline for segment in (parse, work)] == [
            None,
            True,
        ]


async def test_changes_have_signs_and_colours() -> None:
    """In a comparison a frame has the colour and sign of its change, and the line tells it."""
    tree = tree_of(idle=50, main=50)
    idle, main = tree.root.children
    tints = {id(idle): Tint("diff-less", "−"), id(main): Tint("diff-more", "+")}
    view = replace(VIEW, tree=tree, tints=tints, about=lambda node: f"▲ {node.frame.symbol}")
    app = Screen(view)
    async with app.run_test(size=(41, 6)):
        app.flame.select(path("main"))
        assert lines(app.flame)[2] == "▏−idle" + " " * 14 + "▶+main"
        assert background(segments(app.flame, 2)[1]) == DEFAULT_VARIABLES["diff-less"]
        app.flame.select(path("idle"))
        assert background(segments(app.flame, 2)[-1]) == DEFAULT_VARIABLES["diff-more"]
        assert lines(app.flame)[5].endswith("▲ idle")
        app.flame.view = replace(view, tints={id(main): Tint("diff-same", "")}, tint_revision=2)
        assert background(segments(app.flame, 2)[-1]) == DEFAULT_VARIABLES["diff-same"]


async def test_roots_at_the_bottom() -> None:
    """The root is in the last row, keys follow the eye, and a deep tree starts at its roots."""
    app = Screen(replace(VIEW, roots_at_bottom=True))
    async with app.run_test(size=(81, 8)) as pilot:
        app.flame.focus()
        assert [line.split() for line in lines(app.flame)[3:7]] == [
            ["▏read"],
            ["▏parse", "work"],
            ["▏idle", "main"],
            ["▶all"],
        ]
        await press(pilot, "up", "up", "down")
        assert app.selected == [path("main"), path("main", "work"), path("main")]
        names = [f"f{i}" for i in range(40)]
        app.flame.cursor = ()
        app.flame.view = FlameView(
            2, tree_of(**{"__".join(names): 3}), "header", roots_at_bottom=True
        )
        await pilot.pause()
        assert lines(app.flame)[-3:-1] == ["▏f0", "▶all"]


async def test_the_wheel_scrolls_deep_stacks() -> None:
    """Where stacks are deeper than the pane the wheel scrolls, and with ctrl it zooms."""
    names = [f"f{i}" for i in range(40)]
    app = Screen(FlameView(1, tree_of(**{"__".join(names): 3, "g": 1}), "header"))
    async with app.run_test(size=(61, 10)) as pilot:
        await pilot.pause()
        await wheel(pilot, app.flame, up=False, at=(20, 4))
        assert app.flame.scroll_offset.y > 0
        await wheel(pilot, app.flame, up=True, at=(20, 4))
        assert (app.flame.scroll_offset.y, app.zoomed) == (0, [])
        await wheel(pilot, app.flame, up=True, at=(20, 4), ctrl=True)
        await wheel(pilot, app.flame, up=False, at=(20, 4), ctrl=True)
        assert app.zoomed == [path("f0"), ()]


async def test_the_wheel_zooms_into_shallow_stacks() -> None:
    """Each step goes to the next narrower frame below the mouse, and out the same way."""
    app = Screen()
    async with app.run_test(size=(81, 8)) as pilot:
        for _ in range(2):
            await wheel(pilot, app.flame, up=True, at=(75, 4))
        assert app.zoomed == [path("main"), path("main", "work")]
        await wheel(pilot, app.flame, up=True, at=(75, 1))
        await wheel(pilot, app.flame, up=True, at=(75, 6))
        for _ in range(3):
            await wheel(pilot, app.flame, up=False, at=(75, 6))
        assert app.zoomed[2:] == [path("main"), ()]


async def test_the_light_stays_below_the_mouse() -> None:
    """After a refresh the frame that is below the mouse now is lit and told about."""
    app = Screen()
    async with app.run_test(size=(81, 8)) as pilot:
        await pilot.hover(app.flame, offset=(10, 2))
        assert lines(app.flame)[-1].startswith("idle ")
        assert background(segments(app.flame, 2)[1]) == DEFAULT_VARIABLES["flame-hover"]
        app.flame.view = replace(VIEW, revision=2, tree=tree_of(main=1))
        await pilot.pause()
        assert lines(app.flame)[-1].startswith("main ")
        app.flame.view = replace(VIEW, revision=3, tree=None)
        assert app.flame.hover is None
        app.flame.view = replace(VIEW, revision=4)
        assert app.flame.hover == path("idle")
        app.flame.post_message(events.Leave(app.flame))
        await pilot.pause()
        assert app.flame.hover is None


async def test_an_app_selects_and_zooms() -> None:
    """What keys can do, an app can do by path."""
    app = Screen()
    async with app.run_test(size=(81, 8)) as pilot:
        flame, work = app.flame, path("main", "work")
        flame.select(work)
        assert VIEW.tree is not None
        assert (flame.selected, flame.selected_node) == (work, VIEW.tree.find(work))
        flame.zoom_to(work)
        flame.zoom_to(work)
        flame.unzoom()
        flame.unzoom()
        await pilot.pause()
        assert (app.selected, app.zoomed) == ([work], [work, ()])
        flame.view = None
        assert flame.selected_node is None


async def test_selection_survives_a_thousand_refreshes() -> None:
    """What is drawn of the selected frame is selected, and the frame itself whenever it is back."""
    choose = random.Random(4)
    wanted = path("a", "b", "c")
    pool = ["__".join(choose.choices("abcd", k=choose.randint(1, 5))) for _ in range(40)]
    app = Screen()
    async with app.run_test(size=(81, 12)) as pilot:
        app.flame.select(wanted)
        came_back = 0
        for revision in range(1_000):
            names = [*choose.sample(pool, 6), "a__b__c"][: choose.randint(1, 7)]
            tree = tree_of(**{name: choose.randint(1, 9) for name in names})
            app.flame.view = replace(
                VIEW, revision=revision + 2, tree=tree, roots_at_bottom=choose.random() < 0.5
            )
            assert app.flame.selected == tree.nearest(wanted)
            assert app.flame.selected_node is tree.find(app.flame.selected)
            assert sum("▶" in line for line in lines(app.flame)) == 1
            came_back += app.flame.selected == wanted
        await pilot.pause()
        assert came_back > 100
        assert app.selected == [wanted]
