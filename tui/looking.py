"""What the operator looks at, moved by commands: the range of time and the lens; no terminal.

The same for a run, a recording and a file of stacks. It notes baselines through `emit`, so that
they are part of what happened; nothing else of it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from collectors.samples import Baseline, Frame, Mark, MarkKind, Sample
from collectors.source import Clock
from tui.model.lens import Lens, Picture, baseline_name, chosen_baseline
from tui.model.ranges import RangeChoice, RangeKind
from tui.model.timeline import Timeline, TimeRange

NO_FRAME: Final = "select a frame first"
NO_BASELINE: Final = "nothing to compare with yet: b keeps a range as the baseline"
SWITCHES: Final = {
    "invert": "inverted",
    "recursion": "collapse_recursion",
    "modules": "by_module",
    "threads": "by_thread",
    "kernel": "hide_kernel",
    "idle": "hide_idle",
}
"""Commands that turn one switch of the shape."""


class Looking:
    """The operator's eye on a timeline.

    Args:
        timeline: What is looked at.
        clock: The session's clock.
        emit: Takes baselines and their marks.
        choice: The range to begin with.
    """

    def __init__(
        self,
        timeline: Timeline,
        clock: Clock,
        emit: Callable[[Sample], None],
        choice: RangeChoice = RangeChoice(),  # noqa: B008 - it is frozen
    ) -> None:
        self.timeline = timeline
        self.choice = choice
        self.lens = Lens()
        self._clock = clock
        self._emit = emit

    def command(self, command_id: str, selected: Frame | None = None) -> str:
        """Carry out a command that only changes what is looked at.

        Args:
            command_id: Of the command table.
            selected: The frame under the cursor; None at the root.

        Returns:
            What to tell the operator, or nothing.
        """
        group, _, name = command_id.partition(".")
        if group == "range" or name == "freeze":
            self.choice = self._chosen(name)
            return ""
        if name in SWITCHES:
            self.lens = self.lens.reshaped(SWITCHES[name])
            return ""
        return self._look(name, selected)

    def _look(self, name: str, selected: Frame | None) -> str:
        lens = self.lens
        match name:
            case "table":
                self.lens = lens.toggled(Picture.TABLE)
            case "order":
                self.lens = lens.ordered_anew()
            case "roots":
                self.lens = replace(lens, roots_at_bottom=not lens.roots_at_bottom)
            case "plain":
                self.lens = lens.plain()
            case "baseline":
                return self.keep_baseline()
            case "diff":
                return self._compare()
            case "sandwich" | "hide" | "focus":
                return self._about(name, selected)
        return ""

    def _about(self, name: str, frame: Frame | None) -> str:
        """Carry out what is about the selected frame."""
        lens = self.lens
        if name == "sandwich" and lens.picture is Picture.SANDWICH:
            self.lens = lens.toggled(Picture.SANDWICH)
        elif name == "focus" and lens.shape.focus is not None:
            self.lens = lens.focused(lens.shape.focus)
        elif frame is None:
            return NO_FRAME
        elif name == "sandwich":
            self.lens = replace(lens, picture=Picture.SANDWICH, function=frame)
        elif name == "focus":
            self.lens = lens.focused(frame)
        else:
            self.lens = lens.hiding(frame)
        return ""

    def range(self) -> TimeRange:
        """Return the range that is looked at."""
        return self.choice.range(self.timeline, self._clock())

    def baseline(self) -> Baseline | None:
        """Return what the range is compared with; None while it is not."""
        name = self.lens.compared_with
        return self.timeline.baselines.get(name) if name else None

    def keep_baseline(self, name: str = "") -> str:
        """Keep the range as a baseline; return what it is called and when it was.

        Args:
            name: Empty for one that tells the load.
        """
        range_ = self.range()
        end = math.floor(range_.end)
        start = end - max(1, round(range_.duration_s))
        name = name or baseline_name(self.timeline, TimeRange(start, end))
        self._emit(Baseline(self._clock(), name, float(start), float(end)))
        self._emit(Mark(self._clock(), MarkKind.BASELINE, f"baseline {name}"))
        return f"baseline: {name}, {end - start} s"

    def compare_with(self, name: str) -> str:
        """Compare with a baseline of this name, or keep the range under it; tell the latter."""
        if name in self.timeline.baselines:
            self.lens = replace(self.lens, compared_with=name)
            return ""
        return self.keep_baseline(name)

    def pick(self, start: float, end: float) -> None:
        """Look at the whole seconds from one moment to another; the same one: ending there."""
        if start == end:
            start = end - max(1, round(self.range().duration_s))
        self.choice = self.choice.pick(start, end, self._clock())

    def step_back(self) -> bool:
        """End the sandwich, else the search, else the picked range; tell whether there was one."""
        if self.lens.picture is Picture.SANDWICH:
            self.lens = self.lens.toggled(Picture.SANDWICH)
        elif self.lens.pattern:
            self.lens = replace(self.lens, pattern="")
        elif self.choice.kind is RangeKind.PICKED:
            self.choice = self.choice.live()
        else:
            return False
        return True

    def _compare(self) -> str:
        if self.lens.compared_with:
            self.lens = replace(self.lens, compared_with="")
            return ""
        baseline = chosen_baseline(self.timeline.baselines, "")
        if baseline is None:
            return NO_BASELINE
        self.lens = replace(self.lens, compared_with=baseline.name)
        return ""

    def _chosen(self, name: str) -> RangeChoice:
        choice, now = self.choice, self._clock()
        match name:
            case "freeze":
                return choice.live() if choice.is_held else choice.frozen(now)
            case "window":
                return choice.next()
            case "back" | "forward":
                return choice.moved(-1 if name == "back" else 1, self.timeline, now)
            case _:
                return choice.widened(1 if name == "wider" else -1, self.timeline, now)
