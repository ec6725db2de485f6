"""The real k6 reads the wrappers: they must be JavaScript, and say what we mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collectors.k6.binary import find_k6, probe_k6
from collectors.k6.inspect import inspect_script
from collectors.k6.scenarios import read_scenarios
from collectors.k6.wrapper import Transport, crew_of, gate_wrapper, rest_wrapper
from collectors.process import Guard
from collectors.source import SourceError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENV = {"PATH": "/usr/local/bin:/usr/bin", "HOME": "/nonexistent"}
FOLDER = 'it\'s 100% "odd" #1? größe $' + "{x} `\\n"
SCRIPT = """
import { sum } from "./a part.js";
export const options = {
  vus: 7,
  thresholds: { http_req_failed: ["rate<0.01"], "http_req_duration{part:buy}": ["p(95)<300"] },
  tags: { release: "é" },
  userAgent: "mine",
  scenarios: {
    browse: {
      executor: "ramping-vus", exec: "look", startVUs: 2, gracefulStop: "3s",
      stages: [{ duration: "30s", target: 60 }], tags: { part: "browse" }, env: { A: 'quo"te' },
    },
    look_again: { executor: "constant-vus", exec: "look", vus: 20, duration: "1m" },
    buy: { executor: "per-vu-iterations", vus: 20, iterations: 5, startTime: "10s" },
  },
};
export function setup() { return sum(1, 2); }
export function look() {}
export default function () {}
"""
SHORTCUTS = {
    "vus and duration": "{ vus: 4, duration: '30s' }",
    "iterations": "{ vus: 4, iterations: 100 }",
    "stages": "{ stages: [{ duration: '5s', target: 4 }], thresholds: {} }",
    "segments": "{ vus: 4, duration: '30s', executionSegment: '0:1/2', paused: true }",
}
LOAD = ("vus", "duration", "iterations", "stages", "executionSegment", "paused")
NO_LOAD: dict[str, object] = {**dict.fromkeys(LOAD), "stages": []}


async def inspected(guard: Guard, script: Path) -> Any:
    """Options as k6 reads them, with what it takes for the default of none."""
    binary = await probe_k6(guard, find_k6(None, ENV))
    return await inspect_script(guard, binary, str(script), (), ENV)


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def without(load: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in load.items() if key not in keys and value is not None}


@pytest.mark.parametrize("transport", [Transport.REDIS, Transport.SECRETS])
async def test_k6_reads_the_wrapper_of_a_script_in_an_odd_folder(
    guard: Guard, tmp_path: Path, transport: Transport
) -> None:
    """One scenario of waiting VUs for each of the user's; what is not the load is as it was."""
    folder = tmp_path / FOLDER
    script = write(folder, "the 'script'.js", SCRIPT)
    write(folder, "a part.js", "export function sum(a, b) { return a + b; }\n")
    told = await inspected(guard, script)
    scenarios = read_scenarios(told)
    crew = crew_of(scenarios, 50)
    text = gate_wrapper(script, scenarios, crew, transport, 9, "cafe")
    found = await inspected(guard, write(tmp_path, "wrapper.js", text))
    every = {"executor": "constant-vus", "duration": "8760h0m0s"}
    assert {name: without(load, "startTime") for name, load in found["scenarios"].items()} == {
        "browse": {
            **every,
            **{"exec": "look", "vus": 30, "gracefulStop": "3s"},
            **{"tags": {"part": "browse"}, "env": {"A": 'quo"te'}},
        },
        "look_again": {**every, "exec": "look", "vus": 10},
        "buy": {**every, "exec": "default", "vus": 10},
    }
    assert all(load.get("startTime") is None for load in found["scenarios"].values())
    assert {key: found.get(key) for key in LOAD} == NO_LOAD
    assert found["thresholds"] == told["thresholds"]
    assert list(found["thresholds"]) == ["http_req_duration{part:buy}", "http_req_failed"]
    assert without(found, "scenarios", *LOAD) == without(told, "scenarios", *LOAD)


@pytest.mark.parametrize("name", SHORTCUTS)
async def test_k6_reads_the_wrapper_of_a_shortcut(guard: Guard, tmp_path: Path, name: str) -> None:
    """The load of the script is gone: nothing of it may end or start anything."""
    text = f"export const options = {SHORTCUTS[name]};\nexport default function () {{}}\n"
    script = write(tmp_path, "script.js", text)
    scenarios = read_scenarios(await inspected(guard, script))
    assert [each.max_vus for each in scenarios] == [4]
    text = gate_wrapper(script, scenarios, crew_of(scenarios, 9), Transport.REDIS, 9, "cafe")
    found = await inspected(guard, write(tmp_path, "wrapper.js", text))
    assert {key: found.get(key) for key in LOAD} == NO_LOAD
    assert [load["vus"] for load in found["scenarios"].values()] == [9]
    assert list(found["scenarios"]) == ["default"]


async def test_k6_reads_the_wrapper_of_a_script_without_options(
    guard: Guard, tmp_path: Path
) -> None:
    """It runs once by itself, and has one scenario for us."""
    script = write(tmp_path, "script.js", "export default () => {};\n")
    scenarios = read_scenarios(await inspected(guard, script))
    text = gate_wrapper(script, scenarios, crew_of(scenarios, 3), Transport.REDIS, 9, "cafe")
    found = await inspected(guard, write(tmp_path, "wrapper.js", text))
    assert found["scenarios"]["default"]["vus"] == 3


async def test_a_function_that_is_missing_is_told_by_its_name(guard: Guard, tmp_path: Path) -> None:
    """The wrapper must not hide it behind a function of its own."""
    text = """
        export const options = { scenarios: { a: { executor: "constant-vus", exec: "gone" } } };
        export default function () {}
    """
    script = write(tmp_path, "script.js", text)
    scenarios = read_scenarios(await inspected(guard, script))
    text = gate_wrapper(script, scenarios, crew_of(scenarios, 3), Transport.REDIS, 9, "cafe")
    with pytest.raises(SourceError, match="exports no function 'gone'"):
        await inspected(guard, write(tmp_path, "wrapper.js", text))


async def test_k6_reads_the_rest_wrapper(guard: Guard, tmp_path: Path) -> None:
    """Its own executor, without an end."""
    folder = tmp_path / FOLDER
    text = """
        export const options = { vus: 3, duration: "5s", thresholds: { iterations: ["count>1"] } };
        export default function () {}
    """
    script = write(folder, "script.js", text)
    (scenario,) = read_scenarios(await inspected(guard, script))
    found = await inspected(
        guard, write(tmp_path, "wrapper.js", rest_wrapper(script, scenario, 2, 30))
    )
    (load,) = found["scenarios"].values()
    assert (load["executor"], load["vus"], load["maxVUs"]) == ("externally-controlled", 2, 30)
    assert load["duration"] == "0s"
    assert {key: found.get(key) for key in LOAD} == NO_LOAD
    assert found["thresholds"] == {"iterations": ["count>1"]}
