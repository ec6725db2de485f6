"""What the terminal around us says of itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.text import sanitise

_STREAMS: Final = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """Streams, size and environment, as far as they tell of a terminal."""

    streams: tuple[bool, bool, bool]
    """Whether standard input, output and error are a terminal."""
    columns: int | None
    """None where no stream has a size."""
    rows: int | None
    term: str
    """`TERM`, as the other texts from the environment: sanitised, empty for not set."""
    colorterm: str
    no_color: bool
    locale: str
    """The first that is set of `LC_ALL`, `LC_CTYPE` and `LANG`."""
    multiplexer: str
    """`tmux`, `screen`, or empty."""
    is_remote: bool
    """Whether we came over ssh."""


def read_terminal(env: Mapping[str, str]) -> TerminalFacts:
    """Look at the standard streams and the environment."""
    size = None
    for stream in _STREAMS:
        try:
            size = os.get_terminal_size(stream)
            break
        except OSError:
            continue
    named = [env.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    multiplexer = "tmux" if env.get("TMUX") else "screen" if env.get("STY") else ""
    return TerminalFacts(
        streams=(_is_terminal(0), _is_terminal(1), _is_terminal(2)),
        columns=size.columns if size is not None and size.columns > 0 else None,
        rows=size.lines if size is not None and size.lines > 0 else None,
        term=sanitise(env.get("TERM", ""), 60),
        colorterm=sanitise(env.get("COLORTERM", ""), 60),
        no_color=bool(env.get("NO_COLOR")),
        locale=sanitise(next((each for each in named if each), ""), 60),
        multiplexer=multiplexer,
        is_remote=bool(env.get("SSH_CONNECTION")),
    )


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False
