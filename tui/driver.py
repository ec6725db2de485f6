"""Textual's terminal driver, made to outlive its terminal.

When the terminal goes away (a closed window, a dropped connection), writing to it fails. Textual's
writer thread ends then, its queue fills up, and the event loop waits for it for ever, with the load
still running. Here such a write is lost, and the program can end in order.
"""

from __future__ import annotations

import contextlib
from typing import IO, Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class _LossyFile:
    """A terminal to write to, there or not."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, if there is still somebody to read."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush; what can't be written is gone."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._file.isatty()


class SteadyDriver(LinuxDriver):
    """Loses output and input when the terminal is gone, and nothing else."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file = cast("Any", _LossyFile(cast("IO[str]", self._file)))

    def run_input_thread(self) -> None:
        """Read keys until the end, or until the terminal is gone."""
        with contextlib.suppress(OSError):
            super().run_input_thread()

    def _sigcont_application(self, *_: object) -> None:
        """Go on after a stop that nobody announced (SIGSTOP): end what still runs first."""
        # Else a second thread would read keys, and raw modes be taken for those to put back.
        if self._auto_restart and not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()
