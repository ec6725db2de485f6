"""Whether the terminal can show the screen."""

from __future__ import annotations

from typing import Final

from collectors.terminal import TerminalFacts
from tui.model.doctor.finding import Area, Finding, ok, warn

MIN_COLUMNS: Final = 80
MIN_ROWS: Final = 24

_TMUX_COLOURS: Final = (
    "in tmux.conf: set -g default-terminal tmux-256color, set -as terminal-features ',*:RGB'"
)


def judge_terminal(facts: TerminalFacts) -> list[Finding]:
    """Tell of everything that the screen needs."""
    return [
        judge_streams(facts),
        judge_colours(facts),
        judge_size(facts),
        judge_locale(facts),
        judge_multiplexer(facts),
    ]


def judge_streams(facts: TerminalFacts) -> Finding:
    """Tell whether there is a terminal at all."""
    names = ("input", "output", "error")
    missing = [name for name, there in zip(names, facts.streams, strict=True) if not there]
    if not missing:
        if facts.term in ("", "dumb"):
            return warn(
                *(Area.TERMINAL, "terminal", f"TERM is {facts.term or 'not set'}: no screen"),
                "export TERM=xterm-256color, if the terminal is one",
            )
        return ok(Area.TERMINAL, "terminal", f"{facts.term}{', over ssh' * facts.is_remote}")
    if len(missing) == len(names):
        text = "none here: no screen"
    else:
        text = f"standard {' and '.join(missing)} lead elsewhere: no screen"
        if len(missing) == 1:
            text = f"standard {missing[0]} leads elsewhere: no screen"
    return warn(
        Area.TERMINAL, "terminal", text, "run it on a terminal without pipes, or add --headless"
    )


def judge_colours(facts: TerminalFacts) -> Finding:
    """Tell how many colours there are."""
    if not any(facts.streams):
        return ok(Area.TERMINAL, "colours", "not judged without a terminal")
    if facts.no_color:
        return warn(
            Area.TERMINAL, "colours", "NO_COLOR is set: shades of grey only", "unset NO_COLOR"
        )
    if facts.colorterm.lower() in ("truecolor", "24bit"):
        return ok(Area.TERMINAL, "colours", f"16 million (COLORTERM is {facts.colorterm})")
    if facts.term in ("", "dumb"):
        mend = "export TERM=xterm-256color, if the terminal is one"
        return warn(Area.TERMINAL, "colours", f"none (TERM is {facts.term or 'not set'})", mend)
    hint = _TMUX_COLOURS if facts.multiplexer == "tmux" else "export COLORTERM=truecolor"
    if "256color" in facts.term or facts.term in ("xterm-kitty", "alacritty", "foot", "wezterm"):
        text = f"256 (TERM is {facts.term}, COLORTERM is not truecolor)"
        return ok(Area.TERMINAL, "colours", text, f"{hint}, if the terminal has more")
    return warn(
        Area.TERMINAL, "colours", f"16 (TERM is {facts.term})", f"{hint}, if the terminal has more"
    )


def judge_size(facts: TerminalFacts) -> Finding:
    """Tell whether the screen has room."""
    if facts.columns is None or facts.rows is None:
        return ok(Area.TERMINAL, "size", "not known")
    text = f"{facts.columns}×{facts.rows}"
    if facts.columns < MIN_COLUMNS or facts.rows < MIN_ROWS:
        return warn(
            *(Area.TERMINAL, "size", f"{text}: panes will be cut"),
            f"make the window {MIN_COLUMNS}×{MIN_ROWS} or larger, or the letters smaller",
        )
    return ok(Area.TERMINAL, "size", text)


def judge_locale(facts: TerminalFacts) -> Finding:
    """Tell whether letters beyond ASCII can be expected to show."""
    encoding = facts.locale.partition(".")[2].partition("@")[0]
    if encoding.replace("-", "").lower() == "utf8":
        return ok(Area.TERMINAL, "letters", f"UTF-8 ({facts.locale})")
    text = f"the locale is {facts.locale or 'not set'}, not UTF-8: borders and graphs may not show"
    return warn(Area.TERMINAL, "letters", text, "export LC_ALL=C.UTF-8")


def judge_multiplexer(facts: TerminalFacts) -> Finding:
    """Tell what stands between us and the terminal."""
    if facts.multiplexer == "tmux":
        return ok(
            *(Area.TERMINAL, "inside of", "tmux: it keeps what is copied from the screen"),
            "for the clipboard: tmux set -s set-clipboard on",
        )
    if facts.multiplexer == "screen":
        return ok(
            *(Area.TERMINAL, "inside of", "GNU screen: no clipboard, and colours of its own"),
            "where mouse or colours are odd, try tmux, or none of the two",
        )
    return ok(Area.TERMINAL, "inside of", "neither tmux nor screen")
