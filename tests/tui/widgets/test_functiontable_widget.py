"""Walking through the table of functions."""

import random
from dataclasses import replace

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from collectors.samples import Frame, FrameKind
from tui.views.functiontable import FunctionRow, FunctionTableView
from tui.widgets.functiontable import FunctionTable
from tui.widgets.palette import DEFAULT_VARIABLES


def frame(symbol: str) -> Frame:
    return Frame(symbol, "server", FrameKind.USER)


def view_of(*names: str, header: str = "last 10 s") -> FunctionTableView:
    """Rows in this order; `~f` are the stacks of f whose callers were lost."""
    rows = [
        FunctionRow(frame(name.removeprefix("~")), name[0] == "~", name, 0.5, 5, 0.5, 5)
        for name in names
    ]
    return FunctionTableView(tuple(rows), header)


VIEW = view_of("work", "parse", "~send", "main")
MANY = view_of(*(f"f{number}" for number in range(5_000)))


class Screen(App[None]):
    def __init__(self, view: FunctionTableView | None = VIEW) -> None:
        super().__init__()
        self.table = FunctionTable(view)
        self.selected: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULT_VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_function_table_frame_selected(self, message: FunctionTable.FrameSelected) -> None:
        self.selected.append(message.frame.symbol)


def lines(table: FunctionTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def functions(table: FunctionTable) -> list[str]:
    """The first word of each row, the selected one with its mark."""
    return [line.split()[0] for line in lines(table)[2:-1] if line]


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_picture() -> None:
    """Header, titles, rows, and the full name of the selected function in the last line."""
    app = Screen()
    async with app.run_test(size=(70, 9)):
        assert lines(app.table) == [
            "last 10 s",
            " function                     self▾ self samples  total total samples",
            "▶work                         50.0%            5  50.0%             5",
            " parse                        50.0%            5  50.0%             5",
            " ~send (caller lost)          50.0%            5  50.0%             5",
            " main                         50.0%            5  50.0%             5",
            "",
            "",
            "work  server",
        ]


async def test_keys_walk_the_rows() -> None:
    """Up and down by a row, to the first and the last; no step leads past an end."""
    app = Screen()
    async with app.run_test(size=(60, 9)) as pilot:
        app.table.focus()
        await press(pilot, "down", "j", "up", "k", "k", "end", "down", "home")
        assert app.selected == ["parse", "send", "parse", "work", "main", "work"]
        assert app.table.selected == frame("work")


async def test_what_was_selected_before_it_is_seen_is_in_sight_then() -> None:
    """The first row stays below the titles; another one is scrolled to."""
    for name, first in (("f0", "▶f0"), ("f40", "f34")):
        app = Screen(None)
        async with app.run_test(size=(60, 10)) as pilot:
            app.table.display = False
            await pilot.pause()
            app.table.view = MANY
            app.table.select(frame(name))
            app.table.display = True
            await pilot.pause()
            assert functions(app.table)[0] == first
            assert f"▶{name}" in functions(app.table)


async def test_many_rows_scroll() -> None:
    """The cursor stays in sight, header, titles and last line stay where they are."""
    app = Screen(MANY)
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.focus()
        await press(pilot, "pagedown")
        assert app.selected == ["f7"]
        assert functions(app.table) == [*(f"f{n}" for n in range(1, 7)), "▶f7"]
        await press(pilot, "end")
        assert functions(app.table) == [*(f"f{n}" for n in range(4993, 4999)), "▶f4999"]
        assert lines(app.table)[0] == "last 10 s"
        assert lines(app.table)[-1] == "f4999  server"
        await press(pilot, "pageup", "home")
        assert app.selected == ["f7", "f4999", "f4992", "f0"]
        assert functions(app.table)[0] == "▶f0"


async def test_selection_follows_its_function() -> None:
    """A refresh that moves it takes the cursor along; what took its place stands in for it."""
    app = Screen()
    async with app.run_test(size=(60, 9)) as pilot:
        app.table.focus()
        await press(pilot, "down")
        app.table.view = view_of("a", "b", "parse", "work")
        await pilot.pause()
        assert functions(app.table) == ["a", "b", "▶parse", "work"]
        app.table.view = view_of("a", "b")
        await pilot.pause()
        assert app.table.selected == frame("b")
        app.table.view = VIEW
        await pilot.pause()
        assert app.table.selected == frame("parse")
        assert app.selected == ["parse"]


async def test_the_first_row_is_selected_until_one_moves() -> None:
    """Without a choice the cursor stays at the top, whatever comes there."""
    app = Screen()
    async with app.run_test(size=(60, 9)) as pilot:
        app.table.view = view_of("other", "work")
        await pilot.pause()
        assert app.table.selected == frame("other")
        app.table.select(frame("work"))
        app.table.view = view_of("a", "b", "~work")
        await pilot.pause()
        assert app.table.selected_row == 2
        app.table.select(None)
        assert app.table.selected == frame("a")
        assert app.selected == []


async def test_a_refresh_does_not_scroll_back() -> None:
    """Who scrolled away from the cursor to look at others may go on looking."""
    app = Screen(MANY)
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.focus()
        await press(pilot, "down")
        app.table.scroll_to(y=100, animate=False, force=True)
        await pilot.pause()
        app.table.view = replace(MANY, header="last 5 s")
        await pilot.pause()
        assert functions(app.table)[0] == "f100"
        await press(pilot, "down")
        assert functions(app.table)[0] == "▶f2"


async def test_selection_survives_a_thousand_refreshes() -> None:
    """The function is selected whenever it is there, some other row while it is not."""
    choose = random.Random(11)
    names = [f"f{number}" for number in range(30)]
    app = Screen()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.select(frame("f7"))
        seen = 0
        for _ in range(1_000):
            shown = choose.sample(names, choose.randint(1, 20))
            app.table.view = view_of(*shown)
            if "f7" in shown:
                seen += 1
                assert app.table.selected == frame("f7")
            else:
                assert app.table.selected in [frame(name) for name in shown]
        await pilot.pause()
        assert seen > 100


async def test_mouse_selects() -> None:
    """A click on a row selects its function; elsewhere it does nothing."""
    app = Screen()
    async with app.run_test(size=(60, 9)) as pilot:
        for y in (3, 4, 4, 0, 1, 7, 8):
            await pilot.click(app.table, offset=(5, y))
        await pilot.pause()
        assert app.selected == ["parse", "send"]


async def test_nothing_to_show() -> None:
    """Without a view the pane is blank, without rows it says why; keys do no harm."""
    app = Screen(None)
    async with app.run_test(size=(41, 7)) as pilot:
        app.table.focus()
        assert lines(app.table) == [""] * 7
        await press(pilot, "down", "end", "pageup")
        app.table.view = FunctionTableView((), "perf", empty_text="Waiting for perf")
        await press(pilot, "down", "home", "pagedown")
        await pilot.click(app.table, offset=(5, 2))
        assert lines(app.table)[0] == "perf"
        assert lines(app.table)[2] == "Waiting for perf"
        assert app.table.selected is None
        assert app.selected == []


async def test_symbols_are_no_markup() -> None:
    """Brackets in symbols are shown as they are, wide characters keep the columns."""
    odd = "1\ufe0f\u20e3👍🏽❤\ufe0f"
    app = Screen(view_of("[/]", "[unknown]", "日本語日本語日本語日本語", odd * 9, header="[b]h[/]"))
    async with app.run_test(size=(50, 8)):
        assert lines(app.table)[0] == "[b]h[/]"
        assert functions(app.table)[:2] == ["▶[/]", "[unknown]"]
        widths = {cell_len(app.table.render_line(y).text) for y in range(8)}
        assert widths == {app.table.scrollable_content_region.width}


async def test_equal_views_repaint_nothing() -> None:
    """A view that says the same keeps the rows that were drawn."""
    app = Screen()
    async with app.run_test(size=(60, 9)):
        before = app.table.render_line(3)
        app.table.view = replace(VIEW)
        assert app.table.render_line(3) is before


async def test_small_panes_do_no_harm() -> None:
    """One line is the header; there need not be room for rows."""
    for height in (1, 2, 3):
        app = Screen()
        async with app.run_test(size=(20, height)) as pilot:
            app.table.focus()
            await press(pilot, "down", "pagedown")
            assert lines(app.table)[0] == "last 10 s"
            assert app.selected == ["parse", "send"]
