"""The part of a run of k6 through which the operator moves its load."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collectors.k6.arguments import read_options
from collectors.k6.binary import K6Binary
from collectors.k6.control import ControlState, GateControl, LoadControl
from collectors.k6.interactive import Interactive, wrapper_text
from collectors.k6.load_options import without_load_variables
from collectors.k6.rest_control import RestControl
from collectors.k6.secret_source import secret_arguments, secret_config
from collectors.k6.wrapper import Transport
from collectors.process import Guard
from collectors.samples import LoadSample, SourceState, SourceStatus
from collectors.source import Clock, Emit

EASED_VUS: Final = 500
EASED_GOGC: Final = "200"
"""Go's own is 100: collect when the heap has grown by as much as was left the last time."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What k6 is to run in place of the user's script."""

    script: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    secrets: frozenset[str]
    """Texts that nobody must see."""


class Steering:
    """Prepares and holds the control of one run.

    Args:
        guard: Starts the gate.
        interactive: What to control.
        emit: Takes the status of the source `control`.
        clock: The session's clock.
    """

    def __init__(
        self,
        guard: Guard,
        interactive: Interactive,
        emit: Emit,
        clock: Clock,
    ) -> None:
        self._interactive = interactive
        self._emit = emit
        self._clock = clock
        self._is_draining = False
        self._told_lost: bool | None = None
        self.control: LoadControl
        self._gate: GateControl | None = None
        self._rest: RestControl | None = None
        if interactive.script.transport is Transport.REST:
            self.control = self._rest = RestControl(interactive.course, self._changed, clock)
        else:
            self.control = self._gate = GateControl(
                guard, interactive.crew, interactive.course, self._changed
            )

    async def prepare(
        self, folder: Path, binary: K6Binary, arguments: Sequence[str], env: Mapping[str, str]
    ) -> Wrapped:
        """Write the wrapper into a folder that only we can read, and start what it asks.

        Raises:
            SourceError: the gate does not start.
        """
        script = self._interactive.script
        transport = script.transport
        port, token, dropped, added = 0, "", {"type"}, list[str]()
        if self._gate is not None:
            port, token = await self._gate.start(transport), self._gate.token
        if self._rest is not None:
            dropped.add("address")
            added = ["--address", f"127.0.0.1:{self._rest.port}"]
        if transport is Transport.SECRETS:
            config = folder / "gate.json"
            await asyncio.to_thread(config.write_bytes, secret_config(port, token))
            dropped.add("secret-source")
            added = secret_arguments(arguments, env, binary, config)
        text = wrapper_text(
            script.path, script.scenarios, self._interactive.ceiling, transport, port, token
        )
        wrapper = folder / "wrapper.js"
        await asyncio.to_thread(wrapper.write_text, text, encoding="utf-8")
        kept = [
            word
            for option in read_options(arguments)
            if option.name not in dropped
            for word in option.words
        ]
        return Wrapped(
            str(wrapper),
            (*kept, *added),
            eased(without_load_variables(env), self._interactive.ceiling),
            frozenset({token} - {""}),
        )

    def begin(self, pid: int) -> None:
        """Begin to steer a k6 that was started."""
        if self._rest is not None:
            self._rest.start(pid)

    async def drain(self) -> bool:
        """Let every iteration under way end; return whether all did within gracefulStop."""
        self._is_draining = True
        return await self.control.drain(self._interactive.script.graceful_stop_s)

    def with_running_vus(self, sample: LoadSample) -> LoadSample:
        """Return a sample with the VUs that run the script: k6 counts those that wait too."""
        vus = self.control.state.running
        return replace(sample, vus=vus, vus_max=self._interactive.ceiling)

    def _changed(self, state: ControlState) -> None:
        if self._is_draining or state.is_lost is self._told_lost:
            return
        self._told_lost = state.is_lost
        if state.is_lost:
            say = (
                SourceState.FAILED,
                "nothing moves the load any more; k6 ends itself within 10 s",
                "start it again with s",
            )
        else:
            say = (SourceState.LIVE, f"{self._interactive.script.transport} works", "")
        self._emit(SourceStatus(self._clock(), "control", *say))


def eased(env: Mapping[str, str], ceiling: int) -> Mapping[str, str]:
    """Let k6 collect garbage half as often, unless somebody has decided about that.

    VUs that wait double what Go's collector walks through each time, at no use. Memory grows by
    half instead, which many VUs may not have.
    """
    is_decided = "GOGC" in env or "GOMEMLIMIT" in env
    return env if is_decided or ceiling > EASED_VUS else {**env, "GOGC": EASED_GOGC}
