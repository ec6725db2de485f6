from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.scenarios import DEFAULT_GRACE_S, Scenario, has_load, read_scenarios, seconds
from collectors.source import SourceError


def read(**settings: Any) -> Scenario:
    (scenario,) = read_scenarios({"scenarios": {"it": settings}})
    return scenario


def vus(scenario: Scenario) -> tuple[int, int]:
    return scenario.start_vus, scenario.max_vus


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"executor": "shared-iterations", "vus": 5, "iterations": 100}, (5, 5)),
        ({"executor": "shared-iterations"}, (1, 1)),
        ({"executor": "per-vu-iterations", "vus": 7, "iterations": 2}, (7, 7)),
        ({"executor": "constant-vus", "vus": 9, "duration": "1m0s"}, (9, 9)),
        ({"executor": "constant-vus", "vus": None}, (1, 1)),
        ({"executor": "ramping-vus", "stages": [{"target": 30}, {"target": 4}]}, (1, 30)),
        ({"executor": "ramping-vus", "startVUs": 50, "stages": [{"target": 3}]}, (50, 50)),
        ({"executor": "ramping-vus", "startVUs": 0, "stages": [{"target": 8}]}, (0, 8)),
        ({"executor": "ramping-vus", "startVUs": 0, "stages": [{"target": 0}]}, (0, 1)),
        ({"executor": "constant-arrival-rate", "rate": 9, "preAllocatedVUs": 20}, (20, 20)),
        (
            {"executor": "constant-arrival-rate", "preAllocatedVUs": 20, "maxVUs": 50},
            (20, 50),
        ),
        (
            {"executor": "ramping-arrival-rate", "preAllocatedVUs": 2, "stages": [{"target": 900}]},
            (2, 2),
        ),
        ({"executor": "ramping-arrival-rate", "preAllocatedVUs": 0, "maxVUs": 0}, (0, 1)),
        ({"executor": "externally-controlled", "vus": 10, "maxVUs": 40}, (10, 40)),
        ({"executor": "externally-controlled"}, (0, 1)),
    ],
)
def test_every_executor_tells_its_vus(settings: dict[str, Any], expected: tuple[int, int]) -> None:
    """How many begin, and how many there may be: targets of arrival rates are no VUs."""
    scenario = read(**settings)
    assert vus(scenario) == expected
    assert (scenario.name, scenario.executor) == ("it", settings["executor"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"executor": "constant-arrival-rate", "rate": 30}, 30.0),
        ({"executor": "constant-arrival-rate", "rate": 30, "timeUnit": "1m0s"}, 0.5),
        ({"executor": "constant-arrival-rate", "rate": 3, "timeUnit": 500}, 6.0),
        ({"executor": "ramping-arrival-rate", "startRate": 40, "stages": [{"target": 9}]}, 40.0),
        (
            {
                "executor": "ramping-arrival-rate",
                "startRate": 0,
                "stages": [{"target": 0}, {"target": 9}],
            },
            9.0,
        ),
        ({"executor": "ramping-arrival-rate"}, 0.0),
        ({"executor": "constant-arrival-rate", "rate": 30, "timeUnit": "0s"}, 30.0),
        ({"executor": "constant-vus", "rate": 30}, 0.0),
        ({"executor": "ramping-vus", "stages": [{"target": 9}]}, 0.0),
    ],
)
def test_arrival_rates_tell_their_rate(settings: dict[str, Any], expected: float) -> None:
    """Iterations per second; the others have none."""
    assert read(**settings).start_rate == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (1, 1)),
        ({"vus": 12, "duration": "30s"}, (12, 12)),
        ({"vus": 12, "iterations": 100}, (12, 12)),
        ({"iterations": 100}, (1, 1)),
        ({"stages": [{"duration": "5s", "target": 25}, {"duration": "5s", "target": 0}]}, (1, 25)),
        ({"vus": 40, "stages": [{"duration": "5s", "target": 25}]}, (40, 40)),
        ({"vus": 0}, (0, 1)),
        ({"vus": 3, "scenarios": {}}, (3, 3)),
        ({"vus": 3, "scenarios": None, "stages": None, "duration": None}, (3, 3)),
    ],
)
def test_options_that_are_short_for_one_scenario(
    options: dict[str, Any], expected: tuple[int, int]
) -> None:
    """It is called default, and runs the default function."""
    (scenario,) = read_scenarios(options)
    assert vus(scenario) == expected
    assert (scenario.name, scenario.function) == ("default", "default")
    assert (scenario.graceful_stop_s, dict(scenario.kept)) == (DEFAULT_GRACE_S, {})


def test_scenarios_win_over_what_is_short_for_one() -> None:
    """In their own order."""
    told = {
        "vus": 99,
        "scenarios": {
            "z": {"executor": "constant-vus", "vus": 1, "exec": "browse"},
            "a": {"executor": "constant-vus", "vus": 2},
        },
    }
    assert [(each.name, each.function, each.max_vus) for each in read_scenarios(told)] == [
        ("z", "browse", 1),
        ("a", "default", 2),
    ]


@pytest.mark.parametrize("start_time", ["10s", "1m0s", 5_000, 0.5, "5000", "1d"])
def test_a_scenario_that_starts_later_has_no_vus_at_first(start_time: object) -> None:
    """The most it may have stays."""
    scenario = read(executor="constant-vus", vus=10, startTime=start_time)
    assert vus(scenario) == (0, 10)


@pytest.mark.parametrize("start_time", [None, "0s", "0", 0, "", "soon", [], float("nan")])
def test_a_scenario_that_starts_at_once_has_its_vus(start_time: object) -> None:
    """So k6 writes it when it was not given, and so it is when it can't be read."""
    assert vus(read(executor="constant-vus", vus=10, startTime=start_time)) == (10, 10)


@pytest.mark.parametrize(
    ("given_stop", "expected_s"),
    [
        ("5s", 5.0),
        ("1m30s", 90.0),
        (2_500, 2.5),
        ("2500", 2.5),
        (0, 0.0),
        ("0s", 0.0),
        (None, 30.0),
    ],
)
def test_the_graceful_stop_is_told_in_seconds_and_kept(
    given_stop: object, expected_s: float
) -> None:
    """Kept as it was written, if it was."""
    scenario = read(executor="constant-vus", gracefulStop=given_stop)
    assert scenario.graceful_stop_s == pytest.approx(expected_s)
    assert dict(scenario.kept) == ({} if given_stop is None else {"gracefulStop": given_stop})


def test_what_does_not_tell_the_load_is_kept() -> None:
    """And nothing else: the rest is the operator's."""
    kept = {
        "env": {"A": "1"},
        "tags": {"team": "x"},
        "gracefulStop": "3s",
        "options": {"browser": {"type": "chromium"}},
    }
    load = {"startTime": "3s", "vus": 3, "duration": "1m0s", "maxDuration": "5s", "exec": "go"}
    assert dict(read(executor="constant-vus", **load, **kept).kept) == kept
    assert dict(read(executor="constant-vus", env=None, tags=None, options=None).kept) == {}


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("1h2m3s", 3_723.0),
        ("24h0m0s", 86_400.0),
        ("1d12h", 129_600.0),
        ("1.5h", 5_400.0),
        (".5s", 0.5),
        ("2.s", 2.0),
        ("250ms", 0.25),
        ("1m0.25s", 60.25),
        ("10µs", 1e-5),
        ("10μs", 1e-5),
        ("10us", 1e-5),
        ("10ns", 1e-8),
        ("1500", 1.5),
        (1_500, 1.5),
        (1.5, 0.0015),
    ],
)
def test_durations_as_k6_writes_and_reads_them(value: object, expected_s: float) -> None:
    """Text of numbers with units, days too; a number alone is milliseconds, also as text."""
    assert seconds(value, 7.0) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", [], {}, float("inf"), float("nan"), 10**400, "9" * 400 + "s", "nan", "²s"],
)
def test_a_duration_that_is_none_is_the_default(value: object) -> None:
    """Nothing is raised: k6 itself tells what is wrong."""
    assert seconds(value, 7.0) == 7.0


@pytest.mark.parametrize(
    "count", ["5", True, None, -1, float("nan"), float("inf"), 10**400, 1e9, [], {}]
)
def test_a_number_of_vus_that_is_none_is_the_default(count: object) -> None:
    """Of the executor."""
    assert vus(read(executor="constant-vus", vus=count)) == (1, 1)
    assert vus(read(executor="ramping-vus", startVUs=count, stages=[{"target": count}])) == (1, 1)
    assert vus(read(executor="externally-controlled", vus=count, maxVUs=count)) == (0, 1)
    assert read(executor="constant-arrival-rate", rate=count).start_rate == 0.0
    (scenario,) = read_scenarios({"vus": count, "stages": [{"target": count}]})
    assert vus(scenario) == (1, 1)


@pytest.mark.parametrize("stages", [None, {}, "", "30", [], [None], ["x"], [{}], [[5]]])
def test_stages_that_are_none_have_no_targets(stages: object) -> None:
    """Those that are count, the others do not."""
    assert vus(read(executor="ramping-vus", startVUs=2, stages=stages)) == (2, 2)
    (scenario,) = read_scenarios({"stages": stages})
    assert vus(scenario) == (1, 1)


def test_a_broken_stage_does_not_hide_the_others() -> None:
    """The highest of the good ones counts."""
    stages = [None, {"target": 4}, {"target": "9"}, {"target": 2}]
    assert vus(read(executor="ramping-vus", stages=stages)) == (1, 4)


@pytest.mark.parametrize(
    "function", ["default", "browse", "_", "$", "$a1", "aB_9", "kaufen_öffnen", "änderung"]
)
def test_names_of_functions(function: str) -> None:
    """As they may be exported."""
    assert read(executor="constant-vus", exec=function).function == function


@pytest.mark.parametrize("function", [None, "", 0])
def test_without_a_function_it_is_the_default_one(function: object) -> None:
    """So k6 does it too."""
    assert read(executor="constant-vus", exec=function).function == "default"


@pytest.mark.parametrize(
    "function",
    [
        *(
            "a b",
            "a-b",
            "1a",
            "a.b",
            "a()",
            "a;b",
            "a\n",
            "\na",
            "a\u2028b",
            "a'",
            'a"',
            "`",
            "a\\",
        ),
        *("a²", "a·²", "*", "a,b", "a/*", "\x00", "a\u200bb", 5, {"a": 1}),
    ],
)
def test_what_is_no_name_of_a_function_is_refused(function: object) -> None:
    """It would be written into a script; the message shows no control characters."""
    with pytest.raises(SourceError, match="no name of a function") as caught:
        read(executor="constant-vus", exec=function)
    assert str(caught.value).isprintable()
    assert "--as-written" in caught.value.hint


@pytest.mark.parametrize("settings", [None, [], "constant-vus", 5])
def test_a_scenario_without_settings_is_refused(settings: object) -> None:
    """By its name, without control characters."""
    with pytest.raises(SourceError, match=r"scenario a.*b has no settings") as caught:
        read_scenarios({"scenarios": {"a\x1bb": settings}})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["vus", "duration", "iterations", "stages", "scenarios"])
def test_options_that_tell_the_load(key: str) -> None:
    """Null is how k6 writes what was not given."""
    assert has_load({key: 0})
    assert not has_load({key: None, "thresholds": {}, "tags": {"a": "b"}})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
executors = st.sampled_from(
    ["ramping-vus", "constant-vus", "ramping-arrival-rate", "externally-controlled", "odd"]
)
keys = ("vus", "startVUs", "maxVUs", "preAllocatedVUs", "rate", "timeUnit", "stages", "startTime")
scenarios = st.fixed_dictionaries(
    {"executor": executors},
    optional={**dict.fromkeys((*keys, "gracefulStop"), anything), "exec": st.text(max_size=3)},
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "scenarios": st.dictionaries(st.text(max_size=4), scenarios | anything, max_size=3),
            "vus": anything,
            "stages": anything | st.lists(st.fixed_dictionaries({"target": anything}), max_size=3),
        },
    )
)
def test_no_options_are_too_odd(options: dict[str, Any]) -> None:
    """They are read, or refused."""
    try:
        found = read_scenarios(options)
    except SourceError:
        return
    for each in found:
        assert 0 <= each.start_vus <= each.max_vus
        assert each.max_vus >= 1
        assert each.start_rate >= 0.0
