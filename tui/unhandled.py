"""Where exceptions go that nobody handles, in threads, tasks and callbacks: into the log.

Python and asyncio print them, with lines of source and with what was passed to a callback, into the
middle of whatever is on the screen.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from collectors.exception_text import root_of

if TYPE_CHECKING:
    import asyncio  # most commands have no loop

_log = logging.getLogger("flashpoint")


@contextlib.contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Send warnings, errors and unhandled exceptions to a log, for the time of the context."""
    root = logging.getLogger()
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    root.addHandler(handler)
    logging.captureWarnings(True)
    sys.excepthook = _unhandled
    sys.unraisablehook = _unraisable
    threading.excepthook = _in_thread
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()


def watch_loop(
    loop: asyncio.AbstractEventLoop, tell: Callable[[Exception], None] | None = None
) -> None:
    """Log what breaks in tasks and callbacks of a loop.

    Args:
        loop: The loop.
        tell: Called with each exception that is a fault of the program. What the network and the
            system do to a connection is not.
    """

    def take(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # Nothing else of the context, and of its message only the beginning: a callback is shown
        # with what was passed to it.
        said = str(context.get("message", "something broke")).partition("(")[0]
        _log.error("%s", said, exc_info=error)
        if isinstance(error, Exception) and not isinstance(error, OSError) and tell is not None:
            inner = root_of(error)
            tell(inner if isinstance(inner, Exception) else error)

    loop.set_exception_handler(take)


def _unhandled(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    _log.critical("unhandled exception", exc_info=(kind, error, traceback))


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    # Not the object: its repr may show anything.
    _log.error("%s", args.err_msg or "an exception was ignored", exc_info=args.exc_value)


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread is not None else "gone"
        _log.error("thread %s broke down", name, exc_info=args.exc_value)
