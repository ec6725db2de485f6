"""The real k6 runs the arithmetic of the wrapper's script; it has to agree with ours."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.k6.binary import find_k6
from collectors.k6.gate import blanks
from collectors.k6.wrapper import TEMPLATE
from collectors.process import PIPE, STDOUT, Guard

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENV = {"PATH": "/usr/local/bin:/usr/bin", "HOME": "/nonexistent"}
VUS, RATE = 0, 1
AT_MS = 1_700_000_000_000.0
FRESH_MS = AT_MS + 400.0

# Runs once: puts each case into the script's own variables and writes down what comes out.
DRIVER = """
const cases = JSON.parse(open("./cases.json"));
const texts = JSON.parse(open("./texts.json"));
export default function () {
  const turns = cases.map((each) => {
    ({ rank, count, mode, at, from, slope, starts, mine, fresh } = each);
    running = each.running === 1;
    const turn = nextTurn(each.now);
    return { turn, mine, free };
  });
  console.log(JSON.stringify({ turns, numbers: texts.map(numbers) }));
}
"""


async def run(
    guard: Guard, folder: Path, cases: Sequence[dict[str, float]], texts: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the script makes of cases and of answers; Infinity comes as None."""
    (folder / "user.js").write_text("export default function () {}\n")
    (folder / "cases.json").write_text(json.dumps(cases))
    (folder / "texts.json").write_text(json.dumps(texts))
    script = TEMPLATE.read_text(encoding="utf-8")
    for placeholder, text in (
        ("/* transport */", "const ask = () => { throw new Error('nobody is to be asked'); };"),
        ('/* script */ ""', '"./user.js"'),
        ("/* options */", "export const options = { vus: 1, iterations: 1 };"),
        ("/* functions */", DRIVER),
    ):
        assert placeholder in script
        script = script.replace(placeholder, text)
    (folder / "driven.js").write_text(script)
    argv = [find_k6(None, ENV), "run", "--quiet", "--no-usage-report", "--no-summary"]
    argv += ["--address", "127.0.0.1:0", "--log-format", "json", "driven.js"]
    child = await guard.spawn("k6", argv, env=ENV, cwd=str(folder), stdout=PIPE, stderr=STDOUT)
    assert child.stdout is not None
    output = await child.stdout.read()
    assert await child.wait() == 0, output.decode()
    messages = [json.loads(line)["msg"] for line in output.splitlines() if line.startswith(b"{")]
    (said,) = [each for each in messages if each.startswith("{")]
    found: dict[str, Any] = json.loads(said)
    return found


def case(mode: int, **values: float) -> dict[str, float]:
    """One VU of ten on a line that begins at `AT_MS`, asked 100 ms later unless said."""
    usual = {"rank": 3, "count": 10, "at": AT_MS, "from": 0.0, "slope": 0.0, "starts": 0.0}
    usual |= {"mine": 2, "fresh": FRESH_MS, "now": AT_MS + 100, "running": 1}
    return {**usual, "mode": mode, **values}


async def test_answers_are_read_as_they_are_written(guard: Guard, tmp_path: Path) -> None:
    """Zero and large numbers too, as far as JavaScript counts exactly."""
    written = [[0], [1, 2, 3], [1, 0, 5_000, 400, 2**53 - 1, 1_500], [0, 0, 0, 3_000, 0, 500]]
    told = await run(guard, tmp_path, [], [blanks(each).decode() for each in written])
    assert told["numbers"] == written


async def test_a_vu_runs_while_the_target_is_above_its_rank(guard: Guard, tmp_path: Path) -> None:
    """From half a VU below it on; on a line that falls it is free until it crosses that."""
    cases = [
        case(VUS, **{"from": 3.0}),
        case(VUS, **{"from": 2.5}),
        case(VUS, **{"from": 2.4}),
        case(VUS, **{"from": 0.0, "slope": 0.01}),  # 2.5 VUs after 250 ms
        case(VUS, **{"from": 4.0, "slope": -0.01}),  # 2.5 VUs after 150 ms
        case(VUS, **{"from": 4.0, "slope": -0.001}),  # 2.5 VUs long after the line is old
        case(VUS, **{"from": 3.0, "slope": -0.01}),  # 2.5 VUs half a tick ago
        case(VUS, **{"from": 900.0, "rank": 0}),
    ]
    told = (await run(guard, tmp_path, cases))["turns"]
    now = AT_MS + 100
    turns = [each["turn"] for each in told]
    assert turns == [now, now, None, pytest.approx(AT_MS + 250), now, now, None, None]
    assert [told[n]["free"] for n in (0, 1)] == [FRESH_MS] * 2
    assert told[4]["free"] == pytest.approx(AT_MS + 150, abs=1e-3)
    assert told[5]["free"] == FRESH_MS


async def test_a_vu_starts_its_iterations_when_they_are_due(guard: Guard, tmp_path: Path) -> None:
    """On flat lines, ramps from and to nothing, and after the rate has been turned off."""
    cases = [
        case(RATE, **{"from": 0.01}),  # the third is due after 200 ms
        case(RATE, **{"from": 0.02}),  # just now
        case(RATE, **{"from": 0.05}),  # 60 ms ago
        case(RATE, **{"from": 0.0, "slope": 0.0001}),  # due = t²/20000: 200 ms
        case(RATE, **{"from": 0.02, "slope": -0.0001, "now": AT_MS}),  # 2 are due at its end
        case(RATE, **{"from": 0.02, "slope": -0.0001, "now": AT_MS, "mine": 3}),  # never
        case(RATE),
        case(RATE, **{"from": 0.01, "slope": -0.001}),
        case(RATE, **{"from": 0.01, "rank": 0}),
    ]
    told = (await run(guard, tmp_path, cases))["turns"]
    now = AT_MS + 100
    assert [each["turn"] for each in told] == [
        *(pytest.approx(AT_MS + 200, abs=1e-3), now, now, pytest.approx(AT_MS + 200, abs=1e-3)),
        *(pytest.approx(AT_MS + 200, abs=1e-3), None, None, None, None),
    ]
    assert [each["mine"] for each in told] == [2, 2, 2, 2, 2, 3, 2, 2, 2]


async def test_what_is_late_by_more_than_a_second_is_left_out(guard: Guard, tmp_path: Path) -> None:
    """The VU takes its next number that is not: every tenth is its own."""
    rate = {"from": 0.1, "count": 10}  # ten in 100 ms
    cases = [
        case(RATE, **rate, starts=92.0),  # 102 are due, of which 100 belong to the last second
        case(RATE, **rate, starts=92.5),
        case(RATE, **rate, starts=1_000.0),
        case(RATE, **{"from": 0.0, "slope": 1e-9}, starts=1_000.0),
        case(RATE, **rate, starts=92.0, running=0),  # a VU that waited has a tenth of a second
    ]
    told = (await run(guard, tmp_path, cases))["turns"]
    assert [each["mine"] for each in told] == [2, 12, 912, 1_002, 92]
    assert [each["turn"] for each in told[:3]] == [AT_MS + 100] * 3
    assert told[3]["turn"] > AT_MS + 100


async def test_turns_are_where_the_areas_say(guard: Guard, tmp_path: Path) -> None:
    """Any line: at its turn as many iterations are due as come before this one, not earlier."""
    chance = random.Random(20_240_229)
    cases = [
        case(
            RATE,
            starts=float(chance.randrange(1_000)),
            slope=chance.choice([0.0, 1.0, -1.0]) * chance.uniform(0, 1e-4),
            now=AT_MS + chance.uniform(0, 400),
            **{"from": chance.uniform(0, 0.2)},
        )
        for _ in range(500)
    ]
    for each in cases:
        each["mine"] = math.floor(each["starts"]) + chance.randrange(40)
    told = (await run(guard, tmp_path, cases))["turns"]
    waits = nevers = 0
    for each, found in zip(cases, told, strict=True):

        def due(at: float, line: dict[str, float] = each) -> float:
            dt = at - line["at"]
            return line["starts"] + line["from"] * dt + line["slope"] * dt * dt / 2

        now, mine = each["now"], found["mine"]
        falls_until = AT_MS - each["from"] / each["slope"] if each["slope"] < 0 else math.inf
        if found["turn"] is None:
            nevers += 1
            assert now >= falls_until or due(falls_until) <= mine + 1e-6
        elif found["turn"] > now:
            waits += 1
            assert due(found["turn"]) == pytest.approx(mine, abs=1e-3)
            assert found["turn"] <= falls_until + 1e-3
        else:
            assert due(now) >= mine - 1e-6
    assert waits > 100
    assert nevers > 10
