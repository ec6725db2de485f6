from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli import cli, main
from tui.options import RunOptions


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[RunOptions]:
    """What would have been run; in a folder and with a home of the test's own."""
    seen: list[RunOptions] = []

    async def launch(options: RunOptions, *, demo: bool = False) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr("tui.cli.launch", launch)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument 'SCRIPT'"),
        (["run", "x.js", "--nonsense"], "No such option"),
        (["run", "x.js", "--duration", "soon", "--headless"], "write it like 30s"),
        (["run", "x.js", "--"], "nothing follows --"),
        (["run", "x.js", "--pid", "1", "--", "./server"], "use one of them"),
        (["run", "x.js", "--pid", "1", "--port", "2"], "use one of them"),
        (["run", "x.js", "--ready-url", "http://x"], "give its command after --"),
        (["run", "x.js"], "add --headless"),
        (["run", "x.js", "./server", "--headless"], "unexpected extra argument"),
        (["demo", "--", "./server"], "brings its own server"),
        (["nonsense"], "No such command"),
        (["run", "x.js", "a\nb\x1b[2J", "--headless"], "a␊b␛[2J"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str],
    said: str,
    launched: list[RunOptions],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status 2, one line on standard error, nothing run."""
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert launched == []


def test_a_missing_script_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real launch refuses it."""
    assert main(["run", str(tmp_path / "none.js"), "--headless"]) == 2
    assert "there is no script" in capsys.readouterr().err


def test_a_summary_that_can_not_be_written_is_told_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after a long run."""
    script = tmp_path / "x.js"
    script.touch()
    arguments = ["run", str(script), "--headless", "--summary", str(tmp_path / "no" / "s.json")]
    assert main(arguments) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_without_arguments_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """As help, on standard error, and with the status of a refusal."""
    assert main([]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("Usage: flashpoint")
    assert output.out == ""


def test_help_shows_the_examples_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Not wrapped into each other."""
    assert main(["run", "--help"]) == 0
    assert "\n    flashpoint run script.js --port 8080\n" in capsys.readouterr().out


def test_closed_standard_streams_are_no_terminal(
    launched: list[RunOptions],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Python has None in their place."""
    monkeypatch.setattr("sys.stdin", None)
    assert main(["run", "x.js"]) == 2
    assert "add --headless" in capsys.readouterr().err


def test_what_follows_the_dashes_is_the_servers_own(launched: list[RunOptions]) -> None:
    """Even where it looks like options of ours."""
    assert main(["run", "x.js", "--headless", "--", "./s", "--port", "1", "--", "--pid"]) == 0
    assert launched[0].command == ("./s", "--port", "1", "--", "--pid")
    assert launched[0].port is None


def test_flags_win_over_environment_over_project_over_user(
    launched: list[RunOptions], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each level is seen where the stronger ones are silent."""
    user = tmp_path / "home" / "flashpoint" / "flashpoint.toml"
    user.parent.mkdir(parents=True)
    user.write_text("perf-frequency = 1\ncall-graph = 'dwarf'\n[run]\nport = 1\nduration = 5\n")
    Path("flashpoint.toml").write_text("perf_frequency = 2\n[run]\nport = 2\n")
    monkeypatch.setenv("FLASHPOINT_PORT", "3")
    assert main(["run", "x.js", "--headless"]) == 0
    assert main(["run", "x.js", "--headless", "--port", "4"]) == 0
    assert [each.port for each in launched] == [3, 4]
    assert launched[0].perf_frequency_hz == 2
    assert launched[0].call_graph == "dwarf"
    assert launched[0].duration_s == 5.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "flashpoint.toml"),
        ("pork = 1", "unknown option pork"),
        ("[x]\ny = 1", "[x]"),
        ("port = 1.5", "'1.5' is not a valid integer"),
        ("perf-frequency = true", "'true' is not a valid integer"),
        ("summary = ['a']", "summary takes one value"),
        ("no-profile = 'perhaps'", "'perhaps' is not a valid boolean"),
    ],
)
def test_a_broken_file_is_told(
    text: str, said: str, launched: list[RunOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name and what is known instead."""
    Path("flashpoint.toml").write_text(text)
    assert main(["run", "x.js", "--headless"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_file_may_hold_lists_and_switches(launched: list[RunOptions]) -> None:
    """By the names that the options have on the command line."""
    Path("flashpoint.toml").write_text("k6-arg = ['-e', 'A=1']\nno-profile = true\nport = 80\n")
    assert main(["run", "x.js", "--headless"]) == 0
    options = launched[0]
    assert (options.k6_args, options.profile, options.port) == (("-e", "A=1"), False, 80)


def test_every_option_has_a_variable() -> None:
    """FLASHPOINT_ and its long name."""
    for command in cli.commands.values():
        for parameter in command.params:
            long = [name for name in parameter.opts if name.startswith("--")]
            if long:
                expected = "FLASHPOINT_" + long[0][2:].replace("-", "_").upper()
                assert parameter.envvar == expected
