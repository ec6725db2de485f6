"""Reads what the built-in server's functions have cost, and changes what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec

from collectors.source import SourceError
from collectors.text import MAX_SYMBOL_BYTES, sanitise

ANSWER_DEADLINE_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 65_536
_HINT: Final = "check that the demo server is still running"


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """What one function has cost since the server started."""

    cpu_seconds: float
    calls: int
    factor: float
    """Its cost as a multiple of the ordinary one."""

    @property
    def cpu_us_per_call(self) -> float:
        """Average CPU time of a call in microseconds; 0 before the first."""
        return 1e6 * self.cpu_seconds / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class CostReport:
    """What the server says about itself."""

    functions: Mapping[str, FunctionCost]
    process_cpu_seconds: float
    """User and system time of the whole process since its start."""


class _Function(msgspec.Struct, frozen=True):
    cpu_seconds: float
    calls: int
    factor: float


class _Report(msgspec.Struct, frozen=True):
    functions: dict[str, _Function]
    process_cpu_seconds: float


async def read_cost(base_url: str) -> CostReport:
    """Ask the server for its costs so far.

    Args:
        base_url: Where it listens, like `http://127.0.0.1:8080`.

    Raises:
        SourceError: it can't be reached or is no demo server.
    """
    return await _ask("GET", base_url, "/cost")


async def set_factor(base_url: str, name: str, factor: float) -> CostReport:
    """Make one function cost `factor` times its ordinary cost from the next call on.

    Args:
        base_url: Where the server listens.
        name: The function, like `mine_block`.
        factor: 0.01 to 100.

    Returns:
        The state after the change.

    Raises:
        SourceError: no such function, a factor out of range, or no demo server there.
    """
    return await _ask("POST", base_url, f"/cost/{quote(name, safe='')}?factor={factor:f}")


async def _ask(method: str, base_url: str, path: str) -> CostReport:
    where = sanitise(base_url, 200)
    timeout = aiohttp.ClientTimeout(total=ANSWER_DEADLINE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, base_url.rstrip("/") + path) as response,
        ):
            body = b""
            async for chunk in response.content.iter_chunked(MAX_ANSWER_BYTES):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise SourceError(f"{where} answered more than a demo server would", _HINT)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        reason = sanitise(str(error) or type(error).__name__, 200)
        raise SourceError(f"no answer from the demo server at {where}: {reason}", _HINT) from None
    if status != 200:
        raise SourceError(f"the demo server answered {status}: {sanitise(body.strip(), 200)}")
    return _decode(body, where)


def _decode(body: bytes, where: str) -> CostReport:
    try:
        report = msgspec.json.decode(body, type=_Report)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SourceError(f"what listens at {where} is no demo server", _HINT) from None
    functions = {
        sanitise(name, MAX_SYMBOL_BYTES): FunctionCost(cost.cpu_seconds, cost.calls, cost.factor)
        for name, cost in report.functions.items()
    }
    return CostReport(functions, report.process_cpu_seconds)
