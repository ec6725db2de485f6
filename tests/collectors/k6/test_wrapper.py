from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.gate import TICK_MS
from collectors.k6.scenarios import Scenario
from collectors.k6.wrapper import (
    FOREVER,
    TEMPLATE,
    Crew,
    Transport,
    crew_of,
    gate_wrapper,
    rest_wrapper,
)

ODD_PATHS = [
    "/plain/script.js",
    "/with blank/a script.js",
    "/hash#1/query?x=1/100%/%20/script.js",
    "/single'/double\"/back`tick/$" + "{x}/script.js",
    "/back\\slash\\n/script.js",
    "/Prüfung/größe/日本/script.ts",
    "/line\nend/tab\t/script.js",
    "/*/ /* options */ /**/script.js",
]


def scenario(name: str, max_vus: int = 1, function: str = "default", **more: Any) -> Scenario:
    return Scenario(name, function, "constant-vus", 1, max_vus, **more)


def wrapped(
    *scenarios: Scenario,
    script: str = "/a/script.js",
    ceiling: int = 10,
    transport: Transport = Transport.SECRETS,
) -> str:
    crew = crew_of(scenarios, ceiling)
    return gate_wrapper(Path(script), scenarios, crew, transport, 4_711, "cafe")


def load_of(text: str) -> dict[str, Any]:
    """Read the scenarios out of the options of a wrapper."""
    (found,) = re.findall(
        r"^export const options = \{ \.\.\.kept, stages: \[\], scenarios: (.*) \};$", text, re.M
    )
    load: dict[str, Any] = json.loads(found)
    return load


def sources_of(text: str) -> list[str]:
    """Return what is imported or exported from files."""
    found = re.findall(r'^(?:import \* as script|export \*) from ("file:.*");$', text, re.M)
    return [json.loads(each) for each in found]


def exports_of(text: str) -> list[str]:
    names = re.findall(r"^export \{ \S+ as (\S+) \};$", text, re.M)
    return names + ["default"] * text.count("export default ")


def test_a_crew_has_the_shares_of_the_scenarios() -> None:
    """By their greatest numbers of VUs; every beginning of the crew has them too."""
    crew = crew_of([scenario("a", 20), scenario("b", 10)], 9)
    assert crew == Crew(((1, 3, 4, 6, 7, 9), (2, 5, 8)))
    assert crew.ceiling == 9


def test_a_crew_of_rates_has_the_shares_of_the_rates() -> None:
    """If all have one: the VUs of an arrival rate tell nothing of its share."""
    by_rate = [scenario("a", 500, start_rate=1.0), scenario("b", 5, start_rate=3.0)]
    assert [len(ranks) for ranks in crew_of(by_rate, 40).slots] == [10, 30]
    mixed = [scenario("a", 30, start_rate=1.0), scenario("b", 10)]
    assert [len(ranks) for ranks in crew_of(mixed, 40).slots] == [30, 10]


def test_a_crew_has_a_vu_for_every_scenario() -> None:
    """Also where the ceiling is lower."""
    crew = crew_of([scenario("a", 1_000), scenario("b"), scenario("c")], 1)
    assert sorted(len(ranks) for ranks in crew.slots) == [1, 1, 1]
    assert crew.ceiling == 3


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=6), st.integers(1, 200))
def test_every_rank_of_a_crew_is_given_once(most: list[int], ceiling: int) -> None:
    """From 1 on, ascending in each scenario."""
    crew = crew_of([scenario(str(n), vus) for n, vus in enumerate(most)], ceiling)
    assert all(list(ranks) == sorted(ranks) for ranks in crew.slots)
    ranks = sorted(rank for ranks in crew.slots for rank in ranks)
    assert ranks == list(range(1, max(ceiling, len(most)) + 1))


@pytest.mark.parametrize("path", ODD_PATHS)
def test_the_script_is_named_by_a_url_of_plain_characters(path: str) -> None:
    """It leads to the file; nothing in it can end the string that it stands in."""
    one = scenario("it")
    texts = [wrapped(one, script=path), rest_wrapper(Path(path), one, 1, 2)]
    for text in texts:
        sources = sources_of(text)
        assert len(sources) == 2
        for source in sources:
            assert re.fullmatch(r"file:///[A-Za-z0-9/._~%!$&'()*+,;=:@-]*", source)
            assert unquote(urlsplit(source).path) == path


@pytest.mark.parametrize("transport", [Transport.SECRETS, Transport.REDIS])
def test_no_placeholder_is_left(transport: Transport) -> None:
    """Every one of them is in the template, and none in the wrapper."""
    placeholders = re.findall(r"/\*.*?\*/", TEMPLATE.read_text(encoding="utf-8"))
    assert sorted(set(placeholders)) == [
        *(
            "/* functions */",
            "/* options */",
            "/* script */",
            "/* stale */",
            "/* tick */",
            "/* transport */",
        )
    ]
    text = wrapped(scenario("a"), scenario("b", function="go"), transport=transport)
    assert "/*" not in text
    assert f"const TICK_MS = {TICK_MS};" in text


def test_secrets_are_asked_for_the_answers() -> None:
    """The token stands elsewhere."""
    text = wrapped(scenario("it"), transport=Transport.SECRETS)
    assert 'import secrets from "k6/secrets";' in text
    assert "redis" not in text
    assert "cafe" not in text
    assert "4711" not in text


def test_redis_is_asked_for_the_answers() -> None:
    """On the port of the gate, with its token."""
    text = wrapped(scenario("it"), transport=Transport.REDIS)
    assert '"redis://:cafe@127.0.0.1:4711"' in text
    assert "k6/secrets" not in text


def test_every_scenario_becomes_one_of_as_many_vus_as_there_may_be() -> None:
    """Under its own name, with what it keeps."""
    kept = {"env": {"A": 'quo"te'}, "tags": {"team": "ü"}, "gracefulStop": "3s"}
    text = wrapped(scenario("a", 3, "go", kept=kept), scenario("b", 1), ceiling=8)
    assert load_of(text) == {
        "a": {"executor": "constant-vus", "vus": 6, "duration": FOREVER, "exec": "go", **kept},
        "b": {"executor": "constant-vus", "vus": 2, "duration": FOREVER, "exec": "default"},
    }


def test_a_function_is_exported_once_though_scenarios_share_it() -> None:
    """It knows the places of all of them."""
    text = wrapped(
        scenario("a", function="go"),
        scenario("b"),
        scenario("c", function="go"),
        scenario("d", function="$x"),
    )
    assert sorted(exports_of(text)) == ["$x", "default", "go"]
    assert 'const gated_go = gated({"a": 0, "c": 2}, "go");' in text
    assert 'export default gated({"b": 1}, "default");' in text


def test_without_the_default_function_there_is_no_default() -> None:
    """A script may have none."""
    assert exports_of(wrapped(scenario("a", function="go"))) == ["go"]


def test_the_rest_wrapper_has_k6s_own_externally_controlled_scenario() -> None:
    """What that executor does not know is left out."""
    kept = {"env": {"A": "1"}, "tags": {"b": "c"}, "gracefulStop": "3s", "options": {"x": 1}}
    text = rest_wrapper(Path("/a/script.js"), scenario("it", function="go", kept=kept), 3, 50)
    assert load_of(text) == {
        "it": {
            **{"executor": "externally-controlled", "vus": 3, "maxVUs": 50, "duration": "0"},
            **{"exec": "go", "env": {"A": "1"}, "tags": {"b": "c"}},
        }
    }
    assert exports_of(text) == []


def test_the_rest_wrapper_passes_the_default_function_on() -> None:
    """`export *` leaves it out."""
    text = rest_wrapper(Path("/a/script.js"), scenario("it"), 3, 50)
    assert exports_of(text) == ["default"]


values = st.text(st.characters(exclude_characters="*"), max_size=20)


@given(
    st.text("abzABZ019_-", min_size=1, max_size=20),  # all that k6 takes
    st.dictionaries(values, values, max_size=3),
)
def test_any_name_and_value_is_written_as_plain_ascii(name: str, env: dict[str, str]) -> None:
    """On one line; it reads back as it was."""
    for text in (
        wrapped(scenario(name, kept={"env": env})),
        rest_wrapper(Path("/a/script.js"), scenario(name, kept={"env": env}), 1, 2),
    ):
        assert text.isascii()
        assert load_of(text)[name]["env"] == env


@pytest.mark.parametrize("value", ["/* functions */", "/* tick */ 200"])
def test_a_value_that_looks_like_a_placeholder_stays(value: str) -> None:
    """Only those of the template are filled."""
    text = wrapped(scenario("it", kept={"tags": {"a": value}}))
    assert load_of(text)["it"]["tags"] == {"a": value}
