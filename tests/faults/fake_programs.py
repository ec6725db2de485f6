"""Stands in for k6 and perf: small programs that speak as much as is needed, and misbehave.

They are written to a folder, as executable files that need Python's standard library only.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PUSH: Final = Path(__file__).parents[1] / "data" / "k6_push_2.bin"

_PROGRAM: Final = """
    import ctypes, json, os, signal, struct, sys, threading, time, urllib.request
    name, stamps, manner, push = {name!r}, {stamps!r}, {manner!r}, {push!r}

    def stamp(what):
        line = json.dumps([what, os.getpid(), time.monotonic()]) + "\\n"
        with open(stamps, "a") as file:
            file.write(line)

    def runaway():
        # Two forks and a session of its own: nothing that was started knows of it any more.
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(signum, signal.SIG_IGN)
                stamp("runaway")
                time.sleep(600)
            os._exit(0)
        os.wait()

    def stay():
        while True:
            if "busy" in manner:
                sum(range(10_000))
            else:
                time.sleep(0.05)

    def push_on():
        body = open(push, "rb").read()
        env = os.environ
        while True:
            request = urllib.request.Request(
                env["K6_PROMETHEUS_RW_SERVER_URL"],
                body,
                {{
                    "Authorization": "Bearer " + env["K6_PROMETHEUS_RW_BEARER_TOKEN"],
                    "Content-Encoding": "snappy",
                    "Content-Type": "application/x-protobuf",
                }},
            )
            try:
                urllib.request.urlopen(request, timeout=2).read()
            except OSError:
                pass
            time.sleep(0.2)

    def take(signum, frame):
        stamp(signal.Signals(signum).name)
        if "stubborn" not in manner:
            os._exit(105 if name == "k6" else 0)

    def hold_event():
        # An open perf event of the kernel, which is how one sees that perf is attached.
        attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 64, 0).ljust(64, b"\\0"))
        ctypes.CDLL(None).syscall(298, attributes, 0, -1, -1, 0)

    if "version" in sys.argv[1:2]:
        print("k6 v1.1.0 (fake)" if name == "k6" else "perf version 6.1.0")
        sys.exit(0)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, take)
    stamp(" ".join([name, *sys.argv[1:2]]))
    if "runaway" in manner:
        runaway()
    if name == "k6" and push:
        threading.Thread(target=push_on, daemon=True).start()
    if name == "perf" and sys.argv[1] == "record":
        hold_event()
    stay()
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a fake program noted: that it began, or got a signal."""

    what: str
    pid: int
    at: float
    """`time.monotonic()`, the same clock for all processes."""


@dataclass(frozen=True, slots=True)
class Fakes:
    """A folder with a fake k6, a fake perf and a script to run.

    Attributes:
        folder: Put it first on the PATH for the fake perf.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path, manner: str = "", *, pushes: bool = True) -> Fakes:
        """Write the programs.

        Args:
            folder: An empty one.
            manner: Words out of `stubborn` (INT and TERM are ignored), `runaway` (a grandchild in
                a session of its own, that ignores signals), `busy` (computes).
            pushes: Whether k6 sends metrics.
        """
        folder.mkdir(exist_ok=True)
        for name in ("k6", "perf"):
            text = textwrap.dedent(_PROGRAM).format(
                name=name,
                stamps=str(folder / "stamps"),
                manner=manner,
                push=str(PUSH) if pushes else "",
            )
            path = folder / name
            path.write_text(f"#!{sys.executable} -IS\n{text}")
            path.chmod(0o755)
        (folder / "s.js").write_text("export default function () {}\n")
        return cls(folder)

    def arguments(self) -> list[str]:
        """Return how the program runs the fake k6."""
        named = ["run", str(self.folder / "s.js"), "--k6", str(self.folder / "k6")]
        return [*named, "--as-written", "--no-record"]

    def stamps(self) -> list[Stamp]:
        """Return what the fakes have noted so far."""
        return list(self._read())

    def noted(self, what: str) -> list[Stamp]:
        """Return the notes of one kind."""
        return [each for each in self.stamps() if each.what == what]

    def _read(self) -> Iterator[Stamp]:
        path = self.folder / "stamps"
        if path.exists():
            for line in path.read_text().splitlines():
                yield Stamp(*json.loads(line))
