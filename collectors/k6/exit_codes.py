"""What k6's exit codes mean, and what to do about them.

Source: k6's `errext/exitcodes`.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

THRESHOLDS_CROSSED: Final = 99
EXTERNAL_ABORT: Final = 105


@dataclass(frozen=True, slots=True)
class ExitMeaning:
    """An exit code in words."""

    sentence: str
    """What happened."""
    hint: str
    """What to do; empty if nothing is wrong."""
    is_failure: bool = True
    """Whether the run did not go as the script meant it to."""


_SCRIPT_LOG = "read the first error in the log, and run k6 inspect on the script"

_MEANINGS: Final[Mapping[int, ExitMeaning]] = {
    0: ExitMeaning("k6 finished", "", is_failure=False),
    97: ExitMeaning("the cloud test run failed", "look at the run in Grafana Cloud k6"),
    98: ExitMeaning("k6 lost track of the cloud run", "check the network and the cloud token"),
    99: ExitMeaning("a threshold was crossed", "see which one in k6's summary"),
    100: ExitMeaning("setup() took too long", "raise setupTimeout, or do less in setup()"),
    101: ExitMeaning("teardown() took too long", "raise teardownTimeout, or do less in teardown()"),
    102: ExitMeaning("k6 timed out", "see the log for what it was waiting for"),
    103: ExitMeaning("the run was stopped through k6's REST API", "", is_failure=False),
    104: ExitMeaning(
        "k6 refused the options", "check scenarios, and the options passed with --k6-arg"
    ),
    105: ExitMeaning("the run was stopped by a signal", "", is_failure=False),
    106: ExitMeaning("k6 could not open its REST API", "choose another --address, or leave it out"),
    107: ExitMeaning("the script threw an error", _SCRIPT_LOG),
    108: ExitMeaning("the script aborted the run", "see test.abort() in the script"),
    109: ExitMeaning("k6 itself crashed", "report the panic in the log to the k6 project"),
    110: ExitMeaning("the script marked the run as failed", "see test.fail() in the script"),
    255: ExitMeaning("k6 could not start the script", _SCRIPT_LOG),
}

_SIGNAL_HINTS: Final = {
    signal.SIGKILL: "likely out of memory: see its memory on the machine panel, and dmesg",
    signal.SIGSEGV: "k6 crashed: report it to the k6 project",
    signal.SIGABRT: "k6 crashed: report it to the k6 project",
}
_ENDED_BY_REQUEST: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def explain_exit(returncode: int) -> ExitMeaning:
    """Put an exit status into words.

    Args:
        returncode: Exit code, or the negative number of the signal that ended k6.
    """
    if returncode < 0:
        return _explain_signal(-returncode)
    meaning = _MEANINGS.get(returncode)
    if meaning is None:
        return ExitMeaning(f"k6 ended with the unknown code {returncode}", "read the log")
    if returncode:
        return ExitMeaning(f"{meaning.sentence} ({returncode})", meaning.hint, meaning.is_failure)
    return meaning


def _explain_signal(number: int) -> ExitMeaning:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return ExitMeaning(f"k6 was killed (signal {number})", "find out who sent it")
    return ExitMeaning(
        f"k6 was killed (signal {number}, {name})",
        _SIGNAL_HINTS.get(signal.Signals(number), "find out who sent it"),
        is_failure=number not in _ENDED_BY_REQUEST,
    )
