"""The command lines of perf: how recording and printing are asked for, and in which environment.

Recording goes without perf's buffering: samples arrive within a second, and the ring in the kernel
stays large enough for a reader that stalls. Printing asks for no names, which could forge a sample,
and for no inlined functions, which could take minutes.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.process import PIPE, Guard
from collectors.source import SourceError
from collectors.text import sanitise

DEFAULT_EVENT: Final = "cpu-clock"
PROBE_DEADLINE_S: Final = 3.0
WRITE_BYTES: Final = 512
"""What `perf script` prints at once. Less than a stack would cost it more than a tenth."""
PACKAGE_HINT: Final = (
    "install it: apt install linux-perf (Debian), linux-tools-$(uname -r) (Ubuntu), "
    "dnf install perf (Fedora)"
)

_CALL_GRAPH = re.compile(r"fp|lbr|dwarf(,\d{3,5})?")
_EVENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:/=.,\-]{0,127}")
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "PERF_EXEC_PATH", "PERF_BUILDID_DIR")


@dataclass(frozen=True, slots=True)
class PerfOptions:
    """How to profile."""

    frequency_hz: int = 99
    event: str = DEFAULT_EVENT
    call_graph: str = "fp"
    """`fp`, `lbr`, `dwarf` or `dwarf,BYTES`."""
    perf_path: str | None = None
    """The program; looked up on the PATH when None."""
    mmap_pages: int | None = None
    """Size of the ring of each core in pages, a power of two; perf's own choice when None."""

    def __post_init__(self) -> None:
        """Refuse what perf would refuse, or take for something else."""
        if not 1 <= self.frequency_hz <= 100_000:
            raise SourceError(f"perf frequency {self.frequency_hz} Hz is not in 1 to 100000")
        if not _EVENT.fullmatch(self.event):
            raise SourceError(
                f"perf event {sanitise(self.event, 80)!r} is not a name of an event",
                "`perf list` names them; cpu-clock works everywhere",
            )
        if not _CALL_GRAPH.fullmatch(self.call_graph):
            raise SourceError(
                f"call graph {sanitise(self.call_graph, 80)!r} is not known",
                "fp, dwarf, dwarf,BYTES or lbr",
            )


def find_perf(path: str | None = None) -> str:
    """Return the absolute path of perf.

    Raises:
        SourceError: there is none, with the package that brings it.
    """
    found = shutil.which(path or "perf")
    if found is None:
        if path:
            raise SourceError(
                f"perf: {sanitise(path, 200)} is not an executable file", "check the path"
            )
        raise SourceError("perf is not on the PATH", PACKAGE_HINT)
    return os.path.abspath(found)


async def probe_version(guard: Guard, perf: str, deadline_s: float = PROBE_DEADLINE_S) -> str:
    """Return what `perf version` says, like `6.1.187`.

    Raises:
        SourceError: it can't run, fails, or does not answer in time. Ubuntu's wrapper fails where
            the package for the running kernel is missing.
    """
    child = await guard.spawn(
        "perf version", [perf, "version"], env=perf_environment(os.environ), stdout=PIPE
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(deadline_s):
            text = await child.stdout.read(4096)
            status = await child.wait()
    except TimeoutError:
        raise SourceError(
            f"{sanitise(perf, 200)} did not tell its version within {deadline_s:g} s",
            "run `perf version` by hand",
        ) from None
    finally:
        await child.stop(grace_s=0.1)
    version = text.decode(errors="replace").strip()
    if status != 0 or not version.startswith("perf version "):
        raise SourceError(f"{sanitise(perf, 200)} does not work on this kernel", PACKAGE_HINT)
    return sanitise(version.removeprefix("perf version "), 80)


def record_argv(perf: str, options: PerfOptions, pids: Iterable[int]) -> list[str]:
    """Return the command line that records processes and writes the records to its stdout."""
    argv = [
        *record_base(perf),
        f"--freq={options.frequency_hz}",
        f"--event={options.event}",
        f"--call-graph={options.call_graph}",
    ]
    if options.mmap_pages is not None:
        argv.append(f"--mmap-pages={options.mmap_pages}")
    argv.append("--pid=" + ",".join(str(pid) for pid in sorted(set(pids))))
    return argv


def record_base(perf: str) -> list[str]:
    """Return how every recording begins, whatever its event."""
    return [
        *(perf, "record", "--output=-", "--no-buffering"),
        # Times on the session's clock, and a build-id cache left alone. Watching BPF programs would
        # hold up the end by a second.
        *("--clockid=CLOCK_MONOTONIC", "--no-buildid", "--no-bpf-event"),
    ]


def script_argv(perf: str, source: str = "-") -> list[str]:
    """Return the command line that prints records as text, as the decoder reads it.

    Args:
        perf: The program.
        source: A recorded file; stdin by default.
    """
    return [
        *(perf, "script", f"--input={source}", "--fields=pid,tid,time,period,ip,sym,dso"),
        *("--ns", "--show-lost-events", "--no-inline"),
    ]


def writing_soon(argv: Sequence[str]) -> list[str]:
    """Return a command line whose output comes within a few samples, where coreutils is there.

    `perf script` writes when four kilobytes are full: at a quiet target that is many seconds. It
    has no option against it but `--verbose`, which prints other names of C++ functions.
    """
    stdbuf = shutil.which("stdbuf")
    return [*((stdbuf, f"--output={WRITE_BYTES}") if stdbuf else ()), *argv]


def perf_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for perf: what it needs of ours, and nothing that may be secret."""
    passed = {name: environment[name] for name in _PASSED_ON if name in environment}
    # Neither a user's settings nor the language may change what we read; nothing is downloaded.
    return passed | {"LC_ALL": "C", "PERF_CONFIG": "/dev/null", "DEBUGINFOD_URLS": ""}
