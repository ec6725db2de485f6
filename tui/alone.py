"""Runs an application that is no run: it starts nothing, and the terminal outlives it."""

from __future__ import annotations

from textual.app import App

from collectors.terminal_reset import terminal_watched


def run_alone(app: App[None]) -> int:
    """Show an application until the operator leaves; return the exit status.

    Whatever ends this process, the terminal is put back. To be called before there are threads.
    """
    with terminal_watched():
        app.run()
    return 0
