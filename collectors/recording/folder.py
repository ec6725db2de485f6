"""Where recordings and the log are kept: a folder of its owner's only."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from collectors.source import SourceError
from collectors.text import sanitise

VARIABLE: Final = "FLASHPOINT_STATE_DIR"
"""Of the environment: where recordings are kept instead of the user's state folder."""


def folder_of(env: Mapping[str, str]) -> Path:
    """Return where recordings are kept."""
    named = env.get(VARIABLE)
    base = Path(named) if named else Path(platformdirs.user_state_dir("flashpoint", False))
    return base / "recordings"


def make_folder(folder: Path) -> None:
    """Make a folder for recordings, and those above it, its owner's only, if it is not there.

    Raises:
        SourceError: it can't be made, or is no folder.
    """
    try:
        # One by one: `parents=True` would give those above to whomever the umask does.
        missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except (OSError, ValueError) as error:
        raise refused(folder, error) from None


def refused(path: Path, error: Exception) -> SourceError:
    """Return the error that tells why nothing can be recorded at a place."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SourceError(
        f"can't record to {sanitise(str(path))}: {sanitise(reason)}",
        "choose another place with --record, or add --no-record",
    )
