"""The kinds of k6 scripts, one small script of each, and what becomes of them as written.

All ask the server that `-e TARGET=URL` names and nothing else, with requests whose paths tell which
part of the script made them, and last about a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).with_name("scripts")

BAD_CONFIGURATION: Final = 104
SCRIPT_THROWS: Final = 107
THRESHOLD_CROSSED: Final = 99


@dataclass(frozen=True, slots=True)
class ScriptKind:
    """One kind of script."""

    name: str
    file: str
    """Below `SCRIPTS`."""
    arguments: tuple[str, ...] = ()
    """What k6 needs beside the script and TARGET."""
    exit_code: int = 0
    """k6's own, when it runs the script as written."""
    k6_majors: tuple[int, ...] = (1, 2)
    """With which versions of k6 that is so."""
    interactive: bool = True
    """Whether an operator can own its load: all that k6 can load, on the same versions."""
    paths: frozenset[str] = frozenset()
    """Every path that a run as written asks the server for."""
    notes: str = ""

    @property
    def path(self) -> Path:
        """Where the script is."""
        return SCRIPTS / self.file


def _executor(name: str, k6_majors: tuple[int, ...] = (1, 2), notes: str = "") -> ScriptKind:
    file = f"executor_{name.replace('-', '_')}.js"
    return ScriptKind(name, file, k6_majors=k6_majors, paths=frozenset({f"/{name}"}), notes=notes)


KINDS: Final = (
    ScriptKind("sync", "default_sync.js", paths=frozenset({"/sync"})),
    ScriptKind(
        "async",
        "default_async.js",
        paths=frozenset({"/async", "/async/left", "/async/right"}),
        notes="three requests an iteration",
    ),
    ScriptKind(
        "setup-teardown",
        "setup_teardown.js",
        paths=frozenset({"/setup", "/buy/tea", "/buy/milk", "/teardown"}),
        notes="/setup and /teardown are asked for once; a threshold fails without setup's data",
    ),
    ScriptKind(
        "handle-summary",
        "handle_summary.js",
        paths=frozenset({"/counted"}),
        notes="prints HANDLED and the number of requests, 12 as written",
    ),
    ScriptKind(
        "scenarios",
        "scenarios.js",
        paths=frozenset({"/browse", "/search", "/buy"}),
        notes="the path comes from the env of the scenario; thresholds by scenario and by tag",
    ),
    ScriptKind(
        "shared-function",
        "shared_function.js",
        paths=frozenset({"/morning", "/evening"}),
        notes="the path is the name of the scenario; one VU against three",
    ),
    ScriptKind(
        "threshold-fails",
        "threshold_fails.js",
        exit_code=THRESHOLD_CROSSED,
        paths=frozenset({"/quick", "/status/500"}),
        notes="of the two thresholds that of the scenario slow fails",
    ),
    ScriptKind("typescript", "typescript.ts", paths=frozenset({"/home", "/cart"})),
    ScriptKind(
        "modules",
        "modules/main.js",
        paths=frozenset({"/items/tea", "/items/milk", "/items/sugar"}),
        notes="import and open() are relative to the script",
    ),
    ScriptKind("commonjs", "commonjs.js", paths=frozenset({"/commonjs"})),
    ScriptKind(
        "checks-groups-metrics",
        "checks_groups_metrics.js",
        paths=frozenset({"/kettle", "/pot"}),
        notes="10 iterations of two requests and two cups; one of two checks fails; as written "
        "the threshold on cups holds for 20 only",
    ),
    ScriptKind(
        "secrets",
        "with_secrets.js",
        arguments=(f"--secret-source=file={SCRIPTS / 'secrets.txt'}",),
        paths=frozenset({"/header/x-api-key"}),
        notes="since k6 1.0; a threshold fails where the key does not arrive",
    ),
    ScriptKind(
        "throws",
        "throws.js",
        paths=frozenset({"/throws"}),
        notes="every fifth iteration, after its request; 20 as written",
    ),
    ScriptKind("throws-in-init", "throws_in_init.js", exit_code=SCRIPT_THROWS, interactive=False),
    ScriptKind("no-default", "no_default.js", exit_code=BAD_CONFIGURATION, interactive=False),
    _executor("constant-vus"),
    _executor("ramping-vus"),
    _executor("per-vu-iterations", notes="3 × 7 as written"),
    _executor("shared-iterations", notes="20 as written"),
    _executor("constant-arrival-rate"),
    _executor("ramping-arrival-rate"),
    _executor("externally-controlled", k6_majors=(1,), notes="k6 2.0 has dropped it"),
    ScriptKind("stages", "stages_shortcut.js", paths=frozenset({"/stages"})),
    ScriptKind(
        "iterations",
        "iterations_shortcut.js",
        paths=frozenset({"/iterations"}),
        notes="20 as written",
    ),
    ScriptKind(
        "options-from-config",
        "options_from_config.js",
        arguments=("--config", str(SCRIPTS / "options_from_config.json")),
        paths=frozenset({"/config"}),
        notes="the script has tags only; VUs, duration and a threshold are in the file",
    ),
)
