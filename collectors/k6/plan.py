"""What one run of k6 is asked for, and what it ends with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.k6.binary import K6Binary
from collectors.k6.exit_codes import ExitMeaning
from collectors.k6.interactive import Interactive
from collectors.k6.summary import K6Summary
from collectors.samples import RequestKind


@dataclass(frozen=True, slots=True)
class K6Plan:
    """What to run."""

    binary: K6Binary
    script: str
    arguments: tuple[str, ...] = ()
    """The user's own options for k6."""
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: str | None = None
    instance: str = "k6-1"
    push_interval_s: float = 1.0
    redact: bool = True
    interactive: Interactive | None = None
    """How the operator owns the load; None for the script's own schedule."""


@dataclass(frozen=True, slots=True)
class K6Result:
    """How a run ended."""

    exit_code: int
    """k6's own; negative: the number of the signal that ended it."""
    meaning: ExitMeaning
    summary: K6Summary | None
    """None where k6 wrote none."""
    summary_text: str
    """What k6 printed at its end, safe to print."""
    first_error: str | None
    kind: RequestKind
    """What the requests are: as in the summary, else the first kind that was streamed."""
    streamed_requests: int
    withheld_requests: int | None
    """In k6's summary but never streamed; None where the summary does not tell."""
