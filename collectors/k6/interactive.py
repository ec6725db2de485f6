"""Finds out whether and how the operator can own the load of a script.

What can't work is refused here, before anything runs, with the reason.
"""

from __future__ import annotations

import asyncio
import re
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from collectors.course import Course
from collectors.k6.arguments import K6Option, read_options, values_of
from collectors.k6.binary import K6Binary
from collectors.k6.config_file import read_config
from collectors.k6.inspect import NotReadable, inspect_script
from collectors.k6.load_options import (
    LOAD_VARIABLES,
    refuse_load_options,
    without_load_variables,
)
from collectors.k6.scenarios import Scenario, has_load, read_scenarios
from collectors.k6.wrapper import (
    NO_FUNCTION,
    Crew,
    Transport,
    crew_of,
    gate_wrapper,
    rest_wrapper,
)
from collectors.process import Guard
from collectors.source import SourceError
from collectors.text import sanitise

SECRETS_SINCE: Final = (1, 5, 0)
"""The first k6 whose k6/secrets can fetch from a URL."""
NO_REDIS_SINCE: Final = (2, 0, 0)
"""k6 2.0 dropped k6/experimental/redis and the externally-controlled executor."""
DEFAULT_CEILING: Final = 50
PROBE_PORT: Final = 1
"""Nobody asks when k6 only reads the wrapper."""

_OWN_PLACE: Final = re.compile(r"\s+at [^()]*\(?file://\S*wrapper\.js\S*")
"""Where in the wrapper an error was thrown: nothing to the operator."""
AS_WRITTEN: Final = "use --as-written to run it with k6's own schedule"


class NotControllable(SourceError):
    """Nothing is wrong, but this can run with k6's own schedule only."""


class BrokenScript(SourceError):
    """k6 itself can't run the script, and says why."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script whose load can be controlled, and how."""

    path: Path
    scenarios: tuple[Scenario, ...]
    transport: Transport
    warnings: tuple[str, ...] = ()
    """What will not be as in a run as written."""

    @property
    def start_vus(self) -> int:
        """VUs with which the script itself begins; at least 1."""
        return max(1, sum(each.start_vus for each in self.scenarios))

    @property
    def start_rate(self) -> float:
        """Iterations per second of a script that goes by rates only; 0 where VUs set the pace."""
        rates = [each.start_rate for each in self.scenarios]
        return sum(rates) if all(rates) else 0.0

    @property
    def max_vus(self) -> int:
        """VUs that the script itself uses at most."""
        return sum(each.max_vus for each in self.scenarios)

    @property
    def ceiling(self) -> int:
        """How many VUs there should be, unless the operator says so."""
        return max(DEFAULT_CEILING, 2 * self.max_vus)

    @property
    def graceful_stop_s(self) -> float:
        """How long iterations under way may take after a stop."""
        return max(each.graceful_stop_s for each in self.scenarios)


@dataclass(frozen=True, slots=True)
class Interactive:
    """A run whose load the operator owns."""

    script: Script
    ceiling: int
    """VUs that k6 holds ready."""
    course: Course
    """The target until there is another one."""

    @property
    def crew(self) -> Crew:
        """Who is let in when."""
        return crew_of(self.script.scenarios, self.ceiling)


async def examine(
    guard: Guard,
    binary: K6Binary,
    path: Path,
    arguments: Sequence[str],
    env: Mapping[str, str],
    transports: Sequence[Transport] | None = None,
) -> Script:
    """Find out how the load of a script can be controlled, by trying it.

    Args:
        guard: Starts k6.
        binary: Which k6.
        path: The script.
        arguments: The user's own options for k6.
        env: The environment that the script sees.
        transports: Which ways to try, the best first; by k6's version when None.

    Raises:
        BrokenScript: k6 can't read it, with or without us.
        NotControllable: it can only run as written.
        SourceError: it can't be, with the reason.
    """
    options = read_options(arguments)
    refuse_load_options(options)
    if is_archive(path, options):
        raise NotControllable(
            f"{sanitise(path.name, 80)} is an archive of k6: its load can't be changed", AS_WRITTEN
        )
    clean = without_load_variables(env)
    try:
        told = await inspect_script(guard, binary, str(path), arguments, clean)
    except NotReadable as error:
        raise BrokenScript(error.message, error.hint) from None
    if not has_load(told):
        config = read_config(options, env)
        told = {**told, **{key: config[key] for key in config if key not in ("out", "thresholds")}}
    scenarios = read_scenarios(told)
    reason: SourceError = NotControllable(
        f"k6 {binary.version} has no way to change its load", AS_WRITTEN
    )
    for transport in transports if transports is not None else transports_of(binary):
        try:
            await _try(guard, binary, path, scenarios, transport, arguments, clean)
        except SourceError as error:
            if _is_missing_module(error):
                continue
            said = _OWN_PLACE.sub("", error.message)
            if NO_FUNCTION in said:
                raise BrokenScript(said) from None
            raise SourceError(
                f"the load of {sanitise(path.name, 80)} can't be changed: {said}", AS_WRITTEN
            ) from None
        return Script(path, scenarios, transport, tuple(_warnings(told, env, transport)))
    raise reason


def _is_missing_module(error: SourceError) -> bool:
    # As k6 words it, 1.1 to 2.2.
    return any(words in error.message for words in ("unknown module", "has been removed"))


def transports_of(binary: K6Binary) -> tuple[Transport, ...]:
    """Return the ways of control that a version of k6 has, the best first."""
    ways = [Transport.SECRETS] if binary.version_info >= SECRETS_SINCE else []
    if binary.version_info < NO_REDIS_SINCE:
        ways += [Transport.REDIS, Transport.REST]
    return tuple(ways)


def is_archive(path: Path, options: Sequence[K6Option] = ()) -> bool:
    """Tell whether this is what `k6 archive` makes."""
    if "archive" in values_of(options, "type"):
        return True
    try:
        return path.suffix == ".tar" or tarfile.is_tarfile(path)
    except OSError:
        return False


async def _try(
    guard: Guard,
    binary: K6Binary,
    path: Path,
    scenarios: Sequence[Scenario],
    transport: Transport,
    arguments: Sequence[str],
    env: Mapping[str, str],
) -> None:
    """Let k6 read the wrapper.

    Raises:
        SourceError: it can't, or this way of control does not fit the script.
    """
    with tempfile.TemporaryDirectory(prefix="flashpoint-k6-") as folder:
        guard.remove_folder(folder)
        wrapper = Path(folder, "wrapper.js")
        text = wrapper_text(path, scenarios, len(scenarios), transport, PROBE_PORT, "token")
        await asyncio.to_thread(wrapper.write_text, text, encoding="utf-8")
        own = [word for option in read_options(arguments) if option.name != "type"
               for word in option.words]  # fmt: skip
        await inspect_script(guard, binary, str(wrapper), own, env)


def wrapper_text(
    path: Path,
    scenarios: Sequence[Scenario],
    ceiling: int,
    transport: Transport,
    port: int,
    token: str,
) -> str:
    """Return the wrapper for any way of control.

    Raises:
        SourceError: this way of control does not fit the script.
    """
    if transport is not Transport.REST:
        crew = crew_of(scenarios, ceiling)
        return gate_wrapper(path, scenarios, crew, transport, port, token)
    if len(scenarios) > 1:
        raise SourceError("k6's REST control moves one scenario only", AS_WRITTEN)
    return rest_wrapper(path, scenarios[0], 0, ceiling)


def _warnings(told: Mapping[str, Any], env: Mapping[str, str], transport: Transport) -> list[str]:
    lines = [
        f"{name} is left out: the load is yours, use {ours}"
        for name, ours in LOAD_VARIABLES.items()
        if env.get(name)
    ]
    touched = {"iteration_duration", "vus", "vus_max"}
    if transport is Transport.REDIS:
        touched |= {"data_sent", "data_received"}
    thresholds = told.get("thresholds")
    lines += [
        f"the threshold on {sanitise(str(each), 60)} sees waiting VUs too; "
        "it means what it says with --as-written only"
        for each in (thresholds if isinstance(thresholds, Mapping) else ())
        if str(each).partition("{")[0].strip() in touched
    ]
    if transport is Transport.REST:
        lines.append("controlled over REST: counts may lack interrupted requests")
    return lines
