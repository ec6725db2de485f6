"""What the operator asked for: the options of `run` and `demo`, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from collectors.course import CourseUnit
from collectors.recording.limits import KEPT, MAX_BYTES
from tui.model.duration import parse_duration
from tui.model.ramp import RampStep

__all__ = ["RunOptions", "parse_duration"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything that `flashpoint run` was told."""

    script: Path
    """The k6 script, or an archive of `k6 archive`."""
    command: tuple[str, ...] = ()
    """The server to start; empty when attaching."""
    pid: int | None = None
    port: int | None = None
    ready_url: str | None = None
    ready_timeout_s: float = 30.0
    k6: str | None = None
    k6_args: tuple[str, ...] = ()
    headless: bool = False
    as_written: bool = False
    """Whether the script's own schedule was asked for."""
    vus: int | None = None
    max_vus: int | None = None
    ramp: tuple[RampStep, ...] = ()
    """VUs over time; the run ends with it, unless all of it is at once."""
    rate: tuple[RampStep, ...] = ()
    """A rate over time; the run ends with it, unless all of it is at once."""
    rate_unit: CourseUnit = CourseUnit.REQUESTS
    duration_s: float | None = None
    warm_up_s: float = 0.0
    summary: Path | None = None
    profile: bool = True
    perf_frequency_hz: int = 99
    perf_event: str = "cpu-clock"
    call_graph: str = "fp"
    build: str | None = None
    """What builds the server, for F5; no shell."""
    theme: str | None = None
    record: Path | None = None
    """Where the recording goes; None: into the folder of all recordings."""
    record_wanted: bool = True
    keep: int = KEPT
    """How many recordings without a name of their own are kept."""
    record_limit_mb: int = MAX_BYTES >> 20
    redact: bool = True
    """Whether secrets in URLs and logs are masked where they come in."""

    @property
    def names_load(self) -> bool:
        """Whether an option says what the load should be."""
        named = (self.vus, self.max_vus)
        return any(each is not None for each in named) or bool(self.ramp or self.rate)

    @property
    def names_vus(self) -> bool:
        """Whether an option says how many VUs there should be."""
        return self.vus is not None or bool(self.ramp)

    @property
    def is_interactive(self) -> bool:
        """Whether the operator owns the load, and not the script."""
        return not self.as_written and (not self.headless or self.names_load)
