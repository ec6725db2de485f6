"""The keys that move the load, and what is asked behind keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from textual.app import App

from tui.model.phase import Phase
from tui.model.ramp import describe, parse_ramp
from tui.model.rate import parse_rate
from tui.model.search import compile_pattern
from tui.screens.ask import AskScreen
from tui.watched import Watched

STEPS: Final = {
    "load.more": 1,
    "load.less": -1,
    "load.moreten": 10,
    "load.lessten": -10,
}
"""Commands that change the load by steps."""
STEERING: Final = (*STEPS, "load.pause", "load.ramp", "load.rate", "load.hold")
"""Commands that need an operator."""


def can_steer(session: Watched) -> bool:
    """Tell whether there is a load, and somebody who can move it."""
    return session.operator is not None and session.phase in (Phase.STARTING, Phase.RUNNING)


def steer(app: App[Any], session: Watched, command_id: str) -> None:
    """Carry out a command that moves the load."""
    operator = session.operator
    if operator is None:
        return
    match command_id:
        case "load.ramp":
            example = "200, 200 in 30s, +50/10s, x2/1m"
            _ask(app, session, "VUs", example, read_ramp, operator.ramp)
        case "load.rate":
            example = "500, 500 in 10s, x2/1m, 20 iterations"
            _ask(app, session, "A second", example, read_rate, operator.rate)
        case "load.hold":
            say(app, operator.hold())
        case "load.pause":
            say(app, operator.pause_or_resume())
        case _:
            say(app, operator.step(STEPS[command_id]))


def say(
    app: App[Any],
    message: str,
    severity: Literal["information", "warning"] = "warning",
) -> None:
    """Tell the operator something, if there is anything."""
    if message:
        app.notify(message, severity=severity, markup=False)


def _ask(
    app: App[Any],
    session: Watched,
    question: str,
    example: str,
    read: Callable[[str], tuple[tuple[Any, ...], str]],
    ask: Callable[..., str],
) -> None:
    def answered(text: str | None) -> None:
        # The load may have ended while the question was open.
        if text is not None and can_steer(session):
            say(app, ask(*read(text)[0]))

    app.push_screen(AskScreen(question, example, lambda text: read(text)[1]), answered)


def read_ramp(text: str) -> tuple[tuple[Any, ...], str]:
    """Return what a text says about VUs, and how it was understood."""
    steps = parse_ramp(text)
    return (steps,), f"→ {describe(steps)} · VUs"


def read_rate(text: str) -> tuple[tuple[Any, ...], str]:
    """Return what a text says about a rate, and how it was understood."""
    unit, steps = parse_rate(text)
    return (unit, steps), f"→ {describe(steps)} · {unit.value}/s"


def read_pattern(text: str) -> str:
    """Return what will be searched for.

    Raises:
        ValueError: the expression can't be used.
    """
    compile_pattern(text.strip())
    return f"→ {text.strip()}"
