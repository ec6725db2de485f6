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
    ),
    Command("load.hold", "hold", "Stay where the load is now.", ("H",), "Load"),
    Command(
        "display.freeze",
        "freeze",
        "Stop the display, or let it go on; load and collection go on.",
        ("space",),
        "Range",
        80,
    ),
    Command(
        "range.window",
        "window",
        "Look at the last 5, 10, 30 or 60 s, at all since the start, or since the last change.",
        ("w",),
        "Range",
        62,
    ),
    Command(
        "range.back",
        "back",
        "Move the time cursor a second back; the range ends there.",
        ("left_square_bracket",),
        "Range",
    ),
    Command(
        "range.forward",
        "forward",
        "Move the time cursor a second on, at last to live.",
        ("right_square_bracket",),
        "Range",
    ),
    Command(
        "range.wider", "wider", "Let the range begin earlier.", ("left_curly_bracket",), "Range"
    ),
    Command(
        "range.narrower",
        "narrower",
        "Let the range begin later.",
        ("right_curly_bracket",),
        "Range",
    ),
    Command("panel.next", "next panel", "Move to the next panel.", ("tab",), "Panels"),
    Command(
        "panel.previous", "previous panel", "Move to the panel before.", ("shift+tab",), "Panels"
    ),
    Command("panel.load", "load", "Go to the load panel.", ("1",), "Panels"),
    Command("panel.machine", "machine", "Go to the machine panel.", ("2",), "Panels"),
    Command("panel.flame", "flame", "Go to the flamegraph.", ("3",), "Panels"),
    Command("panel.log", "log", "Show the logs, or hide them.", ("4", "L"), "Panels"),
    Command(
        "panel.maximise", "maximise", "Give the panel the whole screen, or back.", ("z",), "Panels"
    ),
    Command("flame.up", "caller", "Select the caller.", ("up", "k"), "Flamegraph"),
    Command("flame.down", "callee", "Select the hottest callee.", ("down", "j"), "Flamegraph"),
    Command("flame.left", "left", "Select the neighbour to the left.", ("left", "h"), "Flamegraph"),
    Command(
        "flame.right", "right", "Select the neighbour to the right.", ("right", "l"), "Flamegraph"
    ),
    Command(
        "flame.zoom",
        "zoom",
        "Give the selected frame the full width.",
        ("enter",),
        "Flamegraph",
    ),
    Command(
        "flame.unzoom",
        "zoom out",
        "Back to what was zoomed to before; then to live.",
        ("escape",),
        "Flamegraph",
    ),
    Command(
        "view.invert",
        "invert",
        "Turn stacks over: the hottest leaves, and who calls them.",
        ("i",),
        "Flamegraph",
    ),
    Command(
        "view.table",
        "table",
        "Show functions as a table, or the graph again.",
        ("t",),
        "Flamegraph",
        57,
    ),
    Command("view.order", "order", "Sort the table by self, total or name.", ("O",), "Flamegraph"),
    Command(
        "view.sandwich",
        "sandwich",
        "Show the selected function between its callers and callees, or all again.",
        ("f",),
        "Flamegraph",
    ),
    Command(
        "view.roots", "roots", "Draw roots at the bottom, or at the top.", ("u",), "Flamegraph"
    ),
    Command(
        "view.search",
        "search",
        "Search names by a regular expression; nothing typed ends it.",
        ("slash",),
        "Flamegraph",
        56,
    ),
    Command("view.next", "next match", "Select the next match.", ("n",), "Flamegraph"),
    Command("view.previous", "previous match", "Select the match before.", ("N",), "Flamegraph"),
    Command(
        "view.baseline",
        "baseline",
        "Keep this range to compare later ones with.",
        ("b",),
        "Compare",
        54,
    ),
    Command(
        "view.baselines",
        "baseline by name",
        "Compare with a baseline by its name, or give this range one.",
        ("B",),
        "Compare",
    ),
    Command(
        "view.diff",
        "diff",
        "Show what changed per request since the baseline, or not.",
        ("d",),
        "Compare",
        53,
    ),
    Command(
        "view.rebuild",
        "rebuild",
        "Build and start the server anew, load it again, compare with the run before.",
        ("f5",),
        "Compare",
    ),
    Command(
        "view.offcpu",
        "off-CPU",
        "Show where the server waits, or where it computes.",
        ("o",),
        "Flamegraph",
    ),
    Command(
        "view.hide",
        "hide frame",
        "Leave out stacks through the selected frame.",
        ("delete",),
        "Shape",
    ),
    Command(
        "view.focus",
        "focus frame",
        "Show the selected frame and what it calls only, or all again.",
        ("F",),
        "Shape",
    ),
    Command(
        "view.recursion",
        "fold recursion",
        "Fold calls of a function to itself, or not.",
        ("c",),
        "Shape",
    ),
    Command("view.modules", "by module", "Fold neighbours of one module, or not.", ("M",), "Shape"),
    Command("view.threads", "by thread", "Split by thread, or not.", ("Y",), "Shape"),
    Command(
        "view.kernel",
        "hide kernel",
        "Give the kernel's time to who called it, or not.",
        ("K",),
        "Shape",
    ),
    Command("view.idle", "hide idle", "Leave out stacks that only wait, or not.", ("I",), "Shape"),
    Command("view.plain", "all frames", "Hide, fold and focus nothing.", ("U",), "Shape"),
    Command(
        "keep.export",
        "export",
        "Write this range to a file: report, summary, table, stacks; its name tells the format.",
        ("e",),
        "Keep",
        52,
    ),
    Command(
        "keep.screen", "snapshot", "Write the screen to a file, as SVG and text.", ("S",), "Keep"
    ),
    Command(
        "keep.note",
        "note",
        "Write a note to where the range ends; it goes into the recording and every export.",
        ("m",),
        "Keep",
    ),
    Command("replay.play", "play", "Play, or stand still.", ("space",), "Replay", 97),
    Command("replay.faster", "faster", "Play faster.", ("greater_than_sign",), "Replay", 89),
    Command("replay.slower", "slower", "Play slower.", ("less_than_sign",), "Replay", 88),
    Command("replay.on", "10 s on", "Go ten seconds on.", ("full_stop",), "Replay", 87),
    Command("replay.back", "10 s back", "Go ten seconds back.", ("comma",), "Replay", 86),
    Command("replay.minute", "1 min on", "Go a minute on.", ("colon",), "Replay"),
    Command("replay.ago", "1 min back", "Go a minute back.", ("semicolon",), "Replay"),
    Command("replay.jump", "jump", "Go to a time, like 1:30 or 90s.", ("J",), "Replay", 49),
    Command("replay.start", "start", "Go to the beginning.", ("g",), "Replay", 48),
    Command(
        "replay.end", "end", "Go to the end; follow what is still recorded.", ("G",), "Replay", 47
    ),
    Command("display.theme", "theme", "Change between dark and light.", ("T",)),
    Command("app.palette", "commands", "Find a command by its name.", ("ctrl+p",), "Program", 30),
    Command("app.help", "help", "Show all keys.", ("question_mark",), "Program", 99),
    Command("app.quit", "quit", "Leave; asks while the load runs.", ("q", "ctrl+c"), "Program", 98),
)

LOOKING: Final = (
    *(each.id for each in COMMANDS if each.group in ("Range", "Shape")),
    *(f"view.{name}" for name in ("invert", "table", "order", "sandwich", "roots")),
    *(f"view.{name}" for name in ("baseline", "diff")),
)
"""Commands that only change what is looked at."""

REPLAY: Final = frozenset(
    each.id
    for each in COMMANDS
    if each.group != "Load" and each.id not in ("view.rebuild", "display.freeze")
)
"""Commands that there are while a recording is replayed."""
LIVE: Final = frozenset(each.id for each in COMMANDS if each.group != "Replay")
"""Commands that there are while a run is under way."""

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
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "slash": "/",
    "f5": "F5",
    "delete": "del",
    "full_stop": ".",
    "comma": ",",
    "colon": ":",
    "semicolon": ";",
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
