"""Waits until a server that was just started answers."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from collectors.child import Child
from collectors.process_tree import ProcessTable, list_pids, read_stat
from collectors.sockets import listeners
from collectors.source import Clock, SourceError
from collectors.target import Target, create_time_of, describe
from collectors.text import sanitise

POLL_S: Final = 0.05
REQUEST_S: Final = 2.0

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Readiness:
    """The time between the start of a server and its being ready.

    Args:
        child: The process that was spawned.
        guard_pid: The guard, which adopts what the child leaves behind in the background.
        port: The TCP port it is going to listen on, if known.
        ready_url: Where it is going to answer with a status below 500, if known.
    """

    def __init__(
        self, child: Child, guard_pid: int, port: int | None = None, ready_url: str | None = None
    ) -> None:
        self._child = child
        self._guard_pid = guard_pid
        self._port = port
        self._ready_url = ready_url
        self._table = ProcessTable()
        stat = read_stat(child.pid)
        self._spawned_s = create_time_of(stat) if stat is not None else None

    async def wait(self, clock: Clock, deadline: float) -> Target | None:
        """Return the server once it is ready; None when it ends instead.

        Raises:
            TimeoutError: not ready at the deadline, a moment of `clock`.
        """
        # Only its being there is asked for: no redirects, no proxy, no matter which certificate.
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False, force_close=True),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=REQUEST_S),
        ) as http:
            while True:
                has_ended = self._child.returncode is not None
                roots = self._left_behind() if has_ended else [self._child.pid]
                if not roots:
                    return None
                for root in roots:
                    if await self._is_ready(http, root):
                        target = describe(root, "started")
                        if target is not None:
                            return target
                if clock() >= deadline:
                    raise TimeoutError
                await asyncio.sleep(POLL_S)

    async def _is_ready(self, http: aiohttp.ClientSession, root: int) -> bool:
        if self._ready_url is not None:
            try:
                async with http.get(self._ready_url, allow_redirects=False) as response:
                    return response.status < 500
            except (aiohttp.ClientError, TimeoutError, OSError):
                return False
        ports = await asyncio.to_thread(self._ports_below, root)
        return self._port in ports if self._port is not None else bool(ports)

    def _ports_below(self, root: int) -> tuple[int, ...]:
        self._table.refresh()
        return listeners(self._table.descendants([root]))

    def _left_behind(self) -> list[int]:
        """Return what a server that put itself in the background left: those that listen first.

        They have become the guard's, and began after the spawned process.
        """
        if self._child.returncode != 0 or self._spawned_s is None:
            return []
        found = []
        for pid in list_pids():
            stat = read_stat(pid)
            if (
                stat is not None
                and not stat.gone
                and stat.parent == self._guard_pid
                and create_time_of(stat) >= self._spawned_s
            ):
                found.append(pid)
        return sorted(found, key=lambda pid: not self._ports_below(pid))

    @property
    def waited_for(self) -> str:
        """What the server has to do, as in 'the server was not …'."""
        if self._ready_url is not None:
            return f"answering at {show_url(self._ready_url)}"
        if self._port is not None:
            return f"listening on port {self._port}"
        return "listening on any TCP port"


def show_url(url: str) -> str:
    """Return a URL without user, password and query."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return sanitise(bare.geturl(), 200)


def local_port_of(url: str) -> int | None:
    """Return the port of a URL that leads to this machine by name; None for another machine.

    Raises:
        SourceError: it is not an HTTP URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise SourceError(
            "--ready-url is no HTTP URL", "it looks like http://127.0.0.1:8080/health"
        ) from None
    return port if parts.hostname in ("localhost", "127.0.0.1", "::1") else None
