"""Which cells share a column, and how cells look."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind
from tui.model.calltree import CallNode, CallTree
from tui.views.flame import FlameView, Tint
from tui.views.flamecells import EIGHTHS, THINNEST_EIGHTHS, FlameCell, frame_cell, small_cell
from tui.views.flamerow import NOTHING, Drawn, Edge, Look, Run, draw_row, look_of, with_marker


def node(symbol: str) -> CallNode:
    return CallNode(Frame(symbol, "server", FrameKind.USER))


def cell(start: int, end: int, symbol: str = "f") -> FlameCell:
    made = node(symbol)
    return frame_cell(made, (made.frame,), start, end, 0.5)


def drawn(columns: int, *cells: FlameCell) -> Drawn:
    return draw_row([(each, Look(str(n), "")) for n, each in enumerate(cells)], columns)


def plain(parts: Drawn) -> list[str]:
    """Runs as `name×columns`, edges as `left eighths right`."""
    return [
        f"{part.left.style_key} {part.eighths} {part.right.style_key}"
        if isinstance(part, Edge)
        else f"{part.look.style_key}×{part.columns}"
        for part in parts
    ]


def test_whole_columns_are_runs() -> None:
    """Cells that begin and end with a column share none; where nothing is, it is blank."""
    assert plain(drawn(6, cell(0, 16), cell(24, 40))) == ["0×2", "blank×1", "1×2", "blank×1"]


def test_an_edge_inside_a_column_is_shared() -> None:
    """The left one has as many eighths of the column as it reaches into it."""
    parts = drawn(5, cell(0, 19), cell(19, 37))
    assert plain(parts) == ["0×2", "0 3 1", "1×1", "1 5 blank"]
    assert [part.has_start for part in parts if isinstance(part, Run)] == [True, False]


def test_the_two_that_have_most_share_a_column() -> None:
    """A third one loses the column; what it had goes to both."""
    assert plain(drawn(2, cell(0, 9), cell(9, 14), cell(14, 16))) == ["0×1", "1 5 2"]
    assert plain(drawn(1, cell(0, 2), cell(2, 4), cell(4, 8))) == ["0 3 2"]


def test_what_is_empty_loses_first() -> None:
    """A thin cell is seen beside another one, however much is empty there."""
    assert plain(drawn(2, cell(0, 2), cell(7, 16))) == ["0 4 1", "1×1"]
    assert plain(drawn(1, cell(3, 7))) == ["blank 3 0"]


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[FlameCell], int]:
    """Cells that are not too thin, anywhere."""
    columns = draw(st.integers(1, 12))
    cells: list[FlameCell] = []
    at = 0
    while True:
        start = at + draw(st.integers(0, 10) | st.just(0))
        end = start + draw(st.integers(THINNEST_EIGHTHS, 30))
        if end > columns * EIGHTHS:
            return cells, columns
        cells.append(cell(start, end))
        at = end


@given(rows())
def test_rows_are_as_wide_as_the_pane_and_show_every_cell(
    made: tuple[list[FlameCell], int],
) -> None:
    """A row has all its columns, each edge lies inside of one, and no cell is lost."""
    cells, columns = made
    parts = drawn(columns, *cells)
    assert sum(1 if isinstance(part, Edge) else part.columns for part in parts) == columns
    seen = set()
    for part in parts:
        if isinstance(part, Edge):
            assert 1 <= part.eighths <= 7
            seen |= {part.left.style_key, part.right.style_key}
        else:
            seen.add(part.look.style_key)
    assert seen >= {str(n) for n in range(len(cells))}


@given(rows(), st.integers(0, 20))
def test_marked_cells_begin_with_a_whole_column(
    made: tuple[list[FlameCell], int], which: int
) -> None:
    """The marked cell has a column for its marker, and the row stays as wide as it was."""
    cells, columns = made
    if not cells:
        return
    marked = cells[which % len(cells)]
    row = with_marker(tuple(cells), marked)
    (found,) = (each for each in row if each.node is marked.node)
    assert found.start_eighths == marked.start_eighths // EIGHTHS * EIGHTHS
    assert found.end_eighths >= found.start_eighths + EIGHTHS
    ends = [0, *(end for each in row for end in (each.start_eighths, each.end_eighths))]
    assert ends == sorted(ends)
    assert ends[-1] <= columns * EIGHTHS
    parts = drawn(columns, *row)
    assert sum(1 if isinstance(part, Edge) else part.columns for part in parts) == columns


VIEW = FlameView(1, CallTree(node("all"), 0, 0), "header")


def test_looks_have_an_order() -> None:
    """Selection, mouse, change, search, and last the shade of the function."""
    one = cell(0, 80, "work")
    made = one.node
    assert made is not None
    assert look_of(one, VIEW, None, None) == Look(one.style_key, "work")
    found = FlameView(1, VIEW.tree, "", pattern="w", matches=frozenset({id(made)}))
    assert look_of(one, found, None, None) == Look("flame-match", "work", is_match=True)
    other = FlameView(1, VIEW.tree, "", pattern="w", matches=frozenset({id(VIEW)}))
    assert look_of(one, other, None, None) == Look("flame-dim", "work")
    tinted = FlameView(1, VIEW.tree, "", pattern="w", tints={id(made): Tint("diff-more", "+")})
    assert look_of(one, tinted, None, None) == Look("diff-more", "+work")
    assert look_of(one, tinted, None, made) == Look("flame-hover", "+work")
    assert look_of(one, tinted, made, made) == Look("flame-selected", "+work", is_selected=True)


def test_gathered_frames_are_never_selected() -> None:
    """They are no frame: neither search nor selection changes how they look."""
    small = small_cell((), 0, 80, 0.1, 7)
    found = FlameView(1, VIEW.tree, "", pattern="w", matches=frozenset({id(None)}))
    assert look_of(small, found, None, None) == Look("flame-small", "·7·······")


def test_signs_take_room_from_the_label() -> None:
    """A sign stands before what is left of the label, and alone where no label fits."""
    texts = []
    for columns in (6, 5, 2, 1):
        one = cell(0, columns * EIGHTHS, "parse")
        view = FlameView(1, VIEW.tree, "", tints={id(one.node): Tint("diff-less", "−")})
        texts.append(look_of(one, view, None, None).text)
    assert texts == ["−par…", "−pa…", "−", ""]


def test_nothing_is_blank() -> None:
    """A row without cells is one blank run."""
    assert draw_row([], 3) == [Run(NOTHING, 3, has_start=True)]
