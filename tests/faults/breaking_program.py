"""Runs the program with one of its parts broken: `breaking_program.py KIND ARGUMENTS`.

What breaks has a secret in a variable and another one in its line of source.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

SECRET_VARIABLE = "canary-" + "variable-8Xq3"
SOURCE = "canary-source-4Rw7"


def broken(*_: object, **__: object) -> NoReturn:
    """Raise, with secrets around it."""
    password = SECRET_VARIABLE
    held = {"authorization": password, "limits": "\x1b]52;c;aGk=\x07"}
    raise LookupError(f"{len(held)} of http://u:{password}@h/?k={password}")  # canary-source-4Rw7


async def broken_later(*_: object, **__: object) -> NoReturn:
    """Raise in a coroutine."""
    await asyncio.sleep(0)
    broken()


def in_app(work: Callable[[Any], object]) -> None:
    """Have something done once the screen is there."""
    from tui.themed import ThemedApp

    before = ThemedApp._ready

    async def ready(app: Any) -> None:
        await before(app)
        app.call_after_refresh(work, app)

    ThemedApp._ready = ready  # type: ignore[method-assign, assignment]


def in_task(app: Any) -> None:
    """Start a task that nobody awaits."""
    app.tasks_of_test = [asyncio.create_task(broken_later())]
    app.tasks_of_test.clear()


def break_it(kind: str) -> None:
    """Break one part."""
    match kind:
        case "widget":
            from tui.widgets.rows import Rows

            Rows.render_line = broken  # type: ignore[method-assign]
        case "compose":
            from tui.widgets.flamepane import FlamePane

            FlamePane.compose = broken  # type: ignore[method-assign]
        case "style":
            from tui.themed import ThemedApp

            ThemedApp.CSS = "Nonsense { colour canary-source-4Rw7"
        case "start":
            import tui.cli

            tui.cli._defaults = broken
        case "import":
            sys.modules["tui.cli"] = None  # type: ignore[assignment]
        case "screen":
            from tui.screens.help import HelpScreen

            HelpScreen.compose = broken  # type: ignore[method-assign]
            in_app(lambda app: app.push_screen(HelpScreen()))
        case "worker":
            in_app(lambda app: app.run_worker(broken_later()))
        case "thread worker":
            in_app(lambda app: app.run_worker(broken, thread=True))
        case "timer":
            in_app(lambda app: app.set_timer(0.01, broken))
        case "callback":
            in_app(lambda app: app.call_later(broken))
        case "keys":
            from textual.drivers.linux_driver import LinuxDriver

            LinuxDriver.run_input_thread = broken  # type: ignore[method-assign]
        case "view":
            app: Any = importlib.import_module("tui.app")
            build = app.build_monitor
            # Once there is something to lose.
            app.build_monitor = lambda timeline, *rest: (
                broken() if timeline.loads else build(timeline, *rest)
            )
        case "collector":
            from collectors.host import HostSource

            HostSource.run = broken_later  # type: ignore[method-assign]
        case "task":
            in_app(in_task)
        case "loop callback":
            in_app(lambda _: asyncio.get_running_loop().call_soon(broken, SECRET_VARIABLE))
        case "thread":
            in_app(lambda _: threading.Thread(target=broken, args=(SECRET_VARIABLE,)).start())
        case "none":
            pass
        case _:
            sys.exit(f"unknown: {kind}")


def main() -> None:
    """Break it and run it."""
    from tui.__main__ import main as run

    break_it(sys.argv.pop(1))
    os.environ.pop("TEXTUAL", None)
    run()


if __name__ == "__main__":
    main()
