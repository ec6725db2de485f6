"""The control over REST; a server in this process plays k6."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from collectors.course import Course, CourseUnit
from collectors.k6.control import ControlState
from collectors.k6.rest_control import LOST_AFTER_S, RestControl
from collectors.process import Guard
from tests.waiting import eventually


class FakeK6:
    """Its REST server, as far as the control uses it."""

    def __init__(self) -> None:
        self.vus = 0
        self.is_running = False
        self.keeps_vus = False
        """Whether VUs stay although they are not wanted any more."""
        self.asked = 0
        self.patched: list[int] = []
        self.bad_answers = 0
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        app = web.Application()
        app.add_routes([web.get("/v1/status", self._get), web.patch("/v1/status", self._patch)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _get(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.bad_answers:
            self.bad_answers -= 1
            return web.Response(text="<html>", content_type="application/json")
        return self._status()

    async def _patch(self, request: web.Request) -> web.Response:
        document = await request.json()
        assert document["data"]["type"] == "status"
        wanted = document["data"]["attributes"]["vus"]
        self.patched.append(wanted)
        if not self.keeps_vus:
            self.vus = wanted
        return self._status()

    def _status(self) -> web.Response:
        attributes = {"vus": self.vus, "vus-max": 50, "running": self.is_running, "paused": False}
        return web.json_response({"data": {"type": "status", "attributes": attributes}})


class Rest:
    """A control, its clock, and the k6 that it talks to."""

    def __init__(self) -> None:
        self.shift_s = 0.0
        self.told: list[ControlState] = []
        self.k6 = FakeK6()
        self.control = RestControl(self.vus(3), self.told.append, self.clock)

    def clock(self) -> float:
        return time.monotonic() + self.shift_s

    def vus(self, level: float) -> Course:
        return Course.constant(CourseUnit.VUS, level, self.clock())


@pytest.fixture
async def rest() -> AsyncIterator[Rest]:
    """A control of a k6 that is ready."""
    made = Rest()
    await made.k6.start(made.control.port)
    try:
        yield made
    finally:
        await made.control.close()
        await made.k6.stop()


async def test_the_vus_of_k6_follow(rest: Rest) -> None:
    """It is told of changes only."""
    rest.control.start(os.getpid())
    await eventually(lambda: rest.k6.vus == 3)
    asked = rest.k6.asked
    await eventually(lambda: rest.k6.asked >= asked + 2)
    assert rest.k6.patched == [3]
    rest.control.steer(rest.vus(7.4))
    await eventually(lambda: rest.k6.vus == 7)
    await eventually(lambda: rest.control.state.running == 7)
    assert rest.told[-1] == rest.control.state
    assert rest.control.pids == ()


async def test_a_ramp_is_followed(rest: Rest) -> None:
    """The level is that of the moment, by the session's clock."""
    now = rest.clock()
    rest.control.steer(Course(CourseUnit.VUS, ((now, 10.0), (now + 1_000, 1_010.0))))
    rest.control.start(os.getpid())
    await eventually(lambda: rest.k6.vus >= 10)
    rest.shift_s = 500.0
    await eventually(lambda: rest.k6.vus >= 510)
    rest.shift_s = 5_000.0
    await eventually(lambda: rest.k6.vus == 1_010)


async def test_the_load_begins_when_k6_runs(rest: Rest) -> None:
    """It answers before that, while it prepares its VUs."""
    rest.control.start(os.getpid())
    await eventually(lambda: rest.k6.asked >= 2)
    assert rest.control.state.first_at is None
    rest.k6.is_running = True
    await eventually(lambda: rest.control.state.first_at is not None)
    first_at = rest.control.state.first_at
    asked = rest.k6.asked
    await eventually(lambda: rest.k6.asked >= asked + 2)
    assert rest.control.state.first_at == first_at


async def test_somebody_else_on_the_port_is_not_talked_to(rest: Rest, guard: Guard) -> None:
    """Until it is our k6 that listens."""
    looked: list[int] = []
    rest.control.start(guard.pid)
    clock = rest.control._clock

    def counted() -> float:
        looked.append(1)
        return clock()

    rest.control._clock = counted
    await eventually(lambda: len(looked) >= 4)
    assert rest.k6.asked == 0
    assert not rest.control.state.is_lost
    rest.control._pid = os.getpid()
    await eventually(lambda: rest.k6.vus == 3)


async def test_a_k6_that_is_late_is_waited_for() -> None:
    """A script may prepare for long before k6 listens."""
    rest = Rest()
    rest.control.start(os.getpid())
    try:
        rest.shift_s = 10 * LOST_AFTER_S
        await rest.k6.start(rest.control.port)
        await eventually(lambda: rest.k6.vus == 3)
        assert not rest.control.state.is_lost
    finally:
        await rest.control.close()
        await rest.k6.stop()


async def test_one_bad_answer_is_not_the_end(rest: Rest) -> None:
    """The next one counts."""
    rest.k6.bad_answers = 2
    rest.control.start(os.getpid())
    await eventually(lambda: rest.k6.vus == 3)
    assert not rest.control.state.is_lost


async def test_a_k6_that_does_not_answer_any_more_is_lost(rest: Rest) -> None:
    """Not at once; when the load began stays known, and nobody waits for it."""
    rest.k6.is_running = True
    rest.control.start(os.getpid())
    await eventually(lambda: rest.control.state.running == 3)
    first_at = rest.control.state.first_at
    assert first_at is not None
    rest.k6.keeps_vus = True
    draining = asyncio.create_task(rest.control.drain(15.0))
    await eventually(lambda: 0 in rest.k6.patched)
    assert not draining.done()
    await rest.k6.stop()
    rest.shift_s = LOST_AFTER_S - 3.0
    assert not rest.control.state.is_lost
    rest.shift_s = LOST_AFTER_S + 3.0
    await eventually(lambda: rest.control.state.is_lost)
    assert rest.control.state == ControlState(is_lost=True, first_at=first_at)
    assert not await asyncio.wait_for(draining, 5.0)
    assert rest.told[-1].is_lost


async def test_draining_waits_for_the_last_vu(rest: Rest) -> None:
    """And is done at once where there is none."""
    assert await rest.control.drain(5.0)
    rest.control.steer(rest.vus(3))
    rest.control.start(os.getpid())
    await eventually(lambda: rest.control.state.running == 3)
    rest.k6.keeps_vus = True
    draining = asyncio.create_task(rest.control.drain(10.0))
    await eventually(lambda: 0 in rest.k6.patched)
    assert not draining.done()
    rest.k6.keeps_vus = False
    assert await draining
    assert rest.k6.vus == 0


async def test_draining_gives_up_at_its_deadline(rest: Rest) -> None:
    """The rest is k6's own gracefulStop."""
    rest.control.start(os.getpid())
    await eventually(lambda: rest.control.state.running == 3)
    rest.k6.keeps_vus = True
    assert not await rest.control.drain(0.3)
    assert not rest.control.state.is_lost


async def test_nothing_is_left_after_the_end(rest: Rest) -> None:
    """Closed twice, or before it began, does no harm."""
    await rest.control.close()
    rest.control.start(os.getpid())
    await eventually(lambda: rest.k6.asked >= 1)
    await rest.control.close()
    await rest.control.close()
    asked = rest.k6.asked
    with contextlib.suppress(AssertionError):
        await eventually(lambda: rest.k6.asked > asked, within_s=0.5)
    assert rest.k6.asked == asked
