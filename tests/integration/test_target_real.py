"""Real servers: found, started and followed by the processes and sockets they have."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from collectors.process import PIPE, Guard
from collectors.process_tree import read_stat
from collectors.samples import LogLine, Sample, SourceState, SourceStatus
from collectors.sockets import pid_listening_on
from collectors.source import SourceError
from collectors.target import (
    Target,
    attach_pid,
    attach_port,
    describe,
    find_target,
    program_of,
    tree_of,
)
from collectors.target_start import StartedTarget, start_target
from collectors.target_successor import Likeness
from collectors.target_watch import TargetWatch
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(30)]

SERVER = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
print(listening.getsockname()[1], flush=True)
held = []
while True:
    held.append(listening.accept()[0])
"""
PREFORK = """
import os, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for _ in range(3):
    if os.fork() == 0:
        held = []
        while True:
            held.append(listening.accept()[0])
print(listening.getsockname()[1], flush=True)
time.sleep(600)
"""
DAEMON = """
import os, socket, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
for fd in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), fd)
time.sleep(0.2)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""
HTTP = """
import http.server, sys
answers = [503, 503, 200]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""

Start = Callable[..., tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server as somebody else would have; answers its process and port."""
    running: list[subprocess.Popen[bytes]] = []

    def start_one(script: str = SERVER, port: int = 0) -> tuple[subprocess.Popen[bytes], int]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(port), "--token=secret"],
            stdout=subprocess.PIPE,
            process_group=0,
        )
        running.append(process)
        assert process.stdout
        return process, int(process.stdout.readline())

    yield start_one
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def start_server(
    guard: Guard,
    script: str,
    *arguments: object,
    logs: list[LogLine] | None = None,
    **options: object,
) -> StartedTarget:
    return await start_target(
        guard,
        [sys.executable, "-c", script, *map(str, arguments)],
        clock=time.monotonic,
        emit_log=(logs if logs is not None else []).append,
        **options,  # type: ignore[arg-type]
    )


class Disguised:
    """Lets one process look like another program."""

    def __init__(self, pid: int, likeness: Likeness) -> None:
        self._pid, self._likeness = pid, likeness

    def __call__(self, pid: int) -> Likeness:
        found = Likeness(program_of(pid), "python", ())
        return self._likeness if pid == self._pid else found


class Followed:
    """What a watch said so far."""

    def __init__(self, watch: TargetWatch) -> None:
        self.watch = watch
        self.samples: list[Sample] = []
        self.changes: list[Target] = []

    def said(self, state: SourceState, words: str) -> bool:
        return any(
            one.state is state and words in one.message
            for one in self.samples
            if isinstance(one, SourceStatus)
        )


@asynccontextmanager
async def following(watch: TargetWatch) -> AsyncIterator[Followed]:
    followed = Followed(watch)
    task = asyncio.create_task(watch.run(followed.samples.append, followed.changes.append))
    try:
        yield followed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_attach_by_pid(start: Start) -> None:
    """A running server is described by its pid, without its arguments' text."""
    server, port = start()
    target = attach_pid(server.pid)
    assert (target.pid, target.ports, target.how) == (server.pid, (port,), "pid")
    assert not target.started_by_us
    assert "secret" not in repr(target)
    assert target.command.endswith("(4 arguments)")
    assert str(target) == f"{target.name} (pid {server.pid}), port {port}"


def test_attach_by_port_takes_the_master(start: Start) -> None:
    """Of a master and its workers, which share a socket, the master is the target."""
    server, port = start(PREFORK)
    target = attach_port(port)
    assert (target.pid, target.ports, target.how) == (server.pid, (port,), "port")
    assert len(tree_of(target.pid)) == 4


def test_attach_refuses_what_is_not_there(free_port: int) -> None:
    """A pid or port of nobody, and our own process, are errors in plain words."""
    with pytest.raises(SourceError, match="no running process"):
        attach_pid(2**22 + 1)
    with pytest.raises(SourceError, match="nobody listens on port"):
        attach_port(free_port)
    with pytest.raises(SourceError, match="own"):
        attach_pid(os.getpid())


@pytest.mark.parametrize("script", [SERVER, PREFORK])
async def test_found_from_connections(start: Start, script: str) -> None:
    """The server with the most connections of the generator wins, as its master."""
    other, other_port = start()
    server, port = start(script)
    with contextlib.ExitStack() as stack:
        stack.enter_context(socket.create_connection(("127.0.0.1", other_port)))
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        search = await find_target([os.getpid()], (), time.monotonic, 5.0, poll_s=0.02)
        assert search.target is not None
        assert (search.target.pid, search.target.how) == (server.pid, "found")
        ignoring = await find_target([os.getpid()], [port], time.monotonic, 5.0, poll_s=0.02)
        assert ignoring.target is not None
        assert ignoring.target.pid == other.pid


async def test_not_found_says_where_connections_go(start: Start) -> None:
    """Without a local peer the answer is none, and the hint names the options."""
    server, port = start()
    nothing = await find_target([os.getpid()], (), time.monotonic, 0.05, poll_s=0.02)
    assert nothing.target is None
    assert "--pid" in nothing.hint
    with socket.create_connection(("127.0.0.1", port)):
        search = await find_target(
            [os.getpid()], (), time.monotonic, 0.05, never=[server.pid], poll_s=0.02
        )
    assert search.target is None
    assert f"127.0.0.1:{port}" in search.message


async def test_started_by_port(guard: Guard, free_port: int) -> None:
    """A server of ours is ready when it listens; it is gone after the stop, its words kept."""
    logs: list[LogLine] = []
    started = await start_server(guard, SERVER, free_port, logs=logs, port=free_port)
    assert started.target.ports == (free_port,)
    assert started.target.started_by_us
    assert pid_listening_on(free_port) == started.target.pid
    await eventually(lambda: logs)
    assert (logs[0].source, logs[0].text) == ("target", str(free_port))
    assert await started.stop() == -signal.SIGTERM
    assert read_stat(started.target.pid) is None


async def test_started_without_a_port_is_ready_on_any(guard: Guard) -> None:
    """Without options the first TCP port of its tree makes it ready."""
    started = await start_server(guard, PREFORK, 0)
    assert started.target.pid == started.child.pid
    assert len(started.target.ports) == 1
    family = tree_of(started.target.pid)
    await started.stop()
    assert [pid for pid in family if (stat := read_stat(pid)) and not stat.gone] == []


async def test_ready_url_waits_for_an_answer_below_500(guard: Guard, free_port: int) -> None:
    """A server that listens but answers 503 is not ready yet."""
    url = f"http://127.0.0.1:{free_port}/health"
    started = await start_server(guard, HTTP, free_port, ready_url=url)
    assert started.target.ports == (free_port,)
    await started.stop()


async def test_a_server_that_never_listens(guard: Guard, free_port: int) -> None:
    """The error has what was waited for and the server's last words; nothing is left running."""
    script = "import os, time; print('warming', os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(SourceError, match="not listening on port") as caught:
        await start_server(guard, script, port=free_port, ready_timeout_s=0.5)
    assert "last line: warming" in caught.value.message
    assert "--ready-timeout" in caught.value.hint
    assert read_stat(int(caught.value.message.rsplit(maxsplit=1)[-1])) is None


async def test_a_server_that_ends_early(guard: Guard) -> None:
    """Its exit status and its last line are in the error."""
    script = "import sys; print('no config\\x1b[2J', file=sys.stderr); sys.exit(3)"
    with pytest.raises(SourceError, match="exited with status 3") as caught:
        await start_server(guard, script)
    assert "no config␛[2J" in caught.value.message


async def test_a_taken_port_is_refused(guard: Guard, start: Start) -> None:
    """Nothing is started when somebody else has the port, and the error says who."""
    server, port = start()
    with pytest.raises(SourceError, match=f"taken by .* \\(pid {server.pid}\\)"):
        await start_server(guard, SERVER, port, port=port)
    with pytest.raises(SourceError, match="taken by"):
        await start_server(guard, HTTP, port, ready_url=f"http://localhost:{port}/")


async def test_a_server_that_goes_into_the_background(guard: Guard, free_port: int) -> None:
    """What a server leaves in the background is the target, and ends with the stop."""
    started = await start_server(guard, DAEMON, free_port, port=free_port)
    assert started.target.pid != started.child.pid
    assert pid_listening_on(free_port) == started.target.pid
    await started.stop()
    assert pid_listening_on(free_port) is None


async def test_watch_follows_restarts_on_the_same_port(start: Start) -> None:
    """The end is told within two seconds, and the next life is taken, again and again."""
    server, port = start()
    watch = TargetWatch(attach_port(port), clock=time.monotonic, poll_s=0.05)

    async def live_again(old: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        generation = watch.generation + 1
        old.kill()
        old.wait()
        end = f"(pid {old.pid}) ended, waiting for it to come back on port {port}"
        await eventually(lambda: followed.said(SourceState.DEGRADED, end), 2.0)
        assert watch.pids() == ()
        new, _ = start(port=port)
        await eventually(lambda: len(followed.changes) == generation - 1, 3.0)
        assert watch.generation == generation
        assert watch.target == followed.changes[-1]
        assert watch.pids() == (new.pid,)
        return new

    async with following(watch) as followed:
        await eventually(lambda: followed.samples)
        for _ in range(5):
            server = await live_again(server)
        assert followed.said(SourceState.LIVE, f"restarted as pid {server.pid} (6th generation)")


async def test_watch_does_not_take_a_stranger(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program on the same port is told once, and never taken for the target."""
    server, port = start()
    target = attach_pid(server.pid)
    rust = Likeness("api", "api", (b"./api", b"--port"))
    monkeypatch.setattr(Likeness, "of", Disguised(server.pid, rust))
    watch = TargetWatch(target, clock=time.monotonic, poll_s=0.02)
    async with following(watch) as followed:
        await eventually(lambda: followed.samples)
        server.kill()
        server.wait()
        await eventually(lambda: followed.said(SourceState.DEGRADED, "waiting"))
        stranger, _ = start(port=port)
        words = f"port {port} now belongs to python (pid {stranger.pid})"
        await eventually(lambda: followed.said(SourceState.DEGRADED, words))
        assert watch.generation == 1
        assert followed.changes == []


async def test_watch_finds_a_target_without_ports_by_its_command(guard: Guard) -> None:
    """A target that listens nowhere comes back as a process with the same command line."""
    argv = [sys.executable, "-c", "import time; time.sleep(600)", "worker-of-this-test"]
    first = await guard.spawn("target", argv)
    watch = TargetWatch(attach_pid(first.pid), clock=time.monotonic, poll_s=0.05)
    async with following(watch) as followed:
        await eventually(lambda: followed.samples)
        await first.stop(signal.SIGKILL)
        await eventually(lambda: followed.said(SourceState.DEGRADED, "waiting"))
        second = await guard.spawn("target", argv)
        await eventually(lambda: followed.changes, 3.0)
        assert watch.target.pid == second.pid


async def test_watch_knows_the_exit_status_of_a_child(guard: Guard) -> None:
    """The end of a server of ours is told with its signal or status."""
    started = await start_server(guard, SERVER, 0)
    watch = TargetWatch(started.target, clock=time.monotonic, child=started.child, poll_s=0.05)
    async with following(watch) as followed:
        await eventually(lambda: followed.samples)
        started.child.send_signal(signal.SIGSEGV)
        await eventually(lambda: followed.said(SourceState.DEGRADED, "was ended by SIGSEGV"))
    await started.stop()


async def test_watch_that_can_not_look_says_so(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the sockets can't be read any more the watch fails as a status, not as an error."""
    server, _ = start()
    watch = TargetWatch(attach_pid(server.pid), clock=time.monotonic, poll_s=0.02)

    def unreadable(_: object) -> tuple[int, ...]:
        raise SourceError("no sockets", "name it")

    monkeypatch.setattr("collectors.target_watch.listeners", unreadable)
    async with following(watch) as followed:
        await eventually(lambda: followed.said(SourceState.FAILED, "no sockets"))


async def test_watch_goes_on_with_the_workers(start: Start) -> None:
    """When a master ends and its workers hold the port still, one of them carries on."""
    server, port = start(PREFORK)
    watch = TargetWatch(attach_port(port), clock=time.monotonic, poll_s=0.05)
    workers = set(watch.pids()) - {server.pid}
    async with following(watch) as followed:
        await eventually(lambda: followed.samples)
        server.kill()
        server.wait()
        await eventually(lambda: followed.changes)
        assert watch.target.pid in workers
        assert set(watch.pids()) == workers
        assert watch.generation == 1


async def test_watch_sees_ports_that_come_later(guard: Guard) -> None:
    """A target that listens only some time after it was attached gets its port."""
    reading, writing = os.pipe()
    argv = [sys.executable, "-c", f"import sys\nsys.stdin.read(1)\n{SERVER}", "0"]
    server = await guard.spawn("target", argv, stdin=reading, stdout=PIPE)
    os.close(reading)
    assert server.stdout
    watch = TargetWatch(attach_pid(server.pid), clock=time.monotonic, poll_s=0.05)
    assert watch.target.ports == ()
    async with following(watch) as followed:
        os.write(writing, b"x")
        port = int(await server.stdout.read(100))
        await eventually(lambda: followed.said(SourceState.LIVE, f"port {port}"))
    os.close(writing)


def test_a_process_that_has_ended_is_not_described() -> None:
    """A zombie is no target."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert describe(ended.pid, "pid") is None
