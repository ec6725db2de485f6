"""How well a running program can be looked into: its file, its owner, its namespaces, its runtime.

Sources: proc_pid_exe(5), proc_pid_maps(5), namespaces(7); the switches that let runtimes tell perf
their names are those of Node's `--perf-basic-prof`, CPython's perf trampoline, .NET's
`DOTNET_PerfMapEnabled`, and the JVM's perf map (`jcmd PID Compiler.perfmap`).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from collectors.elf import Elf, read_elf
from collectors.process_tree import PROC
from collectors.text import sanitise

MAX_MAPS_BYTES: Final = 1 << 20
MAX_ENVIRONMENT_BYTES: Final = 1 << 18
NAMESPACES: Final = ("mnt", "pid", "net")

_DELETED: Final = " (deleted)"


class Runtime(StrEnum):
    """What runs a program whose functions are not in its file."""

    NATIVE = "native"
    NODE = "Node"
    JAVA = "Java"
    PYTHON = "Python"
    DOTNET = ".NET"


_BY_PROGRAM: Final = (
    (Runtime.NODE, re.compile(r"node(js)?(-?\d+)?")),
    (Runtime.JAVA, re.compile(r"java")),
    (Runtime.PYTHON, re.compile(r"python\d*(\.\d+)?")),
    (Runtime.DOTNET, re.compile(r"dotnet")),
)
_BY_LIBRARY: Final = (
    (Runtime.JAVA, re.compile(rb"/libjvm\.so")),
    (Runtime.PYTHON, re.compile(rb"/libpython\d\.\d+\S*\.so")),
    (Runtime.DOTNET, re.compile(rb"/libcoreclr\.so")),
    (Runtime.NODE, re.compile(rb"/libnode\.so")),
)
_VERSION: Final = re.compile(r"python(\d)\.(\d+)")


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """What can be told of a process's program."""

    uid: int | None
    """Whom it belongs to; None where it is gone."""
    program: str
    """The file name of what it runs; sanitised, empty where not permitted."""
    is_readable: bool
    """Whether we may look into the process, as a debugger may."""
    is_deleted: bool
    """Whether its file was deleted or replaced since it started."""
    elf: Elf | None
    """What its file tells; None where that can't be read."""
    foreign_namespaces: tuple[str, ...]
    """Kinds of namespaces that it does not share with us: `mnt`, `pid`, `net`."""
    runtime: Runtime = Runtime.NATIVE
    version: tuple[int, int] | None = None
    """Of the Python that runs it, where its name tells."""
    has_perf_map: bool = False
    """Whether the runtime has written a map of its functions, where perf looks for it."""
    tells_names: bool = False
    """Whether the runtime was started with what makes it tell its functions."""
    keeps_frame_pointers: bool = False
    """Whether the runtime was started with what makes its code keep frame pointers."""


def read_program(pid: int, proc: Path = PROC) -> ProgramFacts:
    """Look at a process; what is not permitted is left out."""
    folder = proc / str(pid)
    uid = None
    with contextlib.suppress(OSError):
        uid = folder.stat().st_uid
    try:
        link = os.readlink(folder / "exe")
    except OSError:
        return ProgramFacts(uid, "", False, False, None, _foreign(pid, proc))
    elf = None
    with contextlib.suppress(OSError, ValueError):
        elf = read_elf(folder / "exe")
    program = os.path.basename(link.removesuffix(_DELETED))
    maps = _read(folder / "maps", MAX_MAPS_BYTES)
    words = _read(folder / "cmdline", MAX_ENVIRONMENT_BYTES).split(b"\0")
    settings = _read(folder / "environ", MAX_ENVIRONMENT_BYTES).split(b"\0")
    runtime = runtime_of(program, maps)
    found = _VERSION.search(f"{program} {maps.decode('utf-8', 'replace')}")
    return ProgramFacts(
        uid=uid,
        program=sanitise(program, 200),
        is_readable=True,
        is_deleted=link.endswith(_DELETED),
        elf=elf,
        foreign_namespaces=_foreign(pid, proc),
        runtime=runtime,
        version=(int(found[1]), int(found[2])) if found and runtime is Runtime.PYTHON else None,
        has_perf_map=_has_perf_map(pid, proc),
        tells_names=tells_names(runtime, words, settings),
        keeps_frame_pointers=runtime is not Runtime.JAVA
        or _is_given(words, settings, b"-XX:+PreserveFramePointer"),
    )


def runtime_of(program: str, maps: bytes) -> Runtime:
    """Tell what runs a program, from its file's name and what it has mapped."""
    for runtime, name in _BY_PROGRAM:
        if name.fullmatch(program):
            return runtime
    for runtime, library in _BY_LIBRARY:
        if library.search(maps):
            return runtime
    return Runtime.NATIVE


def tells_names(runtime: Runtime, words: Sequence[bytes], settings: Collection[bytes]) -> bool:
    """Tell whether a runtime was told to write down its functions for perf.

    Args:
        runtime: Which.
        words: The command line; nothing of it is kept.
        settings: The environment, `NAME=VALUE`; nothing of it is kept.
    """
    match runtime:
        case Runtime.NODE:
            return _is_given(words, settings, b"--perf-basic-prof") or _is_given(
                words, settings, b"--perf-prof"
            )
        case Runtime.JAVA:
            return any(
                _is_given(words, settings, flag)
                for flag in (b"perf-map", b"perfmap", b"libjvmti", b"-XX:+DumpPerfMapAtExit")
            )
        case Runtime.PYTHON:
            is_option = any(
                word == b"-Xperf" or (word == b"-X" and following == b"perf")
                for word, following in zip(words, [*words[1:], b""], strict=True)
            )
            return is_option or any(
                setting.startswith(b"PYTHONPERFSUPPORT=") and setting[18:] not in (b"", b"0")
                for setting in settings
            )
        case Runtime.DOTNET:
            enabled = (b"DOTNET_PerfMapEnabled=", b"COMPlus_PerfMapEnabled=")
            return any(
                setting.startswith(enabled) and setting.rpartition(b"=")[2] not in (b"", b"0")
                for setting in settings
            )
        case Runtime.NATIVE:
            return True


def _is_given(words: Sequence[bytes], settings: Collection[bytes], flag: bytes) -> bool:
    """Tell whether a switch stands on the command line, or in the variables of runtimes."""
    options = (b"NODE_OPTIONS=", b"JAVA_TOOL_OPTIONS=", b"JDK_JAVA_OPTIONS=", b"_JAVA_OPTIONS=")
    given = [setting for setting in settings if setting.startswith(options)]
    own = [word for word in words[1:] if word.startswith(b"-")]
    return any(flag in each for each in (*own, *given))


def _foreign(pid: int, proc: Path) -> tuple[str, ...]:
    found = []
    for kind in NAMESPACES:
        try:
            theirs = os.readlink(proc / str(pid) / "ns" / kind)
            ours = os.readlink(proc / "self/ns" / kind)
        except OSError:
            continue
        if theirs != ours:
            found.append(kind)
    return tuple(found)


def _has_perf_map(pid: int, proc: Path) -> bool:
    """Look for the map under the pid that the process has in its own namespace."""
    status = _read(proc / str(pid) / "status", 8192)
    match = re.search(rb"^NSpid:.*?(\d+)$", status, re.MULTILINE)
    inner = int(match[1]) if match else pid
    try:
        return (proc / str(pid) / "root" / "tmp" / f"perf-{inner}.map").is_file()
    except OSError:
        return False


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError:
        return b""
