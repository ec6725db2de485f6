"""What has to be there before k6 can load anything: the script, and a k6 that answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from collectors.k6.binary import PROBE_DEADLINE_S, K6Binary, find_k6, probe_k6
from collectors.process import Guard
from collectors.source import SourceError
from collectors.text import sanitise


def require_script(script: Path) -> None:
    """Look whether there is a script.

    Raises:
        SourceError: there is none.
    """
    if not script.is_file():
        raise SourceError(
            f"there is no script {sanitise(str(script))}",
            "name a k6 script, or try `flashpoint demo`",
        )


async def require_k6(
    guard: Guard,
    named: str | None,
    env: Mapping[str, str],
    deadline_s: float = PROBE_DEADLINE_S,
) -> K6Binary:
    """Find k6, and see that it answers.

    Args:
        guard: Starts k6.
        named: What the user calls it, or None.
        env: The environment.
        deadline_s: How long it may take to answer.

    Raises:
        SourceError: there is none, or it does not work.
    """
    return await probe_k6(guard, find_k6(named, env), deadline_s)
