"""Starts, signals and awaits child processes, all of them through the guard.

No other module starts a process, but for that of the guard itself (`collectors.guard_start`). A
child is never left behind: whatever becomes of this process, the guard (see `collectors.guard`)
ends what it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import termios
from collections.abc import Mapping, Sequence
from typing import Any, Final

from collectors.child import Child
from collectors.session_cgroup import END_DEADLINE_S, POLL_S, SessionCgroup
from collectors.source import SourceError
from collectors.text import sanitise

PIPE: Final = -1
"""As `stdout` or `stderr`: read it through the child's stream of that name."""
STDOUT: Final = -2
"""As `stderr`: the same place as `stdout`."""

STREAM_LIMIT_BYTES: Final = 1 << 18
BYE_DEADLINE_S: Final = 8.0
OUT_OF: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
LIMITS_HINT: Final = "look at the limits on processes (ulimit -u) and open files (ulimit -n)"


class Guard:
    """Our end of the connection to the guard process.

    Args:
        connection: To it.
        process: The keeper, its parent.
        farewell: A pipe to both; closed without a byte, it tells them that we were killed.
    """

    def __init__(
        self, connection: socket.socket, process: asyncio.subprocess.Process, farewell: int
    ) -> None:
        self._connection = connection
        self._process = process
        self._farewell = farewell
        self._cgroup: SessionCgroup | None = None
        self._pid = process.pid
        self._is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.Event()
        self._pending: dict[int, tuple[str, asyncio.Future[Child]]] = {}
        self._children: dict[int, Child] = {}
        self._next_id = 0
        self._gone = False
        self._outgoing: asyncio.Queue[tuple[bytes, list[int]]] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._read(), name="guard reader"),
            asyncio.create_task(self._write(), name="guard writer"),
        ]
        self._over = asyncio.create_task(self._end_what_is_left(), name="guard end")

    @property
    def pid(self) -> int:
        """The guard's own process id; its parent, the keeper, is `keeper_pid`."""
        return self._pid

    @property
    def keeper_pid(self) -> int:
        """The process that ends what a killed guard leaves."""
        return self._process.pid

    @property
    def cgroup_folder(self) -> str | None:
        """Where the control group of all children is mounted; None where there is none of ours."""
        return None if self._cgroup is None else self._cgroup.folder

    async def ready(self) -> None:
        """Wait until it serves.

        Raises:
            SourceError: it has ended instead.
        """
        await self._is_ready

    async def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        core: bool = False,
    ) -> Child:
        """Start a program, without a shell, with the user's own umask.

        Args:
            name: What it is to us, for messages.
            argv: Program (looked up on the PATH of `env`) and arguments.
            env: Its whole environment; ours when None.
            cwd: Where it runs; here when None.
            stdin: A descriptor to read from; None for nothing.
            stdout: `PIPE`, a descriptor to write to (close your own copy afterwards), or None.
            stderr: As `stdout`, or `STDOUT`.
            core: Whether it is the user's own, and may leave a core dump where the user lets it.

        Raises:
            SourceError: the program can't be executed, or the guard is gone.
        """
        pipes: dict[str, int] = {}
        passed: list[int] = []
        owned: list[int] = []

        def index_of(stream: str, value: int | None) -> int | None:
            if value is None:
                return None
            if value == PIPE:
                pipes[stream], value = os.pipe2(os.O_CLOEXEC)
                owned.append(value)
            passed.append(value)
            return len(passed) - 1

        indexes = [index_of("stdin", stdin), index_of("stdout", stdout)]
        indexes.append(indexes[1] if stderr == STDOUT else index_of("stderr", stderr))
        try:
            child = await self._request(name, argv, env, cwd, indexes, passed, core)
        except BaseException:
            for fd in pipes.values():
                os.close(fd)
            raise
        finally:
            for fd in owned:
                os.close(fd)
        if "stdout" in pipes:
            child.stdout = await _stream(pipes["stdout"])
        if "stderr" in pipes:
            child.stderr = await _stream(pipes["stderr"])
        return child

    async def _request(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        cwd: str | None,
        indexes: list[int | None],
        passed: list[int],
        core: bool,
    ) -> Child:
        self._next_id += 1
        number = self._next_id
        answer: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._pending[number] = (name, answer)
        message = {
            "op": "spawn",
            "id": number,
            "argv": list(argv),
            "env": dict(os.environ if env is None else env),
            "cwd": cwd,
            "fds": indexes,
            "fd_count": len(passed),
            "core": core,
        }
        try:
            if self._gone:
                raise OSError("the guard process has ended")
            self._send(message, passed)
            return await answer
        except OSError as error:
            if self._gone:
                raise SourceError(
                    f"{name}: the guard process has ended", "leave, and start flashpoint again"
                ) from None
            program = sanitise(argv[0], 200)
            is_limit = error.errno in OUT_OF
            raise SourceError(
                f"{name}: can't start {program}: {error.strerror or error}",
                LIMITS_HINT if is_limit else "check that the file exists and is executable",
            ) from None
        finally:
            self._pending.pop(number, None)

    def signal(self, pid: int, signum: int, *, group: bool = False) -> None:
        """Signal a child of ours, or its whole process group."""
        self._send({"op": "signal", "pid": pid, "signum": int(signum), "group": group})

    def watch_terminal(self, fd: int) -> None:
        """Let the guard restore the terminal's present modes, should we die with a screen open.

        Args:
            fd: The terminal; it must stay open.
        """
        attributes = termios.tcgetattr(fd)
        # Control characters come as bytes or numbers; JSON takes numbers.
        attributes[6] = [c if isinstance(c, int) else ord(c) for c in attributes[6]]
        self._send({"op": "terminal", "attributes": attributes}, [fd])

    def screen(self, *, is_open: bool) -> None:
        """Tell the guard that our screen has opened or closed."""
        self._send({"op": "screen", "open": is_open})

    def remove_folder(self, path: str) -> None:
        """Let the guard remove a folder of ours, should we die before we do it ourselves."""
        self._send({"op": "folder", "path": path})

    async def close(self) -> None:
        """Say goodbye: the guard ends whatever is still running, then itself."""
        self._send({"op": "bye"})
        with contextlib.suppress(OSError):
            os.write(self._farewell, b"!")
        await asyncio.wait([self._over], timeout=BYE_DEADLINE_S)
        for task in (*self._tasks, self._over):
            task.cancel()
        await asyncio.gather(*self._tasks, self._over, return_exceptions=True)
        os.close(self._farewell)
        self._connection.close()
        self._lost()

    async def _end_what_is_left(self) -> None:
        """Wait for the end of guard and keeper; should both have been killed, do their work."""
        await self._ended.wait()
        await self._process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_DEADLINE_S):
                while self._cgroup is not None and not self._cgroup.remove():
                    self._cgroup.kill()
                    await asyncio.sleep(POLL_S)

    def _send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        self._outgoing.put_nowait((json.dumps(message).encode(), list(fds)))

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                data, fds = await self._outgoing.get()
                # The descriptors travel with the length, in one message of their own.
                while True:
                    try:
                        socket.send_fds(self._connection, [len(data).to_bytes(4, "big")], fds)
                        break
                    except BlockingIOError:
                        await self._writable(loop)
                await loop.sock_sendall(self._connection, data)

    async def _writable(self, loop: asyncio.AbstractEventLoop) -> None:
        writable = asyncio.Event()
        loop.add_writer(self._connection, writable.set)
        try:
            await writable.wait()
        finally:
            loop.remove_writer(self._connection)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        buffer = b""
        while True:
            try:
                data = await loop.sock_recv(self._connection, 65536)
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            buffer += data
            while len(buffer) >= 4:
                end = 4 + int.from_bytes(buffer[:4], "big")
                if len(buffer) < end:
                    break
                self._take(json.loads(buffer[4:end]))
                buffer = buffer[end:]

    def _take(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "ready":
                self._pid = message["pid"]
                if message["cgroup"] is not None:
                    self._cgroup = SessionCgroup(message["cgroup"])
                self._is_ready.set_result(None)
            case "spawned":
                pid = message["pid"]
                name, answer = self._pending.get(message["id"], ("", None))
                if answer is None or answer.done():  # whoever asked was cancelled
                    self.signal(pid, signal.SIGKILL, group=True)
                    return
                # Made here, not by the one who asked: its exit may be the very next message.
                self._children[pid] = Child(self, name, pid)
                answer.set_result(self._children[pid])
            case "failed":
                _, answer = self._pending.get(message["id"], ("", None))
                if answer is not None and not answer.done():
                    answer.set_exception(OSError(message["errno"], message["message"]))
            case "exited":
                child = self._children.pop(message["pid"], None)
                if child is not None:
                    child.set_ended(message["returncode"])

    def _lost(self) -> None:
        """The guard is gone; the kernel has killed its children with it."""
        self._gone = True
        self._ended.set()
        if not self._is_ready.done():
            self._is_ready.set_exception(no_guard("it ended at once"))
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(OSError("the guard process has ended"))
        for child in self._children.values():
            child.set_ended(-signal.SIGKILL)
        self._children.clear()


async def _stream(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=STREAM_LIMIT_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    return reader


def no_guard(reason: str) -> SourceError:
    """Return the error that tells why there is no guard."""
    return SourceError(
        f"can't start the guard process: {reason}",
        LIMITS_HINT,
    )
