"""Decides which built-in server runs, and compiles it where there is a Rust compiler.

A binary is kept in a cache folder of our own under a name that depends on its source, the
compiler's version and the flags; what is there is used again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from collectors.child import Child
from collectors.process import PIPE, STDOUT, Guard
from collectors.source import SourceError
from collectors.text import sanitise

RUST_SOURCE: Final = Path(__file__).with_name("server.rs")
SCRIPT: Final = Path(__file__).with_name("script.js")
RUST_FLAGS: Final = (
    *("--edition", "2021"),
    *("--crate-name", "flashpoint_demo"),
    *("-C", "opt-level=2"),
    *("-C", "force-frame-pointers=yes"),
    *("-C", "debuginfo=1"),
    *("-C", "symbol-mangling-version=v0"),
)
START_DEADLINE_S: Final = 10.0
VERSION_DEADLINE_S: Final = 30.0
COMPILE_DEADLINE_S: Final = 180.0
MAX_OUTPUT_BYTES: Final = 65_536
_LISTENING: Final = re.compile(r"listening on 127\.0\.0\.1:([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class DemoServer:
    """How to start the built-in server."""

    argv: tuple[str, ...]
    """Program and arguments; append a port, or nothing for one that is free."""
    language: Literal["rust", "python"]
    note: str
    """One line for the screen: what the operator should know about this choice; may be empty."""


class _NoRustError(Exception):
    """Why there is no Rust server; one line."""


def script_path() -> Path:
    """Return the k6 script that loads the built-in server."""
    return SCRIPT


def listening_port(line: str) -> int | None:
    """Return the port that the built-in server says it listens on.

    Args:
        line: One line of its standard output.
    """
    match = _LISTENING.fullmatch(line.strip())
    return int(match[1]) if match else None


async def demo_command(
    guard: Guard,
    cache_dir: Path,
    emit_log: Callable[[str], None],
    *,
    path: str | None = None,
) -> DemoServer:
    """Find or build the built-in server.

    Args:
        guard: Starts the compiler.
        cache_dir: Keeps the binary; made with mode 0700 where it is missing.
        emit_log: Takes lines for the log: what is being done, and the compiler's messages.
        path: Where to look for rustc, as in PATH; the environment's when None.
    """
    try:
        rustc = shutil.which("rustc", path=path)
        if rustc is None:
            raise _NoRustError("no rustc on PATH")
        binary = await _rust_binary(guard, rustc, cache_dir, emit_log)
    except _NoRustError as reason:
        return _python_server(str(reason))
    return DemoServer(argv=(str(binary),), language="rust", note="")


def _python_server(reason: str) -> DemoServer:
    note = f"{reason}: Python server, a fraction of the rate"
    flags: tuple[str, ...] = ()
    if sys.version_info < (3, 12) or not sysconfig.get_config_var("PY_HAVE_PERF_TRAMPOLINE"):
        note += "; its functions show in the profile with py-spy or Python ≥ 3.12 only"
    else:
        flags = ("-X", "perf")
        if "no-omit-frame-pointer" not in str(sysconfig.get_config_var("PY_CORE_CFLAGS")):
            note += "; its functions show with py-spy only: this Python has no frame pointers"
    argv = (sys.executable, *flags, "-P", "-m", "tui.demo.server")
    return DemoServer(argv, "python", note)


async def _rust_binary(
    guard: Guard, rustc: str, cache_dir: Path, emit_log: Callable[[str], None]
) -> Path:
    status, version = await _run(guard, [rustc, "-vV"], VERSION_DEADLINE_S)
    if status != 0:
        raise _NoRustError(f"rustc does not run ({_first_line(version)})")
    source = RUST_SOURCE.read_bytes()
    key = hashlib.sha256(b"\0".join([source, version, " ".join(RUST_FLAGS).encode()]))
    folder = cache_dir / f"demo-{key.hexdigest()[:24]}"
    _own_folder(cache_dir)
    _own_folder(folder)
    # The name that the screen shows; the kernel keeps 15 characters of it.
    binary = folder / "flashpoint-demo"
    if not (_is_ours(binary) and await _starts(guard, binary)):
        emit_log("compiling the demo server (once)")
        await _compile(guard, rustc, source, binary, emit_log)
        if not await _starts(guard, binary):
            raise _NoRustError(f"programs in {sanitise(str(cache_dir), 200)} do not start")
    return binary


async def _starts(guard: Guard, binary: Path) -> bool:
    """Tell whether a binary runs: it may be damaged, or its folder mounted without that right."""
    try:
        status, _ = await _run(guard, [str(binary), "--help"], START_DEADLINE_S)
    except _NoRustError:
        return False
    return status == 0


async def _compile(
    guard: Guard, rustc: str, source: bytes, binary: Path, emit_log: Callable[[str], None]
) -> None:
    """Compile beside the final place and move the whole file there, so that builds may race."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=".build-", dir=binary.parent))
    except OSError as error:
        raise _NoRustError(
            f"can't write to {sanitise(str(binary.parent), 200)} ({error.strerror})"
        ) from None
    try:
        copy, result = folder / "server.rs", folder / "server"
        copy.write_bytes(source)
        argv = [rustc, *RUST_FLAGS, "--color", "never", "-o", str(result), str(copy)]
        status, output = await _run(guard, argv, COMPILE_DEADLINE_S)
        for line in output.decode(errors="backslashreplace").splitlines():
            emit_log(sanitise(line))
        if status != 0 or not result.is_file():
            raise _NoRustError(f"rustc failed ({_first_line(output)})")
        result.chmod(0o700)
        result.replace(binary)
    except OSError as error:
        raise _NoRustError(f"can't keep the demo server ({error.strerror})") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_line(output: bytes) -> str:
    lines = output.split(b"\n", 1)
    return sanitise(lines[0].strip(), 120) or "it said nothing"


def _own_folder(folder: Path) -> None:
    """Make the folder, or see that nobody else can put a program there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
    except OSError as error:
        raise _NoRustError(f"can't use {sanitise(str(folder), 200)} ({error.strerror})") from None
    if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _NoRustError(f"others may write to {sanitise(str(folder), 200)}")


def _is_ours(binary: Path) -> bool:
    try:
        state = binary.lstat()
    except OSError:
        return False
    runnable = stat.S_ISREG(state.st_mode) and state.st_mode & stat.S_IXUSR
    return bool(runnable) and state.st_uid == os.geteuid()


async def _run(guard: Guard, argv: list[str], deadline_s: float) -> tuple[int, bytes]:
    """Run a program to its end.

    Returns:
        Its exit status and the start of what it wrote to both streams.
    """
    try:
        child = await guard.spawn(Path(argv[0]).name, argv, stdout=PIPE, stderr=STDOUT)
    except SourceError as error:
        raise _NoRustError(error.message) from None
    try:
        async with asyncio.timeout(deadline_s):
            output = await _read_all(child)
            return await child.wait(), output
    except TimeoutError:
        raise _NoRustError(f"{Path(argv[0]).name} took more than {deadline_s:.0f} s") from None
    finally:
        if child.returncode is None:
            await child.stop(grace_s=1.0)


async def _read_all(child: Child) -> bytes:
    assert child.stdout is not None
    kept = b""
    while chunk := await child.stdout.read(65_536):
        kept += chunk[: MAX_OUTPUT_BYTES - len(kept)]
    return kept
