"""More pushes than can be read: they wait, are refused and counted, and cost no request."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import aiohttp
import cramjam
import pytest

from collectors.k6 import receiver as receiver_module
from collectors.k6.receiver import PushReceiver
from collectors.k6.stream import LoadAssembler
from collectors.samples import Drop, LoadSample, RequestKind, Sample
from tests.faults.conftest import Report
from tests.faults.load_pusher import push, templates

REQUESTS: Final = 300
PUSHES: Final = 20
MAX_BLOCKED_S: Final = 2.0


def bodies() -> list[bytes]:
    """Return pushes in each of which every request is made once more."""
    return [
        bytes(cramjam.snappy.compress_raw(push(templates("flood", count), range(REQUESTS))))
        for count in range(1, PUSHES + 1)
    ]


@pytest.mark.parametrize("is_patient", [True, False], ids=["waits", "refuses"])
async def test_what_does_not_fit_costs_nothing(
    report: Report, monkeypatch: pytest.MonkeyPatch, is_patient: bool
) -> None:
    """k6 is not held up for long, and the last push makes up for those that were refused."""
    if not is_patient:
        monkeypatch.setattr(receiver_module, "MAX_WAIT_S", 0.001)
        # The reader gives way after every step, so that it is slower than who sends.
        monkeypatch.setattr(receiver_module, "SLICE_S", 0.0)
    emitted: list[Sample] = []
    made = bodies()
    receiver = PushReceiver(
        LoadAssembler("k6-1"), emitted.append, max_queue_bytes=max(map(len, made))
    )
    await receiver.start()
    headers = {"Authorization": f"Bearer {receiver.token}"}
    longest_s, statuses = 0.0, []
    async with aiohttp.ClientSession(headers=headers) as session:
        for number, body in enumerate(made):
            if number == PUSHES - 1:
                await receiver.drain()
            start = time.monotonic()
            async with session.post(receiver.url, data=body) as answer:
                statuses.append(answer.status)
            longest_s = max(longest_s, time.monotonic() - start)
    await receiver.drain()
    await receiver.close()
    loads = [sample for sample in emitted if isinstance(sample, LoadSample)]
    streamed = sum(
        traffic.requests
        for load in loads
        for traffic in load.traffic
        if traffic.kind is RequestKind.HTTP
    )
    dropped = sum(each.count for each in emitted if isinstance(each, Drop))
    refused = statuses.count(503)
    passed = (
        streamed == REQUESTS * PUSHES
        and set(statuses) <= {204, 503}
        and dropped == refused
        and (refused == 0 if is_patient else refused > 0)
        and longest_s <= MAX_BLOCKED_S
    )
    report(
        "pushes come faster than they can be read" + ("" if is_patient else ", and never wait"),
        tries=1,
        passed=int(passed),
        figure=f"{streamed} of {REQUESTS * PUSHES} requests, {refused} pushes refused, "
        f"k6 held up for {longest_s * 1e3:.0f} ms at most",
        target=f"0 requests lost, ≤ {MAX_BLOCKED_S:g} s",
    )


async def test_one_who_is_slow_holds_up_nobody(report: Report) -> None:
    """Half a push that goes on no more leaves those of others alone."""
    emitted: list[Sample] = []
    receiver = PushReceiver(LoadAssembler("k6-1"), emitted.append)
    await receiver.start()
    host, port = receiver.url.removeprefix("http://").split("/")[0].split(":")
    slow = []
    passed, tries = 0, 50
    headers = {"Authorization": f"Bearer {receiver.token}"}
    try:
        for _ in range(tries):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                b"POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n"
                b"Authorization: Bearer %s\r\n\r\n\x05half" % receiver.token.encode()
            )
            slow.append(writer)
        body = bodies()[0]
        async with aiohttp.ClientSession(headers=headers) as session:
            for _ in range(tries):
                async with session.post(receiver.url, data=body) as answer:
                    passed += answer.status == 204
        await receiver.drain()
        passed = min(passed, receiver.pushes)
    finally:
        for writer in slow:
            writer.close()
        await receiver.close()
    report(
        f"{tries} pushes that stop in the middle",
        tries=tries,
        passed=passed,
        figure=f"{passed} others used",
        target="all others used",
    )
