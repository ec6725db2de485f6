"""Whether k6 and a script do, and how the load would be moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from collectors.k6.binary import INSTALL_HINT, K6Binary
from collectors.k6.interactive import SECRETS_SINCE, Script, transports_of
from collectors.k6.load_options import LOAD_VARIABLES
from collectors.k6.scenarios import Scenario
from collectors.k6.wrapper import Transport
from collectors.source import SourceError
from collectors.text import sanitise
from tui.model.doctor.finding import Area, Finding, ok, refused, warn

OLDEST: Final = (1, 0, 0)
"""The oldest k6 that every part is made for."""
NEWEST_MAJOR: Final = 2
SHOWN_SCENARIOS: Final = 5

_WHY: Final = {
    Transport.SECRETS: "k6/secrets, in k6 since 1.5",
    Transport.REDIS: "k6/experimental/redis, in k6 1.x",
    Transport.REST: "the externally-controlled executor of k6 1.x: one scenario, no rate",
}


def judge_program(binary: K6Binary) -> Finding:
    """Tell whether a k6 that answers is one that flashpoint is made for."""
    text = f"k6 {binary.version}, {sanitise(binary.path, 200)}"
    if binary.version_info < OLDEST:
        return warn(
            *(Area.K6, "program", f"{text}: too old, parts may not work"),
            f"{INSTALL_HINT}; 1.5 or later is best",
        )
    if binary.version_info[0] > NEWEST_MAJOR:
        return warn(
            *(Area.K6, "program", f"{text}: newer than flashpoint knows"),
            f"if something is odd, name a k6 {NEWEST_MAJOR}.x with --k6 PATH",
        )
    return ok(Area.K6, "program", text)


def judge_control(binary: K6Binary) -> Finding:
    """Tell how the load of any script would be moved, by the version of k6."""
    ways = transports_of(binary)
    best, others = ways[0], [way.value for way in ways[1:]]
    rest = f"; where a script does not allow it: {', then '.join(others)}" if others else ""
    return ok(Area.K6, "control", f"{best.value} ({_WHY[best]}){rest}")


def judge_script(script: Script, binary: K6Binary) -> list[Finding]:
    """Tell what is in a script that k6 has read, and how its load would be moved."""
    findings = [ok(Area.K6, "script", f"{_name(script)}: {show_scenarios(script.scenarios)}")]
    why = _WHY[script.transport]
    text = f"{script.transport.value} ({why})"
    if script.transport is Transport.REST:
        text += ", counts may lack interrupted requests"
        mend = "use k6 {}.{} or later: its secret gate has neither limit".format(*SECRETS_SINCE)
        findings.append(warn(Area.K6, "control", text, mend))
    else:
        findings.append(ok(Area.K6, "control", text))
    told = [each for each in script.warnings if not each.startswith("controlled over REST")]
    findings += [
        warn(Area.K6, "as wanted", each, "run it --as-written, or leave that out") for each in told
    ]
    return findings


def judge_archive(error: SourceError) -> Finding:
    """Tell of a script that can only run with its own schedule."""
    return warn(Area.K6, "control", f"as written: {error.message}", error.hint)


def judge_options(env: Mapping[str, str], refusal: SourceError | None) -> Finding:
    """Tell whether options and variables for k6 would be refused or left out.

    Args:
        env: The environment.
        refusal: What a run would say to them.
    """
    if refusal is not None:
        return refused(Area.K6, "options", refusal)
    left_out = [name for name in LOAD_VARIABLES if env.get(name)]
    if left_out:
        return warn(
            *(Area.K6, "options", f"left out where the load is yours: {', '.join(left_out)}"),
            f"unset {' '.join(left_out)}",
        )
    return ok(Area.K6, "options", "none that would be refused or left out")


def show_scenarios(scenarios: Sequence[Scenario]) -> str:
    """Name scenarios with what runs them, like `1 scenario: default (default, 5 VUs)`."""
    shown = [
        f"{sanitise(each.name, 40)} ({sanitise(each.executor, 40)}, {_load(each)})"
        for each in scenarios[:SHOWN_SCENARIOS]
    ]
    if len(scenarios) > SHOWN_SCENARIOS:
        shown.append(f"{len(scenarios) - SHOWN_SCENARIOS} more")
    word = "scenario" if len(scenarios) == 1 else "scenarios"
    return f"{len(scenarios)} {word}: {', '.join(shown)}"


def _load(scenario: Scenario) -> str:
    if scenario.start_rate:
        return f"from {scenario.start_rate:g} iterations/s"
    return f"{scenario.max_vus} VU{'' if scenario.max_vus == 1 else 's'}"


def _name(script: Script) -> str:
    return sanitise(script.path.name, 80)
