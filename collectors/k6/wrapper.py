"""Writes the script that k6 runs in place of the user's, so that the operator owns the load.

It imports the user's script and runs its functions under the names of its scenarios; the script's
own schedule is replaced by as many VUs as there may ever be, which ask the gate before they run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from collectors.course import interleave
from collectors.k6.gate import TICK_MS
from collectors.k6.scenarios import Scenario
from collectors.k6.secret_source import SECRET_SOURCE

TEMPLATE: Final = Path(__file__).with_name("interactive.js")
NO_FUNCTION: Final = "the script exports no function"
"""What the wrapper throws when a scenario's function is missing; `interactive.js` has it too."""
FOREVER: Final = "8760h"
"""The operator ends the load, never k6's own clock."""


class Transport(StrEnum):
    """How the gate's answers reach the VUs."""

    SECRETS = "secret gate"
    """A URL source of k6/secrets: k6 1.5 and later, the only one on 2.x."""
    REDIS = "redis gate"
    """k6/experimental/redis: k6 1.x."""
    REST = "REST"
    """No gate: the externally-controlled executor of k6 1.x, one scenario, no rate."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Which VUs belong to which scenario, and in which order they are let in."""

    slots: tuple[tuple[int, ...], ...]
    """For each scenario the ranks of its VUs, from 1."""

    @property
    def ceiling(self) -> int:
        """How many VUs there are."""
        return sum(len(ranks) for ranks in self.slots)


def crew_of(scenarios: Sequence[Scenario], ceiling: int) -> Crew:
    """Share VUs among scenarios by their greatest numbers of VUs; by rates if all have one."""
    rates = [each.start_rate for each in scenarios]
    weights = rates if all(rates) else [each.max_vus for each in scenarios]
    order = interleave(weights, max(ceiling, len(scenarios)))
    slots: list[list[int]] = [[] for _ in scenarios]
    for rank, scenario in enumerate(order, 1):
        slots[scenario].append(rank)
    return Crew(tuple(tuple(ranks) for ranks in slots))


def gate_wrapper(
    script: Path,
    scenarios: Sequence[Scenario],
    crew: Crew,
    transport: Transport,
    port: int,
    token: str,
) -> str:
    """Return the text of the wrapper around a script.

    Args:
        script: The user's script.
        scenarios: Its scenarios.
        crew: How many VUs each of them gets.
        transport: `SECRETS` or `REDIS`.
        port: Where the gate listens on 127.0.0.1.
        token: What the redis gate asks for; with secrets it stands in a file of its own.
    """
    if transport is Transport.SECRETS:
        asking = (
            'import secrets from "k6/secrets";\n'
            "let gate;\n"
            "const ask = (key) => {\n"
            f"  if (!gate) gate = secrets.source({_js(SECRET_SOURCE)});\n"
            "  return gate.get(key);\n"
            "};"
        )
    else:
        asking = (
            'import redis from "k6/experimental/redis";\n'
            f"const gate = new redis.Client({_js(f'redis://:{token}@127.0.0.1:{port}')});\n"
            "const ask = (key) => gate.get(key);"
        )
    load = {
        each.name: {
            "executor": "constant-vus",
            "vus": len(ranks),
            "duration": FOREVER,
            "exec": each.function,
            **each.kept,
        }
        for each, ranks in zip(scenarios, crew.slots, strict=True)
    }
    return _fill(script, transport, asking, load, _functions(scenarios))


def rest_wrapper(script: Path, scenario: Scenario, vus: int, ceiling: int) -> str:
    """Return the wrapper for k6's own externally-controlled executor."""
    load = {
        scenario.name: {
            "executor": "externally-controlled",
            "vus": vus,
            "maxVUs": ceiling,
            "duration": "0",
            "exec": scenario.function,
            **{key: scenario.kept[key] for key in ("env", "tags") if key in scenario.kept},
        }
    }
    source = _js(script.resolve().as_uri())
    missing = f"{NO_FUNCTION} {scenario.function!r}"
    lines = [
        f"import * as script from {source};",
        f"export * from {source};",
        _options(load),
        f"if (typeof script[{_js(scenario.function)}] !== 'function') "
        f"throw new Error({_js(missing)});",
    ]
    if scenario.function == "default":
        lines.append("export default script.default;")
    return "\n".join(lines) + "\n"


def _fill(
    script: Path, transport: Transport, asking: str, load: dict[str, Any], functions: str
) -> str:
    filled = {
        '/* script */ ""': _js(script.resolve().as_uri()),
        "/* transport */": asking,
        "/* options */": _options(load),
        "/* tick */ 200": str(TICK_MS),
        "/* stale */ TICK_MS": "TICK_MS" if transport is Transport.SECRETS else "0",
        "/* functions */": functions,
    }
    # In one pass: what is filled in may look like a place itself.
    places = re.compile("|".join(map(re.escape, filled)))
    return places.sub(lambda found: filled[found[0]], TEMPLATE.read_text(encoding="utf-8"))


def _options(load: dict[str, Any]) -> str:
    return (
        "const { vus, duration, iterations, stages, executionSegment, executionSegmentSequence,"
        " paused, ...kept } = script.options || {};\n"
        # No stages at all is not the same: k6 2.x then takes `vus` of its configuration file.
        f"export const options = {{ ...kept, stages: [], scenarios: {_js(load)} }};"
    )


def _functions(scenarios: Sequence[Scenario]) -> str:
    """Each function is exported once: scenarios may share it, and k6 finds it by its name."""
    lines = []
    for name in dict.fromkeys(each.function for each in scenarios):
        places = {each.name: n for n, each in enumerate(scenarios) if each.function == name}
        wrapped = f"gated({_js(places)}, {_js(name)})"
        if name == "default":
            lines.append(f"export default {wrapped};")
        else:
            lines.append(f"const gated_{name} = {wrapped};\nexport {{ gated_{name} as {name} }};")
    return "\n".join(lines)


def _js(value: object) -> str:
    return json.dumps(value)
