"""The program breaks down in order: a terminal as it was, one line, a log, and no secret."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.breaking_program import SECRET_VARIABLE, SOURCE
from tests.integration import program, terminal
from tests.integration.program import flashpoint
from tests.integration.terminal import Pty
from tests.waiting import eventually
from tui.crash import EXIT_BROKEN

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

BREAKING = Path(__file__).parent.parent / "faults" / "breaking_program.py"
STACKS = "main;work 12\nmain;rest 4\n"
SCRIPT = """
import http from 'k6/http';
export const options = { vus: 1, duration: '30s' };
export default function () { http.get(__ENV.TARGET); }
"""
SERVER = """
import sys, http.server as h
h.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()
"""
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l")


class Broken:
    """The program with one part broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self.state = folder / "state"
        self.folder = folder

    def break_it(self, kind: str) -> None:
        """Break a part of what is started from now on."""
        argv = [sys.executable, str(BREAKING), kind]
        root = str(BREAKING.parent.parent.parent)
        self._monkeypatch.setenv("PYTHONPATH", root)
        self._monkeypatch.setenv("FLASHPOINT_STATE_DIR", str(self.state))
        self._monkeypatch.setattr(terminal, "FLASHPOINT", argv)
        self._monkeypatch.setattr(program, "FLASHPOINT", argv)

    async def on_pty(
        self, *arguments: str, env: Mapping[str, str] | None = None, keys: bytes = b""
    ) -> tuple[int, bytes]:
        """Run it on a terminal to its end; keys are pressed once its screen is open."""
        pty = await Pty.start(arguments, env=env)
        try:
            if keys:
                await eventually(lambda: b"\x1b[?1049h" in said(pty), 15)
                await eventually(lambda: self.log or b"work" in said(pty), 15)
                pty.press(keys)
            await eventually(lambda: pty.process.returncode is not None, 30)
            status = pty.process.returncode
            assert status is not None
            return status, said(pty)
        finally:
            await pty.close()

    @property
    def log(self) -> str:
        """What is in the log."""
        path = self.state / "flashpoint.log"
        return path.read_text() if path.exists() else ""

    def stacks(self) -> str:
        """Return a file of stacks to look at."""
        path = self.folder / "stacks.folded"
        path.write_text(STACKS)
        return str(path)

    def assert_log_tells(self) -> None:
        """The log has what broke, for its owner only, and without secrets."""
        assert "LookupError" in self.log
        assert "in broken" in self.log
        assert oct((self.state / "flashpoint.log").stat().st_mode)[-4:] == "0600"
        assert oct(self.state.stat().st_mode)[-4:] == "0700"
        assert_no_secret(self.log.encode())


def said(pty: Pty) -> bytes:
    """Return all that was written to a terminal."""
    return b"".join(chunk.data for chunk in pty.chunks)


def assert_no_secret(data: bytes) -> None:
    """Neither of the variable nor of the line of source."""
    assert SECRET_VARIABLE.encode() not in data
    assert SOURCE.encode() not in data
    assert "─ locals".encode() not in data


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Broken:
    return Broken(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "kind",
    [
        "widget",
        "compose",
        "screen",
        "worker",
        "thread worker",
        "timer",
        "callback",
        "keys",
    ],
)
@pytest.mark.parametrize("is_debug", [False, True], ids=["plain", "debug"])
async def test_what_breaks_on_the_screen_ends_in_one_line(
    broken: Broken, kind: str, is_debug: bool
) -> None:
    broken.break_it(kind)
    arguments = ["flame", broken.stacks(), *(["--debug"] if is_debug else [])]
    status, written = await broken.on_pty(*arguments)
    assert status == EXIT_BROKEN
    assert_no_secret(written)
    last = written.rpartition(b"\x1b[?1049l")[2]
    for mode in RESTORED:
        assert mode in written
    assert last.count(b"broke down") == 1
    assert b"flashpoint.log" in last
    assert b"LookupError" in last
    assert (b"in broken" in last.partition(b"\n")[2]) == is_debug
    if not is_debug:
        assert last.strip().count(b"\n") == 0
    broken.assert_log_tells()


async def test_a_stylesheet_that_is_broken_ends_in_one_line(broken: Broken) -> None:
    broken.break_it("style")
    status, written = await broken.on_pty("flame", broken.stacks())
    assert status == EXIT_BROKEN
    assert written.count(b"broke down") == 1
    assert written.strip().count(b"\n") == 0
    assert_no_secret(written)


@pytest.mark.parametrize("kind", ["task", "loop callback", "thread"])
async def test_what_breaks_beside_the_screen_is_in_the_log(broken: Broken, kind: str) -> None:
    broken.break_it(kind)
    status, written = await broken.on_pty("flame", broken.stacks(), keys=b"q")
    assert status == 0
    assert_no_secret(written)
    broken.assert_log_tells()


@pytest.mark.parametrize("kind", ["start", "import"])
async def test_what_breaks_at_the_start_is_one_line(broken: Broken, kind: str) -> None:
    broken.break_it(kind)
    finished = await flashpoint("ls")
    assert finished.returncode == EXIT_BROKEN
    assert finished.stderr.count("\n") == 1
    assert "broke down" in finished.stderr
    assert_no_secret((finished.stderr + finished.stdout + broken.log).encode())


@pytest.mark.parametrize("variable", [True, False])
async def test_a_log_that_cant_be_written_costs_nothing(broken: Broken, variable: bool) -> None:
    broken.state.write_text("no folder")
    broken.break_it("start")
    finished = await flashpoint("ls", env={"FLASHPOINT_DEBUG": "1"} if variable else {})
    assert finished.returncode == EXIT_BROKEN
    assert "there is no log" in finished.stderr
    assert (finished.stderr.count("\n") > 1) == variable
    assert_no_secret(finished.stderr.encode())


async def test_without_a_fault_there_is_no_log(broken: Broken) -> None:
    broken.break_it("none")
    finished = await flashpoint("ls", "--debug")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert not broken.state.exists()


@pytest.mark.parametrize("is_killed_by", ["view", "collector"])
async def test_k6_says_its_summary_whatever_breaks(
    broken: Broken, unused_port: int, is_killed_by: str
) -> None:
    """The screen breaks at once; without a collector the run goes on to its end."""
    broken.break_it(is_killed_by)
    script = broken.folder / "s.js"
    script.write_text(SCRIPT)
    pty = await Pty.start(
        [
            *("run", str(script), "--port", str(unused_port), "--no-profile"),
            *("--duration", "2s", "--no-record"),
            f"--k6-arg=-eTARGET=http://127.0.0.1:{unused_port}",
            *("--", sys.executable, "-c", SERVER, str(unused_port)),
        ]
    )
    try:
        if is_killed_by == "collector":
            await eventually(lambda: b"broke down" in said(pty) and b"stopped" in said(pty), 30)
            pty.press(b"q")
        await eventually(lambda: pty.process.returncode is not None, 30)
        written = said(pty)
    finally:
        await pty.close()
    assert pty.process.returncode == EXIT_BROKEN, written[-2000:]
    last = written.rpartition(b"\x1b[?1049l")[2]
    assert last.strip().splitlines()[-1].startswith(b"flashpoint: ")
    assert last.count(b"broke down") == 1, last
    assert b"http_reqs" in last, last
    assert_no_secret(written)
    broken.assert_log_tells()
