from __future__ import annotations

from pathlib import Path

import pytest

from collectors.source import SourceError
from tui.config import FileOption, load_defaults

PORT = FileOption("port", repeatable=False)
COMMANDS = {
    "run": {
        "port": PORT,
        "warm-up": FileOption("warm_up", repeatable=False),
        "k6-arg": FileOption("k6_args", repeatable=True),
        "pid": FileOption("pid", repeatable=False),
    },
    "demo": {"port": PORT},
}


def load(path: Path, *texts: str) -> dict[str, dict[str, str | list[str]]]:
    """Read files with these texts, the weakest first."""
    files = [path / f"{place}.toml" for place in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return load_defaults(files, COMMANDS)


def test_no_file_is_no_defaults(tmp_path: Path) -> None:
    """Files need not be there."""
    assert load_defaults([tmp_path / "none.toml"], COMMANDS) == {"run": {}, "demo": {}}


def test_top_level_is_for_every_command_that_has_the_option(tmp_path: Path) -> None:
    """A table is for its command alone, and wins."""
    made = load(tmp_path, "port = 1\npid = 2\n[run]\nport = 3\n")
    assert made == {"run": {"port": "3", "pid": "2"}, "demo": {"port": "1"}}


def test_a_later_file_wins(tmp_path: Path) -> None:
    """Option by option, and even from its top level over an earlier table."""
    made = load(tmp_path, "pid = 7\n[run]\nport = 1\n", "port = 2\n")
    assert made == {"run": {"port": "2", "pid": "7"}, "demo": {"port": "2"}}


@pytest.mark.parametrize(
    ("text", "parameter", "given"),
    [
        ("warm-up = 5", "warm_up", "5"),
        ("warm_up = 1.5", "warm_up", "1.5"),
        ("warm-up = '2s'", "warm_up", "2s"),
        ("warm-up = true", "warm_up", "true"),
        ("k6-arg = ['-e', 'A=1', 2]", "k6_args", ["-e", "A=1", "2"]),
        ("k6_arg = '-q'", "k6_args", ["-q"]),
        ("k6-arg = []", "k6_args", []),
    ],
)
def test_values_are_as_on_the_command_line(
    text: str, parameter: str, given: str | list[str], tmp_path: Path
) -> None:
    """The parser checks them the same way; dashes and underscores are one."""
    assert load(tmp_path, text)["run"] == {parameter: given}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "Invalid value"),
        ("pork = 1", r"unknown option pork. known are: k6-arg, pid, port, warm-up"),
        ("[demo]\npid = 1", r"unknown option pid. known are: port"),
        ("[x]\ny = 1", r"unknown table \[x\]. known are: demo, run"),
        ("run = 1", "unknown option run"),
        ("'\\u001b[2J' = 1", r"unknown option \\u001b"),
        ('"\\u001b[2J" = 1', r"unknown option ␛\[2J"),
        ("port = [1]", "port takes one value"),
        ("port = 07:30:00", "port takes one value"),
        ("k6-arg = [['x']]", "k6-arg takes texts"),
        ('warm-up = "a\\u0000b"', "warm-up takes one value"),
        ("port = " + "[" * 5000, "recursion"),
    ],
)
def test_a_wrong_file_is_told_by_its_name(text: str, said: str, tmp_path: Path) -> None:
    """And what is known instead; nothing of it reaches the terminal raw."""
    with pytest.raises(SourceError, match=said) as caught:
        load(tmp_path, text)
    assert "0.toml" in caught.value.message
    assert "\x1b" not in str(caught.value)


def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    """A folder of that name, and bytes that are no UTF-8."""
    folder, binary = tmp_path / "folder.toml", tmp_path / "binary.toml"
    folder.mkdir()
    binary.write_bytes(b"port = '\xff'")
    for path in (folder, binary):
        with pytest.raises(SourceError, match=path.name):
            load_defaults([path], COMMANDS)
