"""Any kind of script runs under the operator's load as it does by itself, but for the load."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio

from collectors.guard_start import guard_running
from collectors.k6.binary import probe_k6
from collectors.k6.command import NATIVE_HISTOGRAMS_FEATURE
from collectors.k6.interactive import BrokenScript, examine
from collectors.k6.plan import K6Result
from collectors.k6.summary import K6Summary
from collectors.samples import LogLine
from collectors.source import SourceError
from tests.integration.controlled import controlled, passed
from tests.integration.counting_server import CountingServer, Counts, counting_server
from tests.integration.k6_versions import EACH_K6, k6_of
from tests.integration.program import alive, family, read_summary
from tests.integration.script_kinds import KINDS, SCRIPTS, THRESHOLD_CROSSED, ScriptKind
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(60),
    pytest.mark.asyncio(loop_scope="module"),
]
each_k6 = pytest.mark.parametrize("version", EACH_K6)

ENDED_BY_SIGINT: Final = 105
LOAD_S: Final = 0.5
BY_NAME: Final = {kind.name: kind for kind in KINDS}
SECRETS: Final = f"file={SCRIPTS / 'secrets.txt'}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_server() -> AsyncIterator[CountingServer]:
    """One for all: to start and end it takes as long as half of a run."""
    async with counting_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(one_server: CountingServer) -> CountingServer:
    """The server, from zero."""
    await one_server.reset()
    return one_server


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program puts its own files, empty before and after."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@dataclass(frozen=True, slots=True)
class Ended:
    """A run whose load was ours for a while, and what came of it."""

    result: K6Result
    summary: K6Summary
    metrics: Mapping[str, Mapping[str, Any]]
    """Of k6's summary file."""
    counts: Counts
    logs: Sequence[LogLine]

    @property
    def errors(self) -> list[str]:
        """What k6 logged as errors, but for the stop."""
        errors = [line.text for line in self.logs if line.level == "error"]
        return [text for text in errors if "'interrupt' signal" not in text]


async def run_interactively(
    version: str,
    path: Path,
    server: CountingServer,
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    seconds: float = LOAD_S,
) -> Ended:
    """Load a script for a while and stop; three VUs are one at least for each scenario."""
    export = folder / "interactive.json"
    words = ["--summary-export", str(export), *arguments]
    whole_env = {"TARGET": server.url, **(env or {})}
    async with controlled(version, path, env=whole_env, arguments=words, vus=3, ceiling=6) as load:
        await passed(await load.begun() + seconds)
        result = await load.stop()
    logs = [each for each in load.samples if isinstance(each, LogLine)]
    assert result.summary is not None, logs
    counts = await server.counts()
    # What holds for every script, whatever it does.
    assert result.exit_code == ENDED_BY_SIGINT
    assert result.summary.requests == counts.total > 0
    assert (counts.gone, counts.in_flight) == (0, 0)
    return Ended(result, result.summary, read_summary(export)["metrics"], counts, logs)


async def run_as_written(
    version: str, path: Path, server: CountingServer, folder: Path, *arguments: str
) -> tuple[Mapping[str, Mapping[str, Any]], str]:
    """Run a script with k6 alone; return the metrics of its summary, and its log."""
    export = folder / "as_written.json"
    words = ["run", "--quiet", "--no-usage-report", "--address", "", "--no-color"]
    words += ["--summary-export", str(export), "-e", f"TARGET={server.url}", *arguments, str(path)]
    process = await asyncio.create_subprocess_exec(
        k6_of(version),
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )
    try:
        async with asyncio.timeout(15):
            _, log = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, log.decode()
    return read_summary(export)["metrics"], log.decode()


def crossed(metrics: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the metrics of which a threshold was crossed."""
    return {name for name, metric in metrics.items() if any(metric.get("thresholds", {}).values())}


def parameters() -> list[Any]:
    """Each kind with each k6."""
    return [
        pytest.param(*version.values, kind, id=f"{version.id}-{kind.name}", marks=version.marks)
        for version in EACH_K6
        for kind in KINDS
    ]


def can_be_loaded(version: str, kind: ScriptKind) -> bool:
    """Tell whether an operator can own the load of this kind with this k6."""
    return kind.interactive and int(version[0]) in kind.k6_majors


CROSSED: Final = {
    "threshold-fails": {"checks{scenario:slow}"},
    # Ten iterations make twenty cups; here there are more.
    "checks-groups-metrics": {"cups"},
}
"""Kinds of which thresholds are crossed, and which."""


@pytest.mark.parametrize(
    ("version", "kind"), [each for each in parameters() if can_be_loaded(*each.values)]
)
async def test_the_load_of_any_script_is_the_operators(
    version: str, kind: ScriptKind, server: CountingServer, tmp_path: Path, temporary: Path
) -> None:
    """It asks for all that it asks for by itself, exactly counted, and its thresholds judge."""
    ended = await run_interactively(version, kind.path, server, tmp_path, *kind.arguments)
    assert set(ended.counts.paths) == kind.paths
    assert crossed(ended.metrics) == CROSSED.get(kind.name, set())
    assert ended.summary.thresholds_crossed == (kind.name in CROSSED)
    if kind.exit_code == THRESHOLD_CROSSED:
        assert kind.name in CROSSED
    if kind.name != "throws":
        assert ended.errors == []
    assert os.listdir(temporary) == []
    match kind.name:
        case "setup-teardown":
            assert (ended.counts.paths["/setup"], ended.counts.paths["/teardown"]) == (1, 1)
        case "handle-summary":
            assert ended.result.summary_text == f"HANDLED {ended.counts.total}"
        case "scenarios":
            bought = ended.metrics["http_reqs{scenario:buy}"]["count"]
            assert bought == ended.counts.paths["/buy"]
            searched = ended.metrics["iterations{area:index}"]["count"]
            assert searched == ended.counts.paths["/search"]
            browsed = ended.metrics["http_req_failed{scenario:browse}"]
            assert browsed["passes"] + browsed["fails"] == ended.counts.paths["/browse"]
        case "options-from-config":
            assert ended.metrics["http_reqs{from:script}"]["count"] == ended.counts.total


SAID: Final = {
    "throws-in-init": "no good from the start",
    "no-default": "default",
    "externally-controlled": "externally-controlled",
}
"""What the reason must name."""


@pytest.mark.parametrize(
    ("version", "kind"), [each for each in parameters() if not can_be_loaded(*each.values)]
)
async def test_what_cannot_be_loaded_is_refused_with_the_reason(
    version: str, kind: ScriptKind, server: CountingServer, temporary: Path
) -> None:
    """In one line, before anything runs, and nothing is left of the attempt."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TARGET": server.url}
    async with guard_running() as guard:
        before = family(os.getpid())
        binary = await probe_k6(guard, k6_of(version))
        with pytest.raises(SourceError) as refused:
            await examine(guard, binary, kind.path, kind.arguments, env)
        await eventually(lambda: not alive(family(os.getpid()) - before))
    said = refused.value.message
    assert isinstance(refused.value, BrokenScript)
    assert SAID[kind.name] in said
    assert "\n" not in said
    assert len(said) < 400
    assert "wrapper" not in said
    assert os.listdir(temporary) == []
    assert (await server.counts()).total == 0


@pytest.mark.parametrize("version", EACH_K6[1:])
async def test_secrets_named_in_the_environment_arrive(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """The source stays the default one beside ours: a threshold fails where no key arrives."""
    kind = BY_NAME["secrets"]
    env = {"K6_SECRET_SOURCE": SECRETS}
    ended = await run_interactively(version, kind.path, server, tmp_path, env=env)
    assert set(ended.counts.paths) == kind.paths
    assert ended.summary.checks_passed == ended.counts.total
    assert crossed(ended.metrics) == set()


SHARES: Final = {"/delay/200": 6, "/delay/200.0": 3, "/delay/200.00": 3}
"""VUs of three scenarios by what they ask for: three ways to write 200 ms."""
SHARED: Final = """
import http from 'k6/http';
const constant = { executor: 'constant-vus', duration: '1s' };
export const options = { scenarios: {
  most: { ...constant, vus: 6, env: { PLACE: '/delay/200' } },
  some: { ...constant, vus: 3, env: { PLACE: '/delay/200.0' } },
  others: { executor: 'ramping-vus', stages: [{ duration: '1s', target: 3 }],
            env: { PLACE: '/delay/200.00' } },
} };
export default function () { http.get(`${__ENV.TARGET}${__ENV.PLACE}`); }
"""


@each_k6
async def test_scenarios_keep_their_shares(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """6 : 3 : 3 VUs ask 6 : 3 : 3 times as often, within 10 %."""
    path = tmp_path / "shares.js"
    path.write_text(SHARED)
    async with controlled(version, path, env={"TARGET": server.url}, vus=12, ceiling=24) as load:
        await load.begun()
        await eventually(lambda: load.control.state.running == 12)
        await server.reset()
        await passed(time.monotonic() + 3.0)
        counts = await server.counts()
        await load.stop()
    assert counts.most_in_flight == 12
    shares = {path: count * 12 / counts.total for path, count in counts.paths.items()}
    assert shares == pytest.approx(SHARES, rel=0.10)


THROWN_AT: Final = re.compile(r"file://(\S+?):(\d+):\d+")


@each_k6
async def test_an_error_names_its_place_in_the_script(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """The same file and line as in a run as written."""
    path = BY_NAME["throws"].path
    _, log = await run_as_written(version, path, server, tmp_path)
    (place,) = set(THROWN_AT.findall(log))
    assert place[0] == str(path)
    await server.reset()
    ended = await run_interactively(version, path, server, tmp_path)
    thrown = [text for text in ended.errors if "every fifth" in text]
    assert thrown == ended.errors != []
    assert {THROWN_AT.findall(text)[0] for text in thrown} == {place}


PASSED_ON: Final = """
import http from 'k6/http';
import { check } from 'k6';
export default function () {
  const answer = http.get(`${__ENV.TARGET}/header/user-agent`);
  check(answer, { 'as in the file': (a) => a.body === 'made-up/1' });
  http.get(`${__ENV.TARGET}/${__ENV.GIVEN}`);
}
"""


@each_k6
async def test_options_for_k6_pass_through(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """`-e`, `--tag`, and what stands in the file of `--config`, but for its load."""
    path, config = tmp_path / "script.js", tmp_path / "config.json"
    path.write_text(PASSED_ON)
    judged = {"http_reqs{run:mine}": ["count>2"], "checks": ["rate==1"]}
    content = {"vus": 1, "iterations": 1, "thresholds": judged, "userAgent": "made-up/1"}
    config.write_bytes(msgspec.json.encode(content))
    words = ["-e", "GIVEN=word", "--tag", "run=mine", "--config", str(config)]
    ended = await run_interactively(version, path, server, tmp_path, *words)
    assert set(ended.counts.paths) == {"/header/user-agent", "/word"}
    assert ended.metrics["http_reqs{run:mine}"]["count"] == ended.counts.total > 2
    assert ended.metrics["checks"]["thresholds"] == {"rate==1": False}
    assert crossed(ended.metrics) == set()


TRUTH: Final = """
import exec from 'k6/execution';
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const cups = new Counter('cups');
const leaves_left = new Gauge('leaves_left');
const sweetened = new Rate('sweetened');
const steeped = new Trend('steeped', true);
const scenario = (name, vus) => ({
  executor: 'constant-vus', exec: name, vus, duration: '1500ms', tags: { part: `of ${name}` },
});
export const options = {
  scenarios: { sync: scenario('sync', 2), async: scenario('async', 1) },
  thresholds: { 'http_reqs{part:of sync}': ['count>1'], 'cups{size:large}': ['count>1'] },
  tags: { release: '1' },
};

export function setup() {
  http.get(`${__ENV.TARGET}/setup`);
  return { small: 'small' };
}
export function sync(data) {
  group('kitchen', () => {
    const answer = http.get(`${__ENV.TARGET}/kettle`);
    check(answer, { 'is hot': (a) => a.status === 200, 'is cold': (a) => a.status === 404 });
    group('table', () => {
      steeped.add(http.get(`${__ENV.TARGET}/pot`, { tags: { name: 'pot' } }).timings.duration);
      http.batch([`${__ENV.TARGET}/status/404`, `${__ENV.TARGET}/cup`]);
    });
  });
  exec.vu.metrics.tags.later = 'yes';
  cups.add(2, { size: 'large' });
  cups.add(1, { size: data.small });
  leaves_left.add(__ITER);
  delete exec.vu.metrics.tags.later;
  sleep(0.05);
}
export async function async(data) {
  const answer = await http.asyncRequest('GET', `${__ENV.TARGET}/async`, null, {
    tags: { size: data.small },
  });
  check(answer, { 'is async': (a) => a.status === 200 }, { kind: 'late' });
  sweetened.add(true);
  await Promise.all([1, 2].map((n) => http.asyncRequest('GET', `${__ENV.TARGET}/both/${n}`)));
  sweetened.add(false);
  http.get(`${__ENV.TARGET}/status/500`);
  sleep(0.05);
}
export function teardown() {
  http.get(`${__ENV.TARGET}/teardown`);
}
"""
TIMED: Final = frozenset({"vus", "vus_max", "iteration_duration", "data_sent", "data_received"})
"""Metrics whose number of samples or values is of the time, not of the iterations."""


@dataclass
class Told:
    """What k6 wrote with `--out json`, put together so that two runs can be compared."""

    metrics: dict[str, Any] = field(default_factory=dict)
    """What each metric is."""
    tags: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """All values of each tag of each metric."""
    samples: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """How many there are by scenario, metric and all their tags."""
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of the values of counters and rates, by scenario and metric."""

    def ratios(self) -> dict[tuple[str, ...], Fraction]:
        """Return samples and sums per iteration of their scenario, or of setup and teardown."""
        iterations: Counter[str] = Counter()
        for (scenario, metric, *_), count in self.samples.items():
            if metric == "iterations":
                iterations[scenario] += count
        return {
            (kind, *key): Fraction(count) / (iterations[key[0]] or 1)
            for kind, counted in (("samples", self.samples), ("sum", self.sums))
            for key, count in counted.items()
            if key[1] not in TIMED
        }


def read_told(path: Path) -> Told:
    """Read a file of `--out json`: a metric or a sample on each line."""
    told = Told()
    for line in path.read_bytes().splitlines():
        entry = msgspec.json.decode(line)
        name, data = entry["metric"], entry["data"]
        if entry["type"] == "Metric":
            told.metrics[name] = {key: data[key] for key in ("type", "contains", "thresholds")}
            continue
        tags = {key: str(value) for key, value in (data.get("tags") or {}).items()}
        for key, value in tags.items():
            told.tags[name, key].add(value)
        scenario = tags.get("scenario", "")
        told.samples[scenario, name, *(f"{key}={tags[key]}" for key in sorted(tags))] += 1
        if told.metrics[name]["type"] in ("counter", "rate"):
            told.sums[scenario, name] += data["value"]
    return told


@each_k6
async def test_the_metrics_are_those_of_a_run_as_written(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """Every sample, tag and ratio to the iterations: nothing is missing, nothing is of ours."""
    path = tmp_path / "truth.js"
    path.write_text(TRUTH)
    by_itself, by_us = tmp_path / "by_itself.json", tmp_path / "by_us.json"
    words = ["--out", f"json={by_itself}"]
    if version != "1.1":
        # With it, which our stream needs, k6 2.x marks each sample with a tag.
        words += ["--features", NATIVE_HISTOGRAMS_FEATURE]
    theirs, _ = await run_as_written(version, path, server, tmp_path, *words)
    await server.reset()
    ended = await run_interactively(
        version, path, server, tmp_path, "--out", f"json={by_us}", seconds=1.5
    )
    assert set(ended.metrics) == set(theirs)
    for name in ("http_req_failed", "checks"):
        assert ended.metrics[name].keys() == theirs[name].keys()
    expected, found = read_told(by_itself), read_told(by_us)
    assert found.metrics == expected.metrics
    assert found.tags == expected.tags
    assert found.ratios() == expected.ratios()
    places = set(re.findall(r"127\.0\.0\.1:\d+", by_us.read_text()))
    assert places == {f"127.0.0.1:{server.port}"}
