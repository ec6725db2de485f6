"""The routes of the Python server, and the functions whose costs are known.

Each route burns its CPU in a function of its own; `GET /cost` tells how much that was, so that a
profile can be checked. The standard library only: it runs in the server's process.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

PAGE_BYTES: Final = 4096
ORDERS: Final = 12
FACTOR_MIN: Final = 0.01
FACTOR_MAX: Final = 100.0

MASK: Final = (1 << 64) - 1
MULTIPLIER: Final = 6364136223846793005
GOLDEN_RATIO: Final = 0x9E3779B97F4A7C15

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Cost:
    """What one named function costs, and has cost so far."""

    rounds: int
    """Turns of the function's loop at factor 1; about 0.2 µs each on a machine of 2024."""
    factor: float = 1.0
    cpu_ns: int = 0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def scaled_rounds(self) -> int:
        """Turns at the factor of now."""
        return int(self.rounds * self.factor)

    def account(self, work: Callable[[], _Result]) -> _Result:
        """Run `work` and add the CPU time of this thread meanwhile."""
        before = time.thread_time_ns()
        result = work()
        spent_ns = time.thread_time_ns() - before
        with self.lock:
            self.cpu_ns += spent_ns
            self.calls += 1
        return result


COSTS: Final = {
    "render_greeting": Cost(40),
    "mine_block": Cost(2_000),
    "build_document": Cost(500),
    "write_json": Cost(700),
    "update_ledger": Cost(400),
    "fill_page": Cost(150),
}


def render_greeting(rounds: int) -> bytes:
    """Return the front page."""
    state = 1
    for _ in range(rounds):
        state = (state * MULTIPLIER + 1) & MASK
    return b"hello\n"


def mine_block(rounds: int, header: int) -> int:
    """Return the lowest of some hashes."""
    state = header
    lowest = MASK
    for nonce in range(rounds):
        state = (state * MULTIPLIER + nonce) & MASK
        if state < lowest:
            lowest = state
    return lowest


def block_rounds(number: int, average: int) -> int:
    """Spread the cost of blocks evenly over 0.4 to 1.6 times the average.

    The multiples of the golden ratio fill the range, so that the average holds after a few calls.
    """
    share = (number * GOLDEN_RATIO & MASK) / (1 << 64)
    return int(average * (0.4 + 1.2 * share))


def build_document(rounds: int) -> list[dict[str, Any]]:
    """Return some orders."""
    orders = []
    state = 1
    for number in range(ORDERS):
        for _ in range(rounds // ORDERS):
            state = (state * MULTIPLIER + 1) & MASK
        orders.append(
            {
                "id": number,
                "price_cents": state % 100_000,
                "customer": f"{state:016x}",
                "quantities": [state % 7, state % 11, state % 13],
            }
        )
    return orders


def write_json(rounds: int, orders: list[dict[str, Any]]) -> bytes:
    """Return the orders and a checksum over them as JSON."""
    text = json.dumps(orders, separators=(",", ":"))
    checksum = len(text)
    for _ in range(rounds):
        checksum = (checksum * MULTIPLIER + 1) & MASK
    return f'{{"orders":{text},"checksum":{checksum % 1_000_000}}}\n'.encode()


def update_ledger(rounds: int, balance: int) -> int:
    """Return the balance after the next booking."""
    for _ in range(rounds):
        balance = (balance * MULTIPLIER + 1) & MASK
    return balance


def fill_page(rounds: int, page: bytearray) -> None:
    """Fill a page with noise."""
    state = 1
    for turn in range(rounds):
        state = (state * MULTIPLIER + 1) & MASK
        page[turn % PAGE_BYTES] = state & 0xFF


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers."""

    status: int
    body: bytes
    content_type: str = "text/plain"


class Routes:
    """The routes and what they share."""

    def __init__(self) -> None:
        self._ledger = 1
        self._ledger_lock = threading.Lock()
        self._blocks = 0
        self._routes: dict[str, Callable[[], Answer]] = {
            "/": self._cheap,
            "/cheap": self._cheap,
            "/heavy": self._heavy,
            "/json": self._json,
            "/lock": self._lock,
            "/fsync": self._fsync,
            "/sleep": self._sleep,
            "/cost": self._cost,
            "/health": lambda: Answer(200, b"ok\n"),
        }

    def answer(self, method: str, target: str) -> Answer:
        """Answer one request."""
        path, _, query = target.partition("?")
        if path.startswith("/cost/"):
            if method != "POST":
                return Answer(405, b"this route takes POST\n")
            return self._factor(path.removeprefix("/cost/"), query)
        if method not in ("GET", "HEAD"):
            return Answer(405, b"this route takes GET\n")
        route = self._routes.get(path)
        return route() if route else Answer(404, b"no such route\n")

    def _cheap(self) -> Answer:
        cost = COSTS["render_greeting"]
        rounds = cost.scaled_rounds
        return Answer(200, cost.account(lambda: render_greeting(rounds)))

    def _heavy(self) -> Answer:
        cost = COSTS["mine_block"]
        self._blocks = number = self._blocks + 1
        rounds = block_rounds(number, cost.scaled_rounds)
        lowest = cost.account(lambda: mine_block(rounds, number))
        return Answer(200, b"%d\n" % lowest)

    def _json(self) -> Answer:
        build, write = COSTS["build_document"], COSTS["write_json"]
        build_rounds, write_rounds = build.scaled_rounds, write.scaled_rounds
        orders = build.account(lambda: build_document(build_rounds))
        text = write.account(lambda: write_json(write_rounds, orders))
        return Answer(200, text, "application/json")

    def _lock(self) -> Answer:
        cost = COSTS["update_ledger"]
        rounds = cost.scaled_rounds
        with self._ledger_lock:
            balance = self._ledger
            self._ledger = balance = cost.account(lambda: update_ledger(rounds, balance))
        return Answer(200, b"%d\n" % balance)

    def _fsync(self) -> Answer:
        cost = COSTS["fill_page"]
        rounds = cost.scaled_rounds
        page = bytearray(PAGE_BYTES)
        cost.account(lambda: fill_page(rounds, page))
        try:
            with tempfile.TemporaryFile(prefix="flashpoint-demo-") as file:
                file.write(page)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Answer(500, f"can't sync: {error.strerror}\n".encode())
        return Answer(200, b"synced\n")

    def _sleep(self) -> Answer:
        time.sleep(0.005)
        return Answer(200, b"slept\n")

    def _cost(self) -> Answer:
        functions = {
            name: {
                "cpu_seconds": cost.cpu_ns / 1e9,
                "calls": cost.calls,
                "factor": cost.factor,
            }
            for name, cost in COSTS.items()
        }
        state = {"functions": functions, "process_cpu_seconds": time.process_time()}
        return Answer(200, json.dumps(state).encode() + b"\n", "application/json")

    def _factor(self, name: str, query: str) -> Answer:
        cost = COSTS.get(name)
        if cost is None:
            return Answer(404, b"no such function\n")
        text = dict(reversed(parse_qsl(query))).get("factor", "")
        if not re.fullmatch(r"(?=.*[0-9])[0-9]*\.?[0-9]*", text, re.ASCII) or not (
            FACTOR_MIN <= float(text) <= FACTOR_MAX
        ):
            return Answer(400, b"factor must be a number from 0.01 to 100\n")
        cost.factor = float(text)
        return self._cost()
