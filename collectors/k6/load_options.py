"""k6's own options and variables for the load: they would take it out of the operator's hands.

Given on the command line or in the environment they replace the scenarios of any script, the
wrapper's too. Source: `k6 run --help` and k6's documentation of options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from collectors.k6.arguments import K6Option
from collectors.source import SourceError

LOAD_OPTIONS: Final = {
    "vus": "--vus",
    "duration": "--duration of flashpoint itself",
    "iterations": "--duration",
    "stage": "--ramp",
    "execution-segment": "--vus",
    "execution-segment-sequence": "--vus",
    "paused": "the key s",
    "linger": "--duration",
}
"""k6's own options for the load, and what flashpoint has instead."""
LOAD_VARIABLES: Final = {
    "K6_VUS": "--vus",
    "K6_DURATION": "--duration",
    "K6_ITERATIONS": "--duration",
    "K6_STAGES": "--ramp",
    "K6_SCENARIOS": "--vus",
    "K6_EXECUTION_SEGMENT": "--vus",
    "K6_EXECUTION_SEGMENT_SEQUENCE": "--vus",
    "K6_PAUSED": "the key s",
    "K6_LINGER": "--duration",
}


def refuse_load_options(options: Sequence[K6Option]) -> None:
    """Refuse options of k6 that would replace the operator's load by a schedule.

    Raises:
        SourceError: there is one.
    """
    for option in options:
        ours = LOAD_OPTIONS.get(option.name)
        if ours is not None:
            raise SourceError(
                f"k6's own --{option.name} would take the load out of your hands",
                f"use {ours}, or --as-written with it",
            )


def without_load_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without k6's variables for the load."""
    return {name: value for name, value in env.items() if name not in LOAD_VARIABLES}
