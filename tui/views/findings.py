"""What `flashpoint doctor` prints: a line for each finding, and one that sums them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tui.model.doctor.finding import Finding, FindingState, counts
from tui.views.format import cell_width, pad

_SIGNS: Final = {FindingState.OK: "✓", FindingState.WARN: "!", FindingState.FAIL: "✗"}
_PLAIN_SIGNS: Final = {FindingState.OK: "+", FindingState.WARN: "!", FindingState.FAIL: "x"}
_STATE_WIDTH: Final = max(len(state) for state in FindingState)


def finding_lines(findings: Sequence[Finding], *, is_plain: bool = False) -> Iterator[str]:
    """Yield the table, a line for each finding and below it what mends it; then the summary.

    Args:
        findings: In the order of the table.
        is_plain: Whether signs must be ASCII.
    """
    signs = _PLAIN_SIGNS if is_plain else _SIGNS
    area_width = max((cell_width(each.area) for each in findings), default=0)
    name_width = max((cell_width(each.name) for each in findings), default=0)
    indent = " " * (2 + _STATE_WIDTH + 2 + area_width + 2 + name_width + 2)
    for each in findings:
        state = f"{signs[each.state]} {pad(each.state, _STATE_WIDTH)}"
        yield f"{state}  {pad(each.area, area_width)}  {pad(each.name, name_width)}  {each.text}"
        if each.mend:
            yield f"{indent}{'->' if is_plain else '→'} {each.mend}"
    yield ""
    yield summary_line(findings)


def summary_line(findings: Sequence[Finding]) -> str:
    """Say in one line whether everything works, and if not how much does not."""
    found = counts(findings)
    told = f"{found[FindingState.OK]} ok"
    told += "".join(
        f", {found[state]} {state.value}"
        for state in (FindingState.WARN, FindingState.FAIL)
        if found[state]
    )
    if found[FindingState.FAIL]:
        return f"{told}: something does not work, see the lines marked fail"
    if found[FindingState.WARN]:
        return f"{told}: all of it works, with something missing"
    return f"{told}: all of it works"
