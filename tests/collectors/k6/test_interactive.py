"""What is decided about a script before it runs; a shell script plays k6 where one is asked."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from collectors.course import Course, CourseUnit
from collectors.k6.arguments import read_options
from collectors.k6.binary import K6Binary
from collectors.k6.config_file import MAX_CONFIG_BYTES, read_config
from collectors.k6.interactive import (
    BrokenScript,
    Interactive,
    NotControllable,
    Script,
    examine,
    is_archive,
    transports_of,
    wrapper_text,
)
from collectors.k6.load_options import (
    LOAD_OPTIONS,
    LOAD_VARIABLES,
    refuse_load_options,
    without_load_variables,
)
from collectors.k6.scenarios import Scenario
from collectors.k6.secret_source import secret_arguments, secret_config
from collectors.k6.wrapper import Transport
from collectors.process import Guard
from collectors.source import SourceError

CONFIG = Path("/run/gate.json")
OURS = ["--secret-source", f"url=name=flashpoint,config={CONFIG}"]


def k6(version: str, path: str = "k6") -> K6Binary:
    major, minor, patch = map(int, version.split("."))
    return K6Binary(path, version, (major, minor, patch))


# Ways of control


@pytest.mark.parametrize(
    ("version", "ways"),
    [
        ("1.0.0", ["REDIS", "REST"]),
        ("1.1.0", ["REDIS", "REST"]),
        ("1.4.2", ["REDIS", "REST"]),
        ("1.5.0", ["SECRETS", "REDIS", "REST"]),
        ("1.8.1", ["SECRETS", "REDIS", "REST"]),
        ("2.0.0", ["SECRETS"]),
        ("2.2.0", ["SECRETS"]),
        ("3.0.0", ["SECRETS"]),
    ],
)
def test_every_version_has_a_way(version: str, ways: list[str]) -> None:
    """The best first: secrets, then redis, and REST as the last resort."""
    assert [way.name for way in transports_of(k6(version))] == ways


def test_an_archive_is_told_by_what_it_is(tmp_path: Path) -> None:
    """By its content, its name, or the user's word."""
    js, odd, tar = tmp_path / "s.js", tmp_path / "odd.js", tmp_path / "s.tar"
    js.write_text("export default function () {}")
    for path in (odd, tar):
        with tarfile.open(path, "w") as archive:
            archive.add(js, "data")
    assert is_archive(odd)
    assert is_archive(tar)
    assert is_archive(tmp_path / "none.tar")
    assert not is_archive(js)
    assert not is_archive(tmp_path / "none.js")
    assert not is_archive(tmp_path)
    (tmp_path / "empty.js").touch()
    assert not is_archive(tmp_path / "empty.js")
    for words in (["--type", "archive"], ["--type=archive"], ["-t", "archive"], ["-tarchive"]):
        assert is_archive(js, read_options(words)), words
    assert not is_archive(js, read_options(["--type", "js"]))


# The user's own load


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["-u", "5"], "vus"),
        (["-u5"], "vus"),
        (["-qu=5"], "vus"),
        (["--vus=5"], "vus"),
        (["-d10s"], "duration"),
        (["--duration", "10s"], "duration"),
        (["-i", "100"], "iterations"),
        (["--stage=1s:5"], "stage"),
        (["-s", "1s:5"], "stage"),
        (["--execution-segment", "0:1/2"], "execution-segment"),
        (["--execution-segment-sequence=0,1"], "execution-segment-sequence"),
        (["-p"], "paused"),
        (["--paused"], "paused"),
        (["-l"], "linger"),
        (["-e", "A=1", "-q", "--vus", "5"], "vus"),
    ],
)
def test_k6s_own_load_is_refused(words: list[str], name: str) -> None:
    """With what flashpoint has in its place, and how it can be had all the same."""
    with pytest.raises(SourceError, match=f"k6's own --{name} would take the load") as caught:
        refuse_load_options(read_options(words))
    assert LOAD_OPTIONS[name] in caught.value.hint
    assert "--as-written" in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ["-e", "VUS=5"],
        ["-e", "--vus"],
        ["--tag", "vus=5", "-o", "json=d10s"],
        ["--rps", "5", "--no-setup", "--min-iteration-duration", "1s"],
        ["--user-agent", "-u"],
        [],
    ],
)
def test_other_options_stay(words: list[str]) -> None:
    """Also values that look like an option."""
    refuse_load_options(read_options(words))


def test_variables_of_the_load_are_left_out() -> None:
    """Each of them, and nothing else."""
    env = {**dict.fromkeys(LOAD_VARIABLES, "1"), "HOME": "/h", "K6_OUT": "csv"}
    assert without_load_variables(env) == {"HOME": "/h", "K6_OUT": "csv"}


# What a script is


def script(*scenarios: Scenario, transport: Transport = Transport.REDIS) -> Script:
    return Script(Path("x.js"), scenarios, transport)


def test_figures_of_a_script_are_those_of_its_scenarios() -> None:
    """Summed; the longest grace."""
    made = script(
        Scenario("a", "default", "constant-vus", 3, 40, graceful_stop_s=5.0),
        Scenario("b", "default", "ramping-vus", 0, 20, graceful_stop_s=7.0),
    )
    assert (made.start_vus, made.max_vus, made.ceiling) == (3, 60, 120)
    assert (made.start_rate, made.graceful_stop_s) == (0.0, 7.0)
    later = script(Scenario("a", "default", "constant-vus", 0, 1))
    assert (later.start_vus, later.ceiling) == (1, 50)
    rates = script(*(Scenario(n, "f", "constant-arrival-rate", 1, 1, start_rate=4) for n in "ab"))
    assert rates.start_rate == 8.0
    course = Course.constant(CourseUnit.VUS, 1.0, 0.0)
    assert Interactive(made, 9, course).crew.ceiling == 9
    assert len(Interactive(made, 1, course).crew.slots) == 2


def test_rest_moves_one_scenario_only() -> None:
    """The gate moves any number."""
    two = [Scenario(name, "default", "constant-vus", 1, 1) for name in "ab"]
    with pytest.raises(SourceError, match="one scenario only"):
        wrapper_text(Path("x.js"), two, 5, Transport.REST, 1, "t")
    assert "externally-controlled" in wrapper_text(Path("x.js"), two[:1], 5, Transport.REST, 1, "t")
    for transport in (Transport.SECRETS, Transport.REDIS):
        text = wrapper_text(Path("x.js"), two, 5, transport, 1, "t0ken")
        assert "constant-vus" in text
        assert ("t0ken" in text) is (transport is Transport.REDIS)


# Examining, with a shell script in place of k6


class FakeK6:
    """A k6 whose `inspect` prints options of a script, and says something of the wrapper."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "k6"
        self.script = folder / "s.js"
        self.script.write_text("export default function () {}")
        self._folder = folder

    def tells(
        self, options: Mapping[str, Any], *, says: str = "", no_module: Sequence[str] = ()
    ) -> None:
        """Print these options of the script; of the wrapper an error, if there is one."""
        (self._folder / "options.json").write_text(json.dumps(options))
        lines = [
            "#!/bin/sh",
            'for last; do :; done; case "$last" in *wrapper.js)',
            *(
                f"if grep -q '{module}' \"$last\"; then "
                f"echo 'level=error msg=\"unknown module: {module}\"' >&2; exit 107; fi"
                for module in no_module
            ),
            f"echo 'level=error msg=\"{says}\"' >&2; exit 107;;" if says else "echo '{}'; exit;;",
            f"esac; env > {self._folder}/env; cat {self._folder}/options.json",
        ]
        self._write("\n".join(lines))

    def refuses(self, message: str) -> None:
        """Refuse any script."""
        self._write(f"#!/bin/sh\necho 'level=error msg=\"{message}\"' >&2; exit 107")

    def _write(self, text: str) -> None:
        self.path.write_text(text)
        self.path.chmod(0o755)

    async def examine(
        self, guard: Guard, *arguments: str, version: str = "1.5.0", **env: str
    ) -> Script:
        binary = k6(version, str(self.path))
        whole = {"PATH": "/usr/bin:/bin", "HOME": str(self._folder), **env}
        return await examine(guard, binary, self.script, arguments, whole)

    @property
    def seen(self) -> str:
        """The environment of the script."""
        return (self._folder / "env").read_text()


@pytest.fixture
def fake(tmp_path: Path) -> FakeK6:
    return FakeK6(tmp_path)


async def test_the_first_way_that_works_is_taken(guard: Guard, fake: FakeK6) -> None:
    """A k6 may be built without a module."""
    fake.tells({"vus": 4, "duration": "5s"})
    found = await fake.examine(guard)
    assert (found.transport, found.start_vus, found.warnings) == (Transport.SECRETS, 4, ())
    assert (await fake.examine(guard, version="1.1.0")).transport is Transport.REDIS
    fake.tells({"vus": 4}, no_module=["k6/secrets"])
    assert (await fake.examine(guard)).transport is Transport.REDIS
    fake.tells({"vus": 4}, no_module=["k6/secrets", "k6/experimental/redis"])
    found = await fake.examine(guard)
    assert found.transport is Transport.REST
    assert any("over REST" in each for each in found.warnings)
    with pytest.raises(NotControllable, match=r"k6 2\.0\.0 has no way") as caught:
        await fake.examine(guard, version="2.0.0")
    assert "--as-written" in caught.value.hint


async def test_what_is_wrong_with_a_script_is_k6s_word(guard: Guard, fake: FakeK6) -> None:
    """A script that k6 can't read is told from one that only we can't."""
    fake.refuses("SyntaxError: x")
    with pytest.raises(BrokenScript, match="SyntaxError: x"):
        await fake.examine(guard)
    fake.tells({}, says="no function   at file:///f/wrapper.js:3:1")
    with pytest.raises(SourceError) as caught:
        await fake.examine(guard)
    assert caught.value.message == "the load of s.js can't be changed: no function"
    assert not isinstance(caught.value, (BrokenScript, NotControllable))


async def test_archives_and_own_loads_are_refused_before_k6_is_asked(
    guard: Guard, fake: FakeK6
) -> None:
    """There is no k6 here."""
    with pytest.raises(NotControllable, match=r"s\.js is an archive"):
        await fake.examine(guard, "--type=archive")
    with pytest.raises(SourceError, match="own --vus"):
        await fake.examine(guard, "-u5")


async def test_variables_of_the_load_are_told_and_left_out(guard: Guard, fake: FakeK6) -> None:
    """Each with what is in its place; an empty one is none."""
    fake.tells({})
    found = await fake.examine(guard, K6_VUS="5", K6_STAGES="1s:5", K6_DURATION="")
    assert found.warnings == (
        "K6_VUS is left out: the load is yours, use --vus",
        "K6_STAGES is left out: the load is yours, use --ramp",
    )
    assert "K6_VUS" not in fake.seen
    assert "HOME" in fake.seen


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ("1.5.0", ["iteration_duration", "vus{a:b}"]),
        ("1.1.0", ["iteration_duration", "vus{a:b}", "data_sent"]),
    ],
)
async def test_thresholds_on_what_waiting_vus_change_are_told(
    guard: Guard, fake: FakeK6, version: str, warned: list[str]
) -> None:
    """Those of the script's requests mean what they say."""
    names = ["iteration_duration", "http_req_duration", "vus{a:b}", "data_sent", "vus_of_mine"]
    fake.tells({"thresholds": {name: ["p(95)<1"] for name in names}})
    found = await fake.examine(guard, version=version)
    assert [line.split()[3] for line in found.warnings] == warned
    assert all("--as-written" in line for line in found.warnings)


async def test_the_load_of_the_config_file_counts(
    guard: Guard, fake: FakeK6, tmp_path: Path
) -> None:
    """Where the script says nothing of one."""
    config = tmp_path / "c.json"
    config.write_text('{"vus": 6, "out": ["csv"], "thresholds": {"vus": ["value<1"]}}')
    fake.tells({"tags": {}})
    found = await fake.examine(guard, "--config", str(config))
    assert (found.start_vus, found.warnings) == (6, ())
    fake.tells({"vus": 2})
    assert (await fake.examine(guard, "-c", str(config))).start_vus == 2


# The configuration file


def test_the_config_file_is_found_where_k6_looks(tmp_path: Path) -> None:
    """The option wins over the variable, that over the default place."""

    def write(name: str, mark: int) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"vus": mark}))
        return str(path)

    option, variable = write("option.json", 1), write("variable.json", 2)
    write("home/.config/k6/config.json", 3)
    write("xdg/k6/config.json", 4)
    home = {"HOME": str(tmp_path / "home")}
    named = {**home, "K6_CONFIG": variable}
    assert read_config(read_options(["--config", "x", "-c", option]), named) == {"vus": 1}
    assert read_config([], named) == {"vus": 2}
    assert read_config([], home) == {"vus": 3}
    assert read_config([], {**home, "XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == {"vus": 4}
    assert read_config([], {**home, "XDG_CONFIG_HOME": ""}) == {"vus": 3}
    assert read_config([], {**home, "XDG_CONFIG_HOME": "xdg"}) == {"vus": 3}
    assert read_config([], {"HOME": str(tmp_path)}) == {}


@pytest.mark.parametrize(
    "text", ["", "[1]", "nonsense", "null", "[" * 100_000, "{}" + " " * MAX_CONFIG_BYTES + "x"]
)
def test_a_config_file_that_makes_no_sense_is_k6s_affair(text: str, tmp_path: Path) -> None:
    """To us it is empty."""
    path = tmp_path / "c.json"
    path.write_text(text)
    assert read_config(read_options(["--config", str(path)]), {}) == {}
    assert read_config(read_options(["--config", str(tmp_path)]), {}) == {}


# Secret sources


@pytest.mark.parametrize(
    ("own", "repeated"),
    [
        ([], []),
        (["--secret-source", "file=s.txt"], ["--secret-source", "file=s.txt,default"]),
        (["--secret-source=file=s.txt"], ["--secret-source", "file=s.txt,default"]),
        (["--secret-source", "mock=a=1,name=m"], ["--secret-source", "mock=a=1,name=m,default"]),
        (["--secret-source", "mock=default,a=1"], ["--secret-source", "mock=default,a=1"]),
        (["--secret-source", "mine"], ["--secret-source", "mine=default"]),
        (
            ["--secret-source", "mock=name=a", "-q", "--secret-source", "mock=name=b,default"],
            ["--secret-source", "mock=name=a", "--secret-source", "mock=name=b,default"],
        ),
    ],
)
def test_secret_sources_of_the_user_stay(own: list[str], repeated: list[str]) -> None:
    """The only one is the default one; of several one is marked already."""
    assert secret_arguments(own, {}, k6("2.2.0"), CONFIG) == [*OURS, *repeated]


@pytest.mark.parametrize(
    ("version", "is_repeated"),
    [("1.5.0", False), ("1.6.9", False), ("1.7.0", True), ("2.2.0", True)],
)
def test_a_secret_source_of_the_environment_is_repeated(version: str, is_repeated: bool) -> None:
    """Where k6 reads it; an option hides it, an empty one is none."""
    env = {"K6_SECRET_SOURCE": "file=s.txt"}
    repeated = ["--secret-source", "file=s.txt,default"] if is_repeated else []
    assert secret_arguments([], env, k6(version), CONFIG) == [*OURS, *repeated]
    own = ["--secret-source", "mock=a=1"]
    expected = [*OURS, "--secret-source", "mock=a=1,default"]
    assert secret_arguments(own, env, k6(version), CONFIG) == expected
    assert secret_arguments([], {"K6_SECRET_SOURCE": ""}, k6(version), CONFIG) == OURS


def test_our_secret_source_does_not_wait() -> None:
    """k6's own settings would hold a VU up for minutes."""
    config = json.loads(secret_config(123, "t0ken"))
    assert config["urlTemplate"] == "http://127.0.0.1:123/{key}"
    assert config["headers"] == {"Authorization": "Bearer t0ken"}
    assert config["maxRetries"] == 0
    assert config["requestsPerMinuteLimit"] >= 60 * config["requestsBurst"] > 0


@pytest.mark.parametrize("word", ["-qp", "-pq", "-qwl", "-qpo"])
def test_flags_that_share_a_word_are_refused_too(word: str) -> None:
    """`-qp` is `--quiet --paused`: k6 would wait for ever."""
    options = read_options([word, "csv=x"] if word.endswith("o") else [word])
    assert next(each for option in options for each in option.words) == word
    with pytest.raises(SourceError, match=r"--(paused|linger)"):
        refuse_load_options(options)
