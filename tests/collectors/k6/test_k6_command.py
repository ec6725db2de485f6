from __future__ import annotations

from pathlib import Path

import pytest

from collectors.k6.arguments import read_options, values_of
from collectors.k6.binary import K6Binary
from collectors.k6.command import K6Command, Stream, build_command
from collectors.source import SourceError

K6_1 = K6Binary("/bin/k6", "1.1.0", (1, 1, 0))
K6_2 = K6Binary("/bin/k6", "2.2.0", (2, 2, 0))
STREAM = Stream("http://127.0.0.1:5/api/v1/write", "secret-token")


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "s.js"
    path.touch()
    return str(path)


def build(
    script: str,
    *arguments: str,
    env: dict[str, str] | None = None,
    binary: K6Binary = K6_1,
) -> K6Command:
    return build_command(binary, script, arguments, env or {}, STREAM, "/tmp/x/summary.json")


def test_a_plain_run(script: str) -> None:
    """Nothing of the user's: our output, our summary, no REST server; the token only in env."""
    command = build(script)
    assert command.argv == (
        "/bin/k6", "run", "--no-usage-report", "--quiet", "--address", "",
        "--out", "experimental-prometheus-rw", "--summary-export", "/tmp/x/summary.json", script,
    )  # fmt: skip
    assert command.env == {
        "K6_PROMETHEUS_RW_SERVER_URL": STREAM.url,
        "K6_PROMETHEUS_RW_BEARER_TOKEN": "secret-token",
        "K6_PROMETHEUS_RW_PUSH_INTERVAL": "1000ms",
        "K6_PROMETHEUS_RW_STALE_MARKERS": "false",
        "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM": "true",
    }
    assert "secret-token" not in " ".join(command.argv)


def test_options_of_the_user_stay_and_win(script: str) -> None:
    """Their address, summary and everything else go on as written."""
    arguments = ("--address", "localhost:7", "--summary-export=mine.json", "-u", "5", "--paused")
    command = build(script, *arguments, env={"HOME": "/h", "K6_PROMETHEUS_RW_USERNAME": "u"})
    assert command.argv[4:] == ("--out", "experimental-prometheus-rw", *arguments, script)
    assert command.summary_path == "mine.json"
    assert command.env["HOME"] == "/h"
    assert "K6_PROMETHEUS_RW_USERNAME" not in command.env


def test_outputs_of_the_environment_are_repeated(script: str) -> None:
    """k6 ignores K6_OUT once an output is given, so it becomes options; theirs win over it."""
    env = {"K6_OUT": "csv=a.csv,json=b.json"}
    argv = build(script, env=env).argv
    assert argv[6:12] == (
        "--out", "experimental-prometheus-rw", "--out", "csv=a.csv", "--out", "json=b.json",
    )  # fmt: skip
    argv = build(script, "-o", "json=c", env=env).argv
    assert "csv=a.csv" not in argv
    assert argv[-3:] == ("-o", "json=c", script)


def test_outputs_of_the_config_file_are_repeated(script: str, tmp_path: Path) -> None:
    """They count where neither options nor environment name any; a broken file is k6's affair."""
    config = tmp_path / "config.json"
    config.write_text('{"out": ["json=a", 5]}')
    given = ("--config", str(config))
    assert build(script, *given).argv[8:10] == ("--out", "json=a")
    assert "json=a" not in build(script, *given, env={"K6_OUT": "csv"}).argv
    folder = tmp_path / ".config" / "k6"
    folder.mkdir(parents=True)
    config.rename(folder / "config.json")
    assert "json=a" in build(script, env={"HOME": str(tmp_path)}).argv
    config.write_text("[")
    assert "json=a" not in build(script, *given).argv


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (("--out", "experimental-prometheus-rw"), {}),
        (("--out=experimental-prometheus-rw=http://h",), {}),
        (("-oexperimental-prometheus-rw",), {}),
        (("-qo", "experimental-prometheus-rw"), {}),
        ((), {"K6_OUT": "json=a,experimental-prometheus-rw"}),
        ((), {"K6_PROMETHEUS_RW_SERVER_URL": "http://h"}),
    ],
)
def test_a_remote_write_output_of_their_own_is_refused(
    script: str, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    """Ours would take its place in silence; so the reason is told instead."""
    with pytest.raises(SourceError, match="native histograms") as caught:
        build(script, *arguments, env=env)
    assert caught.value.hint


def test_native_histograms_are_a_feature_since_2_1(script: str) -> None:
    """Features of the user's own stay active beside ours."""
    command = build(script, "--features", "a,b", binary=K6_2)
    assert values_of(read_options(command.argv), "features") == ["a,b,native-histograms"]
    assert "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM" not in command.env
    command = build(script, env={"K6_FEATURES": "c"}, binary=K6_2)
    assert values_of(read_options(command.argv), "features") == ["c,native-histograms"]


def test_values_of_e_are_secrets(script: str) -> None:
    """What is given with -e, and the token, are not for showing."""
    command = build(script, "-e", "PASSWORD=a=b", "--env=X=yyy")
    assert command.secrets == {"a=b", "yyy", "secret-token"}


def test_scripts_that_can_not_be_used_are_refused(tmp_path: Path) -> None:
    """Standard input, folders and missing files are told before anything starts."""
    for name in ("-", str(tmp_path), str(tmp_path / "none.js")):
        with pytest.raises(SourceError) as caught:
            build(name)
        assert caught.value.hint


def test_a_value_that_looks_like_an_option_is_a_value() -> None:
    """The word after an option that needs a value belongs to it."""
    options = read_options(["-e", "--out", "--out", "csv", "-ocsv=x", "-o=y", "-", "word", "-q"])
    assert [(option.name, option.value) for option in options] == [
        ("env", "--out"),
        ("out", "csv"),
        ("out", "csv=x"),
        ("out", "y"),
        ("", None),
        ("", None),
        ("quiet", None),
    ]
