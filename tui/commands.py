"""The command table: every command once, with its keys and its help.

Footer, help screen, palette and key bindings are all built from here; a command that is not in
this table does not exist. Ids are stable, so that users can bind other keys to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """Something the operator can do."""

    id: str
    """Stable, like `load.stop`."""
    title: str
    """Short, for footer and palette."""
    help: str
    """One sentence."""
    keys: tuple[str, ...] = ()
    """Textual's names of keys; the first one is shown."""
    group: str = "Display"
    weight: int = 0
    """The greater, the sooner it is in the footer; 0: never."""


COMMANDS: Final = (
    Command("load.start", "start", "Start the load again after it has ended.", ("s",), "Load", 90),
    Command(
        "load.stop",
        "stop",
        "Stop the load; a second time: at once, without waiting for k6.",
        ("x",),
        "Load",
        95,
    ),
    Command(
        "load.pause",
        "pause",
        "Take the load away for a while, or bring it back.",
        ("p",),
        "Load",
        85,
    ),
    Command(
        "load.more",
        "more",
        "One VU more, or ten a second more.",
        ("plus", "equals_sign"),
        "Load",
        94,
    ),
    Command("load.less", "less", "One VU less, or ten a second less.", ("minus",), "Load", 93),
    Command("load.moreten", "ten more", "Ten such steps more.", ("greater_than_sign",), "Load"),
    Command("load.lessten", "ten less", "Ten such steps less.", ("less_than_sign",), "Load"),
    Command(
        "load.ramp",
        "ramp",
        "Go to a number of VUs, like 200, 200 in 30s, +50/10s or x2/1m.",
        ("r",),
        "Load",
        92,
    ),
    Command(
        "load.rate",
        "rate",
        "Go to a number of requests or iterations a second, like 500, 1500/30s or 20i.",
        ("R",),
        "Load",
        70,
    ),
    Command("load.hold", "hold", "Stay where the load is now.", ("H",), "Load", 65),
    Command(
        "display.freeze",
        "freeze",
        "Freeze the display at this moment; load and collection go on.",
        ("space",),
        weight=80,
    ),
    Command("panel.next", "next panel", "Move to the next panel.", ("tab",), "Panels"),
    Command(
        "panel.previous", "previous panel", "Move to the panel before.", ("shift+tab",), "Panels"
    ),
    Command("panel.load", "load", "Go to the load panel.", ("1",), "Panels"),
    Command("panel.machine", "machine", "Go to the machine panel.", ("2",), "Panels"),
    Command("panel.flame", "flame", "Go to the flamegraph.", ("3",), "Panels"),
    Command(
        "panel.log", "log", "Show k6's and the server's log, or hide it.", ("4", "L"), "Panels", 40
    ),
    Command(
        "panel.maximise",
        "zoom panel",
        "Give the panel the whole screen, or back.",
        ("z",),
        "Panels",
        60,
    ),
    Command("flame.up", "caller", "Select the caller.", ("up", "k"), "Flamegraph"),
    Command("flame.down", "callee", "Select the hottest callee.", ("down", "j"), "Flamegraph"),
    Command("flame.left", "left", "Select the neighbour to the left.", ("left", "h"), "Flamegraph"),
    Command(
        "flame.right", "right", "Select the neighbour to the right.", ("right", "l"), "Flamegraph"
    ),
    Command(
        "flame.zoom",
        "zoom in",
        "Give the selected frame the full width.",
        ("enter",),
        "Flamegraph",
        50,
    ),
    Command(
        "flame.unzoom",
        "zoom out",
        "Back to what was zoomed to before.",
        ("escape",),
        "Flamegraph",
        45,
    ),
    Command("display.theme", "theme", "Change between dark and light.", ("T",)),
    Command("app.palette", "commands", "Find a command by its name.", ("ctrl+p",), "Program", 30),
    Command("app.help", "help", "Show all keys.", ("question_mark",), "Program", 99),
    Command("app.quit", "quit", "Leave; asks while the load runs.", ("q", "ctrl+c"), "Program", 98),
)

_KEY_NAMES: Final = {
    "question_mark": "?",
    "space": "space",
    "enter": "⏎",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "ctrl+p": "^p",
    "ctrl+c": "^c",
    "shift+tab": "⇧tab",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "greater_than_sign": ">",
    "less_than_sign": "<",
}


def key_name(key: str) -> str:
    """Return a key as the screen names it."""
    return _KEY_NAMES.get(key, key)


def command(command_id: str) -> Command:
    """Return a command by its id.

    Raises:
        KeyError: there is none.
    """
    for each in COMMANDS:
        if each.id == command_id:
            return each
    raise KeyError(command_id)
