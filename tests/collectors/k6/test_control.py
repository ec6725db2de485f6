"""The control with the real guard and the real gate; the test plays k6's VUs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest

from collectors.course import Course, CourseUnit
from collectors.k6.control import STEER_S, ControlState, GateControl
from collectors.k6.gate import blanks
from collectors.k6.wrapper import Crew, Transport
from collectors.process import Guard
from collectors.source import SourceError
from tests.waiting import eventually

YES, NO = blanks([1]), blanks([0])


def vus(level: float) -> Course:
    return Course.constant(CourseUnit.VUS, level, time.monotonic())


def gone(pid: int) -> bool:
    """A zombie is dead, it only has not been reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Gate:
    """A control whose gate runs, and a connection of VUs to it."""

    def __init__(
        self,
        control: GateControl,
        port: int,
        client: aiohttp.ClientSession,
        told: list[ControlState],
    ) -> None:
        self.control = control
        self.port = port
        self.told = told
        self._client = client

    @property
    def pid(self) -> int:
        [pid] = self.control.pids
        return pid

    async def ask(self, key: str) -> bytes:
        """Ask as k6's secret source does."""
        headers = {"Authorization": f"Bearer {self.control.token}"}
        url = f"http://127.0.0.1:{self.port}/{key}"
        async with self._client.get(url, headers=headers) as response:
            assert response.status == 200, key
            return await response.read()

    async def run(self, vu: int = 1) -> None:
        """Let a VU run the script."""
        await self.ask(f"slot.0.{vu}")
        await self.ask(f"tick.0.{int(time.time() * 5)}")
        assert await self.ask(f"run.{vu}.1") == YES
        await eventually(lambda: self.control.state.running >= vu)

    async def level(self) -> int:
        """Return the thousandths of the target that a VU is told now."""
        line = await self.ask(f"tick.0.{int(time.time() * 5)}")
        numbers = line.decode().replace(" ", "0").replace("\t", "1").split("\n")
        return int(numbers[1], 2)


@pytest.fixture
async def gate(guard: Guard) -> AsyncIterator[Gate]:
    """A gate with two VUs, both wanted."""
    told: list[ControlState] = []
    control = GateControl(guard, Crew(((1, 2),)), vus(2), told.append)
    async with aiohttp.ClientSession(trust_env=False) as client:
        try:
            yield Gate(control, await control.start(Transport.SECRETS), client, told)
        finally:
            await control.close()


@pytest.mark.parametrize("transport", [Transport.SECRETS, Transport.REDIS])
async def test_a_gate_starts_and_ends(guard: Guard, transport: Transport) -> None:
    """It listens for its own protocol; afterwards there is no process and no descriptor."""
    before = len(os.listdir("/proc/self/fd"))
    control = GateControl(guard, Crew(((1,),)), vus(1))
    assert not control.pids
    port = await control.start(transport)
    [pid] = control.pids
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if transport is Transport.SECRETS:
        writer.write(b"GET /slot.0.1 HTTP/1.1\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
    else:
        writer.write(
            b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(control.token), control.token.encode())
        )
        assert await reader.readline() == b"+OK\r\n"
    writer.close()
    await writer.wait_closed()
    await control.close()
    assert gone(pid)
    await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)
    await control.close()
    control.steer(vus(1))


async def test_a_gate_with_very_many_vus_starts(guard: Guard) -> None:
    """Its first message, which names them all, is longer than a pipe holds."""
    control = GateControl(guard, Crew((tuple(range(1, 50_001)),)), vus(1))
    try:
        assert await control.start(Transport.SECRETS) > 0
    finally:
        await control.close()


async def test_the_token_is_nobodys_argument(gate: Gate) -> None:
    """Whoever lists processes does not see it."""
    assert gate.control.token not in " ".join(psutil.Process(gate.pid).cmdline())


async def test_what_vus_do_is_reported(gate: Gate) -> None:
    """Who is known, who runs, and since when there is a load."""
    assert gate.control.state == ControlState()
    before = time.monotonic()
    await gate.run(1)
    await gate.run(2)
    await eventually(lambda: gate.control.state.running == 2)
    state = gate.control.state
    assert state.known == 2
    assert state.first_at is not None
    assert before <= state.first_at <= time.monotonic()
    await gate.ask("park.1.1")
    await eventually(lambda: gate.control.state.running == 1)
    assert gate.told[-1] == gate.control.state
    assert not gate.control.state.silent


async def test_of_many_changes_few_are_sent_and_the_last_one_counts(gate: Gate) -> None:
    """At most four a second, however fast a key repeats."""
    control = gate.control
    began = time.monotonic()
    pressed = 0

    def all_pressed() -> bool:
        nonlocal pressed
        pressed += 2
        control.steer(vus(pressed - 1))
        control.steer(vus(pressed))
        return pressed >= 200

    await eventually(all_pressed, within_s=15.0)
    await eventually(lambda: not control._to_send.is_set())
    took_s = time.monotonic() - began
    assert 1 <= control._sent <= took_s / STEER_S + 1
    await eventually(lambda: control._followed == control._sent)
    assert await gate.level() == 200_000


async def test_the_first_change_is_sent_at_once(gate: Gate) -> None:
    """Only what follows on its heels waits."""
    gate.control.steer(vus(1))
    await eventually(lambda: gate.control._sent == 1)
    await eventually(lambda: gate.control._followed == 1)
    assert await gate.level() == 1_000


async def test_draining_is_done_where_nobody_runs(gate: Gate) -> None:
    """And nobody is let in afterwards, nor by a change that was on its way."""
    await gate.ask("slot.0.1")
    gate.control.steer(vus(2))
    assert await gate.control.drain(5.0)
    assert await gate.ask("run.1.1") == NO
    assert await gate.level() == 0
    await eventually(lambda: gate.control._followed == gate.control._sent)
    assert await gate.level() == 0


async def test_draining_waits_for_who_runs(gate: Gate) -> None:
    """Until it waits again."""
    await gate.run()
    draining = asyncio.create_task(gate.control.drain(10.0))
    await eventually(lambda: gate.control._followed == gate.control._sent > 0)
    assert not draining.done()
    assert await gate.level() == 0
    await gate.ask("park.1.1")
    assert await draining


async def test_draining_gives_up_at_its_deadline(gate: Gate) -> None:
    """An iteration may be endless."""
    await gate.run()
    assert not await gate.control.drain(0.5)
    assert not gate.control.state.is_lost


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_gate_is_lost(gate: Gate, signum: int) -> None:
    """It is told, nobody waits for it, and what is asked of it does no harm."""
    await gate.run()
    pid = gate.pid
    draining = asyncio.create_task(gate.control.drain(15.0))
    await eventually(lambda: gate.control._followed > 0)
    os.kill(pid, signum)
    assert not await asyncio.wait_for(draining, 5.0)
    state = gate.control.state
    assert (state.is_lost, state.running, state.known) == (True, 0, 1)
    assert gate.told[-1] == state
    assert not await gate.control.drain(15.0)
    gate.control.steer(vus(2))
    await eventually(lambda: not gate.control._to_send.is_set())
    await gate.control.close()
    assert gone(pid)


@pytest.mark.parametrize(
    "program", ["raise SystemExit(1)", "import sys; sys.stdin.close()", "import nothing_at_all"]
)
async def test_a_gate_that_can_not_start_is_told_at_once(
    guard: Guard, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Not when the time to start is over."""
    monkeypatch.setattr("collectors.k6.control.PROGRAM", program)
    monkeypatch.setattr("collectors.k6.control.READY_DEADLINE_S", 3_600.0)
    control = GateControl(guard, Crew(((1,),)), vus(1))
    with pytest.raises(SourceError, match="ended at once"):
        await control.start(Transport.SECRETS)
    assert control.state.is_lost
    await control.close()


async def test_a_gate_that_says_nothing_is_told(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, and it is ended."""
    monkeypatch.setattr("collectors.k6.control.PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr("collectors.k6.control.READY_DEADLINE_S", 0.3)
    # It reads nothing either: its first message does not fit into the pipe.
    control = GateControl(guard, Crew((tuple(range(50_000)),)), vus(1))
    with pytest.raises(SourceError, match="did not start"):
        await control.start(Transport.SECRETS)
    [pid] = control.pids
    await control.close()
    assert gone(pid)


async def test_every_control_has_a_token_of_its_own(guard: Guard) -> None:
    """Long enough that nobody finds it."""
    tokens = {GateControl(guard, Crew(((1,),)), vus(1)).token for _ in range(10)}
    assert len(tokens) == 10
    assert all(len(token) >= 32 for token in tokens)
