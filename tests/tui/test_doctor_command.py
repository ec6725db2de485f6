"""The command with programs that are missing, hang, or are something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.cli import main

FAKE_K6 = "#!/bin/sh\necho 'k6 v{version} (go1.24, linux/amd64)'\n"
FAKE_PERF = '#!/bin/sh\n[ "$1" = version ] && echo "perf version {version}" && exit 0\n'
HANGS = "#!/bin/sh\nexec sleep 1000\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, beside that of a shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "sleep"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FLASHPOINT_K6", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


def put(folder: Path, name: str, text: str, mode: int = 0o755) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def examined(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit status, and the checks by area and name."""
    status = main(["doctor", "--json", *arguments])
    output = capsys.readouterr()
    assert output.err == ""
    content = json.loads(output.out)
    return status, {f"{each['area']} {each['name']}": each for each in content["checks"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pid", "1", "--port", "2"], "use one of them"),
        (["--pid", "0"], "--pid"),
        (["--port", "99999"], "--port"),
        (["a.js", "b.js"], "unexpected extra argument"),
        (["--", "./server"], "doctor starts no server"),
        (["--nonsense"], "No such option"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    arguments: list[str], said: str, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the status of a refusal, and nothing is looked at."""
    assert main(["doctor", *arguments]) == 2
    output = capsys.readouterr()
    assert said in output.err
    assert (output.err.count("\n"), output.out) == (1, "")


@pytest.mark.parametrize(
    ("text", "mode", "said", "mend"),
    [
        (HANGS, 0o755, "did not answer `version` within 2.5 s", "--k6 PATH"),
        ("#!/bin/sh\necho hello\n", 0o755, "is not k6: it answered hello", "install it"),
        ("#!/bin/sh\n", 0o644, "can't be executed", "chmod +x"),
        ("not a program", 0o755, "can't start", "executable"),
    ],
)
def test_a_k6_that_does_not_work_fails(
    text: str,
    mode: int,
    said: str,
    mend: str,
    programs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the words of a run, in bounded time, and nothing more is asked of it."""
    status, checks = examined(capsys, "--k6", put(programs, "k6", text, mode))
    assert status == 1
    assert checks["k6 program"]["state"] == "fail"
    assert said in checks["k6 program"]["text"]
    assert mend in checks["k6 program"]["mend"]
    assert "k6 control" not in checks


def test_a_k6_that_is_not_there_fails(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And so does a script; both are told."""
    status, checks = examined(capsys, "none.js", "--k6", "./no-k6")
    assert status == 1
    assert "does not exist" in checks["k6 program"]["text"]
    assert checks["k6 script"]["text"] == "there is no script none.js"


@pytest.mark.parametrize(("version", "state"), [("0.49.0", "warn"), ("9.0.0", "warn")])
def test_a_k6_of_another_age_warns(
    version: str, state: str, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(programs, "k6", FAKE_K6.format(version=version))
    _, checks = examined(capsys, "--k6", path)
    assert checks["k6 program"]["state"] == state
    assert checks["k6 control"]["state"] == "ok"


def test_options_for_k6_are_looked_at(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run would refuse fails."""
    path = put(programs, "k6", FAKE_K6.format(version="2.2.0"))
    _, checks = examined(capsys, "--k6", path, "--k6-arg=--vus=5")
    assert checks["k6 options"]["state"] == "fail"
    assert "use --vus" in checks["k6 options"]["mend"]
    monkeypatch.setenv("K6_OUT", "experimental-prometheus-rw")
    _, checks = examined(capsys, "--k6", path)
    assert "already used" in checks["k6 options"]["text"]


@pytest.mark.parametrize(
    ("text", "mode", "said", "mend"),
    [
        (HANGS, 0o755, "did not tell its version within 2.5 s", "`perf version` by hand"),
        ("#!/bin/sh\nexit 1\n", 0o755, "does not work on this kernel", "apt install linux-perf"),
        ("#!/bin/sh\n", 0o644, "perf is not on the PATH", "apt install linux-perf"),
        (FAKE_PERF.format(version="4.19.0"), 0o755, "too old", "apt install linux-perf"),
    ],
)
def test_a_perf_that_does_not_work_fails(
    text: str,
    mode: int,
    said: str,
    mend: str,
    programs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And what the kernel allows is told all the same."""
    put(programs, "perf", text, mode)
    status, checks = examined(capsys)
    assert status == 1
    assert checks["perf program"]["state"] == "fail"
    assert said in checks["perf program"]["text"]
    assert mend in checks["perf program"]["mend"]
    assert "perf event" not in checks
    assert "perf permission" in checks


def test_a_perf_that_gives_up_fails_in_its_own_words(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells a version, but can't record."""
    text = FAKE_PERF.format(version="6.1.0")
    put(programs, "perf", text + '[ "$1" = record ] && { echo "something odd" >&2; exit 1; }\n')
    status, checks = examined(capsys)
    assert status == 1
    assert checks["perf program"]["state"] == "ok"
    assert checks["perf event"]["text"] == "perf failed: something odd"


def test_a_place_for_recordings_that_is_none_fails(
    programs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the variable that mends it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLASHPOINT_STATE_DIR", str(tmp_path / "file"))
    status, checks = examined(capsys)
    assert status == 1
    assert checks["storage recordings"]["state"] == "fail"
    assert "FLASHPOINT_STATE_DIR" in checks["storage recordings"]["mend"]


def test_hostile_names_are_made_harmless(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of programs, scripts, variables, and in what a program answers."""
    path = put(programs, "k6\x1b[2J", "#!/bin/sh\nprintf 'a\\033]0;x\\007b'\n")
    monkeypatch.setenv("TERM", "x\x1b[2J")
    monkeypatch.setenv("LC_ALL", "y\x07")
    assert main(["doctor", "z\x1b[2J.js", "--k6", path]) == 1
    output = capsys.readouterr().out
    assert "␛[2J" in output
    assert not any(ord(sign) < 0x20 and sign != "\n" for sign in output)


def test_a_check_that_breaks_is_a_line(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told, and there is no traceback."""

    def breaks() -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("tui.doctor.here.read_machine", breaks)
    status, checks = examined(capsys)
    assert status == 1
    assert checks["machine machine"]["text"] == "the check broke: ZeroDivisionError: odd"
    assert "storage room" in checks
