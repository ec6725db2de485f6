"""The program's own log: a small file for its owner only, without secrets or escape sequences.

A record is one line, an exception a line for each frame below it. Whatever becomes of the file, the
program goes on: a log that can't be written is none.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from collectors.exception_text import trace_lines
from collectors.recording.folder import folder_of, make_folder
from collectors.redact import Redactor
from collectors.source import SourceError
from collectors.text import sanitise

NAME: Final = "flashpoint.log"
MAX_BYTES: Final = 1 << 20
"""Of one file; a record that would go beyond it begins the next."""
FILES: Final = 3
"""The newest, and so many less one before it: `flashpoint.log.1`, `.2`."""
MAX_TEXT_CHARS: Final = 2000

_FLAGS: Final = (
    os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)
_SHOWS_VALUES: Final = ("asyncio", "py.warnings")
"""Who writes more than a line, and shows arguments or source in what follows."""


def log_path(env: Mapping[str, str]) -> Path:
    """Return where the log is: in the folder that has the one of the recordings."""
    return folder_of(env).parent / NAME


class LogFile(logging.Handler):
    """Writes records to the log; several programs may write to one.

    The file is opened for each record: there are few, and nothing is made before the first.

    Args:
        path: The newest file.
        redactor: Takes secrets out of every line.
    """

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        super().__init__(logging.WARNING)
        self.path = path
        self.redactor = redactor or Redactor()
        self.problem = ""
        """Why the last record could not be written; empty where it was."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises."""
        try:
            lines = self._lines(record)
            data = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
            self._write(data[:MAX_BYTES])
            self.problem = ""
        except SourceError as error:
            self.problem = error.message
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else ""
            self.problem = reason or type(error).__name__

    def _lines(self, record: logging.LogRecord) -> Iterator[str]:
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        text = record.getMessage()
        if record.name in _SHOWS_VALUES:
            text = text.partition("\n")[0]
        name = sanitise(record.name, 60)
        head = f"{at} {record.levelname} {name}[{record.process}]"
        yield f"{head} {self._clean(text)}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            yield from (f"  {self._clean(line)}" for line in trace_lines(error))

    def _clean(self, text: str) -> str:
        # Cut first, and then once more: a mask may be longer than what it covers.
        return sanitise(self.redactor.text(text[: 2 * MAX_TEXT_CHARS]), MAX_TEXT_CHARS)

    def _write(self, data: bytes) -> None:
        make_folder(self.path.parent)
        fd = self._open()
        try:
            if os.fstat(fd).st_size + len(data) > MAX_BYTES and self._rotate(fd):
                os.close(fd)
                fd = -1
                fd = self._open()
            while data:
                data = data[os.write(fd, data) :]
        finally:
            if fd >= 0:
                os.close(fd)

    def _open(self) -> int:
        """Open the newest file; what is no file of ours alone is refused."""
        fd = os.open(self.path, _FLAGS, 0o600)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
            os.close(fd)
            raise PermissionError(errno.EPERM, "it is no file of our own")
        if found.st_mode & 0o077:
            os.fchmod(fd, 0o600)
        return fd

    def _rotate(self, fd: int) -> bool:
        """Put the newest file behind the others; return whether the path is free."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False  # another program does it just now
        with contextlib.suppress(FileNotFoundError):
            newest = os.lstat(self.path)
            if not os.path.samestat(newest, os.fstat(fd)):
                return True  # another program has done it
            for number in range(FILES - 1, 0, -1):
                older = f"{self.path}.{number - 1}" if number > 1 else self.path
                with contextlib.suppress(FileNotFoundError):
                    os.replace(older, f"{self.path}.{number}")
        return True
