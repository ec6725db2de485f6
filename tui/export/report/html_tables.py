"""Tables of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.export.report.html_markup import Markup, element, joined


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    is_number: bool = False
    is_name: bool = False
    """Holds foreign names of any length, which wrap."""

    @property
    def style(self) -> str | None:
        """The class of its cells."""
        return "number" if self.is_number else "name" if self.is_name else None


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    total: Sequence[str] = (),
    row_styles: Sequence[str] = (),
) -> Markup:
    """Return a table.

    Args:
        columns: From left to right.
        rows: Texts or markup, one a column.
        total: A last row that sums the others up; none where it is empty.
        row_styles: The class of each row, if they have one.
    """
    styles = row_styles or [""] * len(rows)
    head = element(
        "tr", *(element("th", each.title, scope="col", class_=each.style) for each in columns)
    )
    body = joined(
        _row(columns, row, style or None) for row, style in zip(rows, styles, strict=True)
    )
    foot = element("tfoot", _row(columns, total, None)) if total else None
    inside = element("table", element("thead", head), element("tbody", body), foot)
    return element("div", inside, class_="scroll")


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names with what is known of each; those of which nothing is known are left out."""
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", value))
            for name, value in pairs
            if value
        ),
        class_="facts",
    )


def section(name: str, title: str, *children: str | None, note: str = "") -> Markup:
    """Return a part of the report under a heading.

    Args:
        name: Its anchor.
        title: Its heading.
        children: What is in it.
        note: What stands small beside the heading.
    """
    said = element("span", note, class_="note") if note else None
    return element("section", element("h2", title, said), *children, id=name)


def _row(columns: Sequence[Column], cells: Sequence[str], style: str | None) -> Markup:
    inside = joined(
        element("td", cell, class_=column.style)
        for column, cell in zip(columns, cells, strict=True)
    )
    return element("tr", inside, class_=style)
