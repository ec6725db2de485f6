"""Where flamegraph cells stand, and what they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from collectors.stackfile.folded import INLINED_MODULE
from themes import Palette, load_themes
from tui.model.calltree import CallNode, CallTree, Path, build_tree
from tui.model.stacks import CALLER_LOST_FRAME, StackTable
from tui.views.flame import (
    FlameLayout,
    FlameView,
    apportion,
    flame_header,
    header_text,
    lay_out,
)
from tui.views.flamecells import (
    EIGHTHS,
    HUES,
    INLINED_MARK,
    THINNEST_EIGHTHS,
    CellRole,
    frame_cell,
    frame_label,
    hue,
    label,
    label_columns,
)
from tui.views.format import cell_width

USER, KERNEL = FrameKind.USER, FrameKind.KERNEL


def frame(symbol: str) -> Frame:
    return Frame(symbol, "server", KERNEL if symbol.startswith("sys_") else USER)


def tree_of(stacks: dict[str, int], *, lost: tuple[str, ...] = (), period_ns: int = 10) -> CallTree:
    """A tree from folded stacks like `main;work`; every sample stands for `period_ns`."""
    ids: dict[str, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        frames = tuple(ids.setdefault(name, len(ids)) for name in text.split(";"))
        made[number] = Stack("p", "t", frames, text in lost)
        counts[number] = StackCount(samples, samples * period_ns)
    table = StackTable()
    frames_by_id = {i: frame(name) for name, i in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=frames_by_id))
    return build_tree(table, counts)


def picture(layout: FlameLayout) -> list[str]:
    """Each cell as `|label` over its columns, blanks where nothing stands."""
    lines = []
    for row in layout.rows:
        line = ""
        for cell in row:
            start, end = cell.start_eighths // EIGHTHS, cell.end_eighths // EIGHTHS
            line = line.ljust(start) + f"|{cell.label}".ljust(end - start)
        lines.append(line)
    return lines


TREE = tree_of({"main;parse": 25, "main;work": 10, "main;work;sys_read": 40, "main": 5, "idle": 20})


def test_layout_is_the_tree_in_proportion() -> None:
    """Widths are shares; own time is what stays empty below a cell; order is by name."""
    assert picture(lay_out(TREE, 40)) == [
        "|all                                    ",
        "|idle   |main                           ",
        "        |parse    |work               ",
        "                  |sys_read       ",
    ]


def test_zoom_gives_the_full_width() -> None:
    """The zoomed frame and its callers fill the row; shares stay those of the whole."""
    layout = lay_out(TREE, 40, zoom=(frame("main"), frame("work")))
    assert picture(layout) == [
        "|all                                    ",
        "|main                                   ",
        "|work                                   ",
        "|sys_read                       ",
    ]
    assert [row[0].total_ratio for row in layout.rows] == pytest.approx([1, 0.8, 0.5, 0.4])
    assert [row[0].role for row in layout.rows] == ["root", "root", "frame", "frame"]


def test_vanished_zoom_falls_back_to_its_caller() -> None:
    """A zoom that the tree no longer has goes to the nearest caller that it has."""
    layout = lay_out(TREE, 40, zoom=(frame("main"), frame("gone"), frame("work")))
    assert layout.zoom == (frame("main"),)


def test_thin_frames_are_gathered_and_counted() -> None:
    """Frames below half a column become one cell at the end, and their share is said."""
    stacks = {"big": 180} | {f"t{i}": 1 for i in range(20)}
    layout = lay_out(tree_of(stacks), 50)
    assert picture(layout)[1] == "|big" + " " * 41 + "|·20·"
    small = layout.rows[1][-1]
    assert (small.role, small.frames, small.path) == (CellRole.SMALL, 20, ())
    assert small.total_ratio == layout.too_small_ratio == pytest.approx(0.1)
    assert (small.style_key, small.node) == ("flame-small", None)


def test_half_a_column_is_a_cell() -> None:
    """A frame of half a column has a cell of four eighths, a thinner one is gathered."""
    row = lay_out(tree_of({"a": 91, "b": 5, "c": 4}), 10).rows[1]
    assert [(cell.start_eighths, cell.end_eighths) for cell in row] == [(0, 73), (73, 77), (77, 80)]
    assert [cell.role for cell in row] == [CellRole.FRAME, CellRole.FRAME, CellRole.SMALL]


def test_hidden_share_counts_without_a_cell() -> None:
    """What is too small even together has no cell, but it is counted."""
    layout = lay_out(tree_of({"big": 9999, "tiny": 1}), 20)
    assert len(layout.rows[1]) == 1
    assert layout.too_small_ratio == pytest.approx(0.0001)
    layout = lay_out(tree_of({"big": 999, "tiny": 1}), 20)
    view = FlameView(1, None, "last 10 s")
    assert header_text(view, layout) == "last 10 s · too small 0.10%"
    assert header_text(view, lay_out(TREE, 40)) == header_text(view, None) == "last 10 s"


def test_lost_callers_have_their_own_style() -> None:
    """The node of lost callers stands last and looks different."""
    layout = lay_out(tree_of({"main": 1, "send": 1}, lost=("send",)), 40)
    assert [cell.style_key for cell in layout.rows[1]] == [
        f"flame-user-{hue(frame('main'))}",
        "flame-lost",
    ]
    assert layout.rows[1][1].path == (CALLER_LOST_FRAME,)


def test_cells_are_found_by_place_and_path() -> None:
    """A column of a row leads to a cell, and so does a path."""
    layout = lay_out(TREE, 40)
    work = (frame("main"), frame("work"))
    cell = layout.at(20, 2)
    assert cell is not None
    assert cell.path == work
    assert layout.find(work) == cell
    assert cell.node is TREE.find(work)
    assert layout.at(0, 2) is None
    assert layout.at(0, 9) is None
    assert layout.find((frame("gone"),)) is None
    assert layout.find(work * 4) is None


def test_steps_end_at_the_edges() -> None:
    """A step leads to a caller, the greatest callee or a neighbour, and nowhere past the edge."""
    layout = lay_out(TREE, 40)
    main, idle = (frame("main"),), (frame("idle"),)
    assert layout.step((), "up") == ()
    assert layout.step((), "down") == main
    assert layout.step(main, "down") == (*main, frame("work"))
    assert layout.step(main, "left") == idle
    assert layout.step(idle, "left") == idle
    assert layout.step(idle, "right") == main
    assert layout.step(main, "right") == main
    assert layout.step(idle, "down") == idle
    assert layout.step(main, "up") == ()


def test_a_column_belongs_to_whoever_has_most_of_it() -> None:
    """Where cells share a column, the mouse finds the one that has most of it."""
    layout = lay_out(tree_of({"a": 33, "b": 67}), 10)
    assert [(c.start_eighths, c.end_eighths) for c in layout.rows[1]] == [(0, 26), (26, 80)]
    found = [layout.at(column, 1) for column in range(10)]
    paths = [cell.path for cell in found if cell is not None]
    assert paths == [(frame("a"),)] * 3 + [(frame("b"),)] * 7


def test_the_way_inwards_skips_what_changes_nothing() -> None:
    """Towards a frame one zooms to the first that is not full width already."""
    layout = lay_out(tree_of({"a;b;c;d": 1, "a;b;e": 1}), 40)
    a, b, c, d = (frame(name) for name in "abcd")
    assert layout.inwards((a, b, c, d)) == (a, b, c)
    assert layout.inwards((a, b)) == (a, b)
    zoomed = lay_out(tree_of({"a;b;c;d": 1, "a;b;e": 1}), 40, zoom=(a, b, c))
    assert zoomed.inwards((a, b, c, d)) == (a, b, c, d)
    assert zoomed.inwards((a,)) == zoomed.inwards((a, b, c)) == (a, b, c)


def test_samples_stand_in_for_missing_periods() -> None:
    """A profile without periods is laid out by samples."""
    tree = tree_of({"a": 3, "b": 1}, period_ns=0)
    assert [cell.width_eighths for cell in lay_out(tree, 40).rows[1]] == [240, 80]
    assert lay_out(tree, 40).rows[1][0].total_ratio == 0.75


def test_nothing_to_lay_out() -> None:
    """Without samples or columns there are no rows."""
    assert lay_out(tree_of({}), 40).rows == ()
    assert lay_out(TREE, 0).rows == ()
    assert len(lay_out(TREE, 40, max_rows=2).rows) == 2


def test_header_tells_how_far_to_trust() -> None:
    """The header has the range, the samples, and what is unknown or lost."""
    assert flame_header(TREE, "last 10 s", "cpu-clock 99 Hz") == (
        "last 10 s · 100 samples · cpu-clock 99 Hz"
    )
    lost = tree_of({"main": 3, "send": 1}, lost=("send",))
    assert flame_header(lost, "last 10 s", "") == "last 10 s · 4 samples · caller lost 25.0%"


def test_hues_are_stable() -> None:
    """A function has the same shade in every run, within its kind's shades."""
    assert hue(Frame("main", "server", USER)) == 6
    for kind in FrameKind:
        assert 0 <= hue(Frame("x", "y", kind)) < HUES[kind]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (40, "tokio::runtime::task::Core::poll"),
        (20, "Core::poll"),
        (7, "poll"),
        (3, "po…"),
        (2, ""),
        (0, ""),
    ],
)
def test_labels_say_as_much_as_fits(width: int, text: str) -> None:
    """The path gives way from its front, then the end is cut; below three columns it is silent."""
    assert label("tokio::runtime::task::Core::poll::h0123456789abcdef", width) == text


@given(st.lists(st.integers(0, 10**12), max_size=20), st.integers(0, 300))
def test_apportion_is_fair(weights: list[int], width: int) -> None:
    """Shares add up to the width and are less than one eighth away from exact."""
    shares = apportion(weights, width)
    whole = sum(weights)
    assert sum(shares) == (width if whole else 0)
    for share, weight in zip(shares, weights, strict=True):
        assert not whole or abs(share - weight * width / whole) < 1 + 1e-9


folded = st.dictionaries(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6).map(";".join),
    st.integers(1, 500),
    max_size=15,
)


@given(folded, st.integers(1, 60))
def test_rows_never_leave_their_parent(stacks: dict[str, int], columns: int) -> None:
    """Cells do not overlap, stay within their parent, and their labels within them."""
    layout = lay_out(tree_of(stacks), columns)
    above: dict[Path, tuple[int, int]] = {(): (0, columns * EIGHTHS)}
    for row in layout.rows:
        at, cells = 0, {}
        for cell in row:
            start, end = cell.start_eighths, cell.end_eighths
            parent = cell.path if cell.role is CellRole.SMALL else cell.path[:-1]
            low, high = above[parent]
            assert low <= start
            assert at <= start < end <= high
            assert cell_width(cell.label) <= label_columns(start, end)
            at = end
            if cell.role is not CellRole.SMALL:
                assert cell.width_eighths >= THINNEST_EIGHTHS
                cells[cell.path] = (start, end)
        above |= cells
    assert 0 <= layout.too_small_ratio <= 1


@given(folded, st.integers(1, 60))
def test_widths_are_shares_to_an_eighth(stacks: dict[str, int], columns: int) -> None:
    """A cell is less than an eighth of a column away from its share of its parent's cell."""
    tree = tree_of(stacks)
    layout = lay_out(tree, columns)
    for row in layout.rows[1:]:
        for cell in row:
            if cell.role is CellRole.SMALL:
                continue
            parent, node = layout.find(cell.path[:-1]), cell.node
            assert parent is not None
            assert parent.node is not None
            assert node is tree.find(cell.path)
            assert node is not None
            ratio = node.total_period_ns / parent.node.total_period_ns
            assert abs(cell.width_eighths - ratio * parent.width_eighths) < 1 + 1e-9


@pytest.mark.parametrize("palette", load_themes(), ids=lambda palette: palette.name)
def test_inlined_frames_have_a_mark(palette: Palette) -> None:
    """In front of the name, so that colours need not tell; the colours are ones that there are."""
    inlined = Frame("small", INLINED_MODULE, FrameKind.USER)
    cell = frame_cell(CallNode(inlined), (inlined,), 0, 80, 0.5)
    assert cell.label == "↳small"
    assert cell.style_key in palette.variables
    called = Frame("small", "server", FrameKind.USER)
    assert frame_cell(CallNode(called), (called,), 0, 80, 0.5).label == "small"


@given(st.text(min_size=1), st.integers(0, 40))
def test_marked_labels_fit(symbol: str, width: int) -> None:
    """Where there is no room for mark and name, there is neither."""
    text = frame_label(Frame(symbol, INLINED_MODULE, FrameKind.USER), width)
    assert cell_width(text) <= width
    assert text == "" or text.startswith(INLINED_MARK)
