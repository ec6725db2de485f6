"""A process that receives pushes, to be looked at from outside.

Usage: python -m tests.faults.receiving_child

Writes to standard output where it listens and the token as a line of JSON. For each line on its
standard input it waits until all that came is emitted, and tells in a line of JSON what that is.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from collectors.k6.receiver import PushReceiver
from collectors.k6.stream import LoadAssembler
from collectors.samples import Drop, LoadSample, Sample


class Emitted:
    """What was emitted."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()

    def take(self, sample: Sample) -> None:
        """Take what is emitted."""
        if isinstance(sample, LoadSample):
            for traffic in sample.traffic:
                self.requests[traffic.kind] += traffic.requests
        elif isinstance(sample, Drop):
            self.drops[sample.reason] += sample.count


def say(**told: Any) -> None:
    """Tell the parent."""
    print(json.dumps(told), flush=True)  # noqa: T201 - what it is asked for


async def main() -> None:
    """Receive until standard input ends."""
    emitted = Emitted()
    receiver = PushReceiver(LoadAssembler("k6-1"), emitted.take)
    await receiver.start()
    say(url=receiver.url, token=receiver.token)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        await receiver.drain()
        say(requests=emitted.requests, drops=emitted.drops)
    await receiver.close()


if __name__ == "__main__":
    asyncio.run(main())
