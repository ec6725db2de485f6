"""Textual's terminal driver, made to outlive its terminal, and to wait for none.

Textual's own writer lets the event loop wait when the terminal does not read: for a moment, for an
hour, or for ever, where it has gone away (a closed window, a dropped connection), with the load
still running. Here output goes through `tui.outlet`.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver

from tui.outlet import Outlet


class SteadyDriver(LinuxDriver):
    """Loses output and input when the terminal is gone, and nothing else."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._outlet: Outlet | None = None
        self._last = b""
        """What the terminal is told at the end, whatever else is left out."""
        self._is_ending = False

    def write(self, data: str) -> None:
        """Hand over to the terminal; never waits."""
        file = sys.__stderr__
        assert file is not None
        encoded = data.encode(file.encoding, "backslashreplace")
        if self._outlet is None:
            return  # not ours just now
        if self._is_ending:
            self._last += encoded
        else:
            self._outlet.write(encoded)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        assert sys.__stderr__ is not None
        self._outlet = Outlet(sys.__stderr__.fileno(), self._caught_up)
        self._outlet.start()
        self._is_ending = False
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self._is_ending = True
        super().stop_application_mode()

    def close(self) -> None:
        """Wait, not for long, until the terminal has taken everything."""
        super().close()
        if self._outlet is not None:
            self._outlet.close(self._last)
            self._outlet, self._last = None, b""

    def _caught_up(self) -> None:
        # The loop may have ended by now: then nobody needs a frame.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._paint_anew)

    def _paint_anew(self) -> None:
        # Not by refresh(): a change of layout that is under way may take that for its own.
        app = self._app
        with contextlib.suppress(ScreenStackError), app._context():
            compositor = app.screen._compositor
            update = compositor.render_update(full=True, screen_stack=app._background_screens)
            app._display(app.screen, update)

    def run_input_thread(self) -> None:
        """Read keys until the end, or until the terminal is gone."""
        with contextlib.suppress(OSError):
            super().run_input_thread()

    def _run_input_thread(self) -> None:
        """Read keys; what breaks there breaks the program."""
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)

    def _sigcont_application(self, *_: object) -> None:
        """Go on after a stop that nobody announced (SIGSTOP): end what still runs first."""
        # Else a second thread would read keys, and raw modes be taken for those to put back.
        if self._auto_restart and not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()
