"""What the palette offers in a demo: changing what a function of the server costs."""

from __future__ import annotations

from functools import partial
from typing import Final

from collectors.samples import Mark, MarkKind, SourceState, SourceStatus
from collectors.source import SourceError
from collectors.target import Target
from tui.demo.cost import read_cost, set_factor
from tui.session import Session
from tui.watched import Offer

FUNCTIONS: Final = {
    "mine_block": "the heavy route",
    "write_json": "the JSON route",
    "update_ledger": "the route behind a mutex",
    "render_greeting": "the cheap route",
}
FACTORS: Final = ((2.0, "double", "doubled"), (0.5, "halve", "halved"))


def demo_url(target: Target | None) -> str | None:
    """Return where the demo server listens, None while that is unknown."""
    return f"http://127.0.0.1:{target.ports[0]}" if target is not None and target.ports else None


def cost_offers(session: Session) -> tuple[Offer, ...]:
    """Return commands that double or halve the cost of each function."""
    return tuple(
        Offer(
            title=f"Demo: {verb} the cost of {name}",
            help=f"Changes {where} of the demo server while it runs.",
            run=partial(_change, session, name, factor, done),
        )
        for name, where in FUNCTIONS.items()
        for factor, verb, done in FACTORS
    )


async def _change(session: Session, name: str, factor: float, done: str) -> None:
    url = demo_url(session.target)
    if url is None:
        return
    try:
        now = (await read_cost(url)).functions[name].factor
        await set_factor(url, name, min(100.0, max(0.01, now * factor)))
    except SourceError as error:
        status = SourceStatus(
            session.clock(), "target", SourceState.DEGRADED, error.message, error.hint
        )
        session.append(status)
        return
    session.append(Mark(session.clock(), MarkKind.SERVER, f"{done} {name}"))
