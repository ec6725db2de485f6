"""What a screen needs of what it shows: a run that is under way, or one that was recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from collectors.samples import Sample
from tui.export.about import About
from tui.model.phase import Phase, RunFacts
from tui.model.timeline import Timeline
from tui.operator import Operator


@dataclass(frozen=True, slots=True)
class Offer:
    """A command that belongs to one session only, for the palette."""

    title: str
    help: str
    run: Callable[[], Awaitable[None] | None]


class Watched(Protocol):
    """Something with a timeline, a clock, and commands that may do nothing."""

    leaving: bool
    """Whether the program was told to end: the screen closes when the load has ended."""

    @property
    def timeline(self) -> Timeline:
        """Everything that is known."""

    @property
    def phase(self) -> Phase:
        """Where the run is."""

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What the palette has beside the command table."""

    @property
    def operator(self) -> Operator | None:
        """Who moves the load; None where nobody can."""

    @property
    def no_control_reason(self) -> str:
        """Why there is no operator."""

    @property
    def aborted(self) -> bool:
        """Whether nothing will come to be seen."""

    @property
    def run_name(self) -> str:
        """What the newest run is called as a baseline, once it has ended."""

    @property
    def off_cpu(self) -> bool:
        """Whether waits are shown."""

    def clock(self) -> float:
        """Return the moment that is now."""

    def facts(self) -> RunFacts:
        """Return what the status lines say beside the timeline."""

    def about(self) -> About:
        """Return what exports tell of the run."""

    def append(self, sample: Sample) -> None:
        """Take a sample from the operator: a mark, a baseline."""

    def start_load(self) -> None:
        """Start the load again."""

    def stop_load(self) -> None:
        """Ask the load to end; when it was asked already, end it at once."""

    def rebuild(self) -> str:
        """Build and start the server anew; return why not, or nothing."""

    def toggle_off_cpu(self) -> str:
        """Begin or end to show waits; return why that can't be, or nothing."""
