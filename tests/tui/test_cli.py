from __future__ import annotations

from pathlib import Path

import pytest

from collectors.course import CourseUnit
from tui.cli import cli, main
from tui.model.ramp import describe
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
        (["run", "x.js", "--vus", "5", "--rate", "5"], "--vus and --rate both set the load"),
        (["run", "x.js", "--vus", "5", "--ramp", "5"], "--vus and --ramp both set the load"),
        (["run", "x.js", "--ramp", "5", "--rate", "5"], "--ramp and --rate both set the load"),
        (["run", "x.js", "--as-written", "--vus", "5"], "but --vus sets another one"),
        (["run", "x.js", "--as-written", "--max-vus", "5"], "but --max-vus sets another one"),
        (["demo", "--as-written", "--rate", "5i"], "but --rate sets another one"),
        (["run", "x.js", "--headless", "--vus", "many"], "'many' is not a valid integer"),
        (["run", "x.js", "--headless", "--vus", "-1"], "--vus"),
        (["run", "x.js", "--headless", "--vus", "100001"], "--vus"),
        (["run", "x.js", "--headless", "--max-vus", "0"], "--max-vus"),
        (["run", "x.js", "--headless", "--ramp", "50 soon"], "'50 soon' is no step of a load"),
        (["run", "x.js", "--headless", "--ramp", "9/1s,x99999"], "there can be 100000"),
        (["run", "x.js", "--headless", "--rate", "many rps"], "'many' is no step of a load"),
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


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--vus", "5"], {"vus": 5}),
        (["--vus", "0", "--max-vus", "9"], {"vus": 0, "max_vus": 9}),
        (["--max-vus", "9", "--ramp", "5/10s,+4"], {"max_vus": 9, "ramp": "5 in 10s, +4"}),
        (["--rate", "500"], {"rate": "500", "rate_unit": CourseUnit.REQUESTS}),
        (["--rate", "5/10s,9/1m i"], {"rate": "5 in 10s, 9 in 1m", "rate_unit": "iterations"}),
        (["--as-written"], {"as_written": True}),
    ],
)
def test_the_load_can_be_named(
    arguments: list[str], expected: dict[str, object], launched: list[RunOptions]
) -> None:
    """By one of three options; without a screen it is the operator's only where it is named."""
    assert main(["run", "x.js", "--headless", *arguments]) == 0
    [options] = launched
    told = {
        "vus": options.vus,
        "max_vus": options.max_vus,
        "ramp": describe(options.ramp),
        "rate": describe(options.rate),
        "rate_unit": options.rate_unit,
        "as_written": options.as_written,
    }
    nothing = {
        "vus": None,
        "max_vus": None,
        "ramp": "",
        "rate": "",
        "rate_unit": CourseUnit.REQUESTS,
        "as_written": False,
    }
    assert told == nothing | expected
    assert options.is_interactive is not options.as_written
    assert options.names_vus is ("--vus" in arguments or "--ramp" in arguments)


def test_a_load_that_is_not_named_is_the_scripts_own(launched: list[RunOptions]) -> None:
    """Where there is no screen to change it on."""
    assert main(["run", "x.js", "--headless"]) == 0
    assert not launched[0].is_interactive
    assert not launched[0].names_load


def test_a_file_and_a_variable_may_name_the_load(
    launched: list[RunOptions], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As numbers or as texts; two of them are refused wherever they come from."""
    file = Path("flashpoint.toml")
    file.write_text("max-vus = 70\n[run]\nramp = '50/10s, 60'\n[demo]\nrate = 20\n")
    assert main(["run", "x.js", "--headless"]) == 0
    assert main(["demo", "--headless"]) == 0
    assert (launched[0].max_vus, describe(launched[0].ramp)) == (70, "50 in 10s, 60")
    assert (launched[1].max_vus, describe(launched[1].rate)) == (70, "20")
    monkeypatch.setenv("FLASHPOINT_RAMP", "7")
    assert main(["run", "x.js", "--headless"]) == 0
    assert describe(launched[2].ramp) == "7"
    assert main(["run", "x.js", "--headless", "--vus", "3"]) == 2
    assert "--vus and --ramp both set the load" in capsys.readouterr().err
    monkeypatch.delenv("FLASHPOINT_RAMP")
    file.write_text("ramp = 'soon'\n")
    assert main(["run", "x.js", "--headless"]) == 2
    assert "'soon' is no step of a load" in capsys.readouterr().err


def test_every_option_has_a_variable() -> None:
    """FLASHPOINT_ and its long name."""
    for command in cli.commands.values():
        for parameter in command.params:
            long = [name for name in parameter.opts if name.startswith("--")]
            if long:
                expected = "FLASHPOINT_" + long[0][2:].replace("-", "_").upper()
                assert parameter.envvar == expected
