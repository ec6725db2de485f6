"""The trend chart on a screen."""

from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.views.format import Unit
from tui.views.trend import TrendSeries, TrendView
from tui.widgets.palette import DEFAULT_VARIABLES
from tui.widgets.trend import TrendChart


def view(*values: float) -> TrendView:
    return TrendView("[b]RPS[/]", Unit.RATE, (TrendSeries("", "trend-1", values),), ceiling=10)


class Screen(App[None]):
    def __init__(self, chart: TrendChart | None = None) -> None:
        super().__init__()
        self.picked: list[tuple[int, int]] = []
        self.chart = chart or TrendChart(view(1, 10))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULT_VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.chart

    def on_trend_chart_range_picked(self, message: TrendChart.RangePicked) -> None:
        self.picked.append((message.first, message.last))


def lines(chart: TrendChart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


async def test_draws_its_view_without_markup() -> None:
    """The rows are those of the view, and brackets in a title stay brackets."""
    app = Screen()
    async with app.run_test(size=(20, 3)):
        chart = app.chart
        assert lines(chart) == ["[b]RPS[/] 10.0   10▔", " " * 19 + "█", " " * 18 + "▂█"]


async def test_follows_view_and_size() -> None:
    """A new view or another size gives a new picture; no view is an empty one."""
    app = Screen()
    async with app.run_test(size=(20, 3)) as pilot:
        chart = app.chart
        chart.view = view(10, 1)
        assert lines(chart)[1:] == [" " * 18 + "█ ", " " * 18 + "█▂"]
        await pilot.resize_terminal(10, 2)
        assert lines(chart)[1:] == [" " * 8 + "█▁"]
        chart.view = None
        assert lines(chart) == [" " * 10] * 2


class Counting(TrendChart):
    def __init__(self) -> None:
        super().__init__(view(1, 10))
        self.asked: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.asked.append(y)
        return super().render_line(y)


async def test_equal_views_repaint_nothing() -> None:
    """Assigning an equal view asks for no row again, another one for each once."""
    chart = Counting()
    async with Screen(chart).run_test(size=(20, 3)) as pilot:
        await pilot.pause()
        chart.asked.clear()
        chart.view = view(1, 10)
        await pilot.pause()
        assert chart.asked == []
        chart.view = view(2, 10)
        await pilot.pause()
        assert chart.asked == [0, 1, 2]


async def test_colours_follow_the_theme() -> None:
    """Another theme redraws the chart in its colours; the area fades below its edge."""
    app = Screen()
    async with app.run_test(size=(20, 3)) as pilot:
        chart = app.chart
        edge = [s.style.color for s in chart.render_line(1) if s.text == "█" and s.style]
        below = [s.style.color for s in chart.render_line(2) if s.text == "█" and s.style]
        assert edge != below
        before = chart.render_line(0)._segments[0].style
        app.theme = "textual-light"
        await pilot.pause()
        assert chart.render_line(0)._segments[0].style != before


async def test_a_range_is_picked_with_the_mouse() -> None:
    """Dragged in either direction, in columns of the values; what is dragged over is seen."""
    app = Screen(TrendChart(view(*range(30))))
    async with app.run_test(size=(20, 3)) as pilot:
        chart = app.chart
        plain = chart.render_line(1)
        await pilot.mouse_down(chart, offset=(12, 1))
        await pilot.hover(chart, offset=(5, 1))
        assert chart.dragged == (22, 15)
        assert chart.render_line(1) != plain
        await pilot.mouse_up(chart, offset=(5, 1))
        assert app.picked == [(15, 22)]
        assert chart.dragged is None
        assert chart.render_line(1) == plain
        await pilot.click(chart, offset=(0, 2))
        assert app.picked[1:] == [(10, 10)]
