"""`flashpoint diff`: two runs or two ranges compared, as text, as Markdown or on the screen."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collectors.recording.schema import SUFFIX
from collectors.source import SourceError
from tui.compare.comparison import Side, compare
from tui.compare.failing import fails
from tui.compare.markdown import comparison_markdown
from tui.compare.plain import comparison_text
from tui.model.failif import parse_condition
from tui.model.rangespec import RangeSpec, resolve
from tui.model.timeline import TimeRange
from tui.patience import told_if_long
from tui.tape import Tape, about_of, open_tape, whole

FAILED: Final = 1
"""Exit status where a condition holds."""
BASELINE: Final = "before"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is compared."""

    before: Path
    after: Path
    before_range: RangeSpec | None = None
    """None: everything."""
    after_range: RangeSpec | None = None


def compare_files(pair: Pair, conditions: Sequence[str], *, as_markdown: bool) -> int:
    """Print what changed; return 1 where a condition holds, else 0.

    Raises:
        SourceError: one of them can't be read, has nothing in its range, or a condition is none.
    """
    try:
        parsed = [parse_condition(each) for each in conditions]
    except ValueError as error:
        raise SourceError(str(error), "see flashpoint diff --help") from None
    with told_if_long("comparing", sys.stderr):
        comparison = compare(
            _side(pair.before, pair.before_range),
            _side(pair.after, pair.after_range),
        )
        verdicts = [fails(each, comparison) for each in parsed]
    if as_markdown:
        text = comparison_markdown(comparison, verdicts)
    else:
        columns = shutil.get_terminal_size((100, 24)).columns
        text = comparison_text(comparison, columns, verdicts)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    return FAILED if any(each.is_failed for each in verdicts) else 0


def compare_on_screen(pair: Pair, theme: str | None) -> int:
    """Replay the later run, compared with the earlier one; return the exit status.

    Raises:
        SourceError: one of them can't be read, or has nothing in its range.
    """
    from tui.alone import run_alone
    from tui.joined import JoinedTape
    from tui.model.lens import Lens
    from tui.model.ranges import RangeChoice, RangeKind
    from tui.replay import Replay
    from tui.replayapp import ReplayApp

    before, after = open_tape(pair.before), open_tape(pair.after)
    with contextlib.closing(before), contextlib.closing(after):
        range_ = _range(before, pair.before_range)
        tape = JoinedTape(before, range_, after, BASELINE)
        replay = Replay(tape)
        replay.go_to_end()
        replay.play_or_pause()
        app = ReplayApp(replay, theme)
        app.looking.lens = replace(Lens(), compared_with=BASELINE)
        looked_at = _range(after, pair.after_range)
        app.looking.choice = replace(
            RangeChoice().pick(looked_at.start, looked_at.end, replay.clock()),
            kind=RangeKind.PICKED,
        )
        return run_alone(app)


def _range(tape: Tape, spec: RangeSpec | None) -> TimeRange:
    try:
        return resolve(spec or RangeSpec(), whole(tape))
    except ValueError as error:
        raise SourceError(f"{tape.name}: {error}", "see --range") from None


def _side(path: Path, spec: RangeSpec | None) -> Side:
    with contextlib.closing(open_tape(path)) as tape:
        timeline = whole(tape)
        about = about_of(tape.name, tape.header, timeline)
    try:
        range_ = resolve(spec or RangeSpec(), timeline)
    except ValueError as error:
        raise SourceError(f"{tape.name}: {error}", "see --range") from None
    name = about.name.removesuffix(SUFFIX)
    return Side(timeline, range_, about, f"{name}, {spec}" if spec is not None else name)
