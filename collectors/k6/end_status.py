"""What is said of the end of a run of k6."""

from __future__ import annotations

from dataclasses import replace

from collectors.k6.exit_codes import (
    EXTERNAL_ABORT,
    THRESHOLDS_CROSSED,
    ExitMeaning,
    explain_exit,
)
from collectors.k6.plan import K6Result
from collectors.samples import SourceState, SourceStatus


def status_of_end(result: K6Result, at: float, *, is_stopping: bool) -> SourceStatus:
    """Return the state of k6 once it has ended.

    Args:
        result: What came of it.
        at: Now, on the session's clock.
        is_stopping: Whether it was asked to end.
    """
    meaning = _meaning(result, is_stopping=is_stopping)
    message = meaning.sentence
    # A crossed threshold is a verdict on the target: k6 did all it should.
    failed = result.meaning.is_failure and result.exit_code != THRESHOLDS_CROSSED
    if failed and result.first_error:
        message = f"{message}: {result.first_error}"
    if result.withheld_requests:
        message = f"{message}; {result.withheld_requests} requests were never streamed"
    elif result.summary is None:
        message = f"{message}; no k6 summary"
    state = SourceState.FAILED if failed else SourceState.ENDED
    return SourceStatus(at, "k6", state, message, meaning.hint)


def _meaning(result: K6Result, *, is_stopping: bool) -> ExitMeaning:
    """Return what to say of the end: k6 calls it a signal when it was the operator's wish."""
    if not is_stopping or result.exit_code != EXTERNAL_ABORT:
        return result.meaning
    if result.summary is not None and result.summary.thresholds_crossed:
        return explain_exit(THRESHOLDS_CROSSED)
    return replace(result.meaning, sentence=f"the run was stopped as asked ({EXTERNAL_ABORT})")
