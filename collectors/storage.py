"""Whether what is written finds its place: the folder of recordings, its disk, where we are."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.recording.file import has_room
from collectors.recording.folder import folder_of
from collectors.recording.schema import SUFFIX
from collectors.text import sanitise

PROBE: Final = ".flashpoint-doctor-"
MAX_COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """How the folder of recordings is."""

    folder: str
    """Its path; sanitised."""
    is_there: bool
    error: str
    """Why nothing can be written there; empty where it can."""
    mode: int
    """Permission bits; 0 where it is not there."""
    owner_uid: int | None
    uid: int
    """Ours, the effective one."""
    free_bytes: int | None
    """Of its disk, for us; None where that can't be told."""
    has_room: bool
    """Whether more is free than a recording has to leave."""
    recordings: int


def read_storage(env: Mapping[str, str]) -> StorageFacts:
    """Look at the folder of recordings; a file is written there and removed, if the folder is.

    Args:
        env: The environment, which may name it.
    """
    folder = folder_of(env)
    is_there = os.path.lexists(folder)
    standing = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), folder)
    mode, owner, free, room = 0, None, None, True
    try:
        if is_there:
            told = folder.stat()
            mode, owner = stat.S_IMODE(told.st_mode), told.st_uid
        free = shutil.disk_usage(standing).free
        room = has_room(standing)
    except OSError:
        pass  # that nothing can be written says it too
    return StorageFacts(
        folder=sanitise(str(folder), 300),
        is_there=is_there,
        error=_probe(folder) if is_there else _may_be_made(standing),
        mode=mode,
        owner_uid=owner,
        uid=os.geteuid(),
        free_bytes=free,
        has_room=room,
        recordings=_count(folder),
    )


def _probe(folder: Path) -> str:
    """Write a file and remove it; return why that can't be done, or nothing."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=PROBE) as file:
            file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return sanitise(error.strerror or str(error), 120)
    return ""


def _may_be_made(above: Path) -> str:
    """Return why no folder can be made in another one, or nothing."""
    if not above.is_dir():
        return f"{sanitise(str(above), 200)} is no folder"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"no folder can be made in {sanitise(str(above), 200)}"
    return ""


def _count(folder: Path) -> int:
    count = 0
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                count += entry.name.endswith(SUFFIX)
                if number > MAX_COUNTED:
                    break
    except OSError:
        return 0
    return count


def working_folder_error() -> str:
    """Return why nothing can be written to the folder we are in, or nothing."""
    try:
        folder = Path.cwd()
    except OSError:
        return "it was removed"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "not permitted"
