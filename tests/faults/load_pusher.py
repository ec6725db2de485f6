"""Stands in for k6 and streams what no honest script should: as k6 does, from what k6 once sent.

Usage: python -m tests.faults.load_pusher BOMB MANY A_PUSH PUSHES INTERVAL_S

BOMB names what is unique in each request (see `BOMBS`), or is `flood`: then the same MANY requests
are sent again in each of PUSHES pushes, one every INTERVAL_S, with all of their series changed.
Writes to standard output, at its end, how many pushes were refused and sent again.
"""

from __future__ import annotations

import http.client
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import cramjam

from collectors.k6.messages import WriteRequest
from collectors.k6.remote_write import decompress

CAPTURED: Final = Path(__file__).parents[1] / "data" / "k6_push_1.bin"
PLACE: Final = b"#######"
"""Where a serial number goes: of its length, so that no length changes."""
SHAPES: Final = 16
"""How many kinds of latency there are."""
BOMBS: Final = {
    "url": {b"name": b"http://127.0.0.1:9911/item/#######", b"url": b"http://h/item/#######"},
    "group": {b"group": b"::basket #######"},
    "tag": {b"customer": b"c#######"},
    "check": {b"check": b"item ####### is there"},
    "metric": {b"__name__": b"k6_stock_of_#######_total"},
    "flood": {b"name": b"http://127.0.0.1:9911/item/#######"},
}
"""The labels that a bomb changes."""
_OF: Final = {"check": b"k6_checks_rate", "metric": b"k6_my_c_total"}
_REQUESTS: Final = b"k6_http_req"


def captured() -> list[Any]:
    """Return the series of a push that k6 sent."""
    return list(WriteRequest.FromString(decompress(CAPTURED.read_bytes())).timeseries)


def name_of(series: Any) -> bytes:
    """Return the name of the metric."""
    return next(bytes(each.value) for each in series.labels if each.name == b"__name__")


def templates(bomb: str, count: int) -> list[list[bytes]]:
    """Return the series of one request with a place for its number, for each shape of latency.

    Args:
        bomb: What is unique.
        count: How often it was made since the start.
    """
    found = []
    for shape in range(SHAPES):
        parts = []
        for series in captured():
            if name_of(series).startswith(_OF.get(bomb, _REQUESTS)):
                _relabel(series, dict(BOMBS[bomb]))
                _revalue(series, shape, count)
                parts.append(bytes(WriteRequest(timeseries=[series]).SerializeToString()))
        found.append(parts[:1] if bomb in _OF else parts)
    return found


def push(shapes: list[list[bytes]], numbers: range) -> bytes:
    """Return the series of some requests, in no order, as k6 has them."""
    parts = [part.replace(PLACE, b"%07d" % n) for n in numbers for part in shapes[n % SHAPES]]
    random.Random(numbers.start).shuffle(parts)
    return b"".join(parts)


def _relabel(series: Any, changed: dict[bytes, bytes]) -> None:
    labels = {bytes(each.name): bytes(each.value) for each in series.labels} | changed
    del series.labels[:]
    for name in sorted(labels):
        series.labels.add(name=name, value=labels[name])


def _revalue(series: Any, shape: int, count: int) -> None:
    if name_of(series).endswith(b"_rate"):
        return
    for sample in series.samples:
        sample.value = count
    for histogram in series.histograms:
        del histogram.positive_spans[:]
        del histogram.positive_deltas[:]
        histogram.positive_spans.add(offset=shape - 60, length=1)
        histogram.positive_deltas.append(count)
        histogram.count_int, histogram.zero_count_int = count, 0
        histogram.sum = count * 0.01


def iterations(total: int) -> bytes:
    """Return the series of all iterations so far."""
    series = next(s for s in captured() if name_of(s) == b"k6_iterations_total")
    series.samples[0].value = total
    raw: bytes = WriteRequest(timeseries=[series]).SerializeToString()
    return raw


def bomb_pushes(bomb: str, many: int, a_push: int) -> Iterator[bytes]:
    """Yield pushes in which each request is made once."""
    shapes = templates(bomb, 1)
    for start in range(0, many, a_push):
        numbers = range(start, min(start + a_push, many))
        yield push(shapes, numbers) + iterations(numbers.stop)


def flood_pushes(many: int, pushes: int) -> Iterator[bytes]:
    """Yield pushes in each of which every request is made once more."""
    for count in range(1, pushes + 1):
        yield push(templates("flood", count), range(many)) + iterations(many * count)


class Sender:
    """Sends pushes to where the environment says, as k6 does; refused ones again."""

    def __init__(self) -> None:
        url = urlsplit(os.environ["K6_PROMETHEUS_RW_SERVER_URL"])
        self._path = url.path
        self._connection = http.client.HTTPConnection(url.hostname or "", url.port)
        self._headers = {
            "Authorization": f"Bearer {os.environ['K6_PROMETHEUS_RW_BEARER_TOKEN']}",
            "Content-Encoding": "snappy",
        }
        self.refused = 0

    def send(self, raw: bytes) -> None:
        """Send the series of one push."""
        body = bytes(cramjam.snappy.compress_raw(raw))
        while True:
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status == 204:
                return
            assert answer.status == 503, answer.status
            self.refused += 1


def main(bomb: str, many: int, a_push: int, pushes: int, interval_s: float) -> None:
    """Send all."""
    sender = Sender()
    pacing = threading.Event()
    start = time.monotonic()
    all_pushes = flood_pushes(many, pushes) if bomb == "flood" else bomb_pushes(bomb, many, a_push)
    for number, raw in enumerate(all_pushes):
        pacing.wait(max(0.0, start + number * interval_s - time.monotonic()))
        sender.send(raw)
    print(sender.refused)  # noqa: T201 - what it is asked for


if __name__ == "__main__":
    # As k6 it is given k6's options too.
    mine = sys.argv[1:6]
    main(mine[0], int(mine[1]), int(mine[2]), int(mine[3]), float(mine[4]))
