"""A recording begins under a name of its own, whoever else begins one at that moment."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from collectors.recording.recorder import Recorder
from collectors.source import SourceError
from tui.recording import _named


def test_who_is_slower_takes_the_next_name(tmp_path: Path) -> None:
    """Two runs of one script may begin in one second; both are recorded."""
    tried: list[Path] = []

    def begin(path: Path) -> Recorder:
        tried.append(path)
        if len(tried) < 3:
            path.touch()  # somebody was faster
            raise SourceError("it is there already")
        return cast("Recorder", path)

    assert cast("Path", _named(begin, tmp_path, "s.js")) == tried[2]
    assert len(set(tried)) == 3


def test_what_is_wrong_otherwise_is_told_at_once(tmp_path: Path) -> None:
    """A folder that can't be written to does not become so by trying."""
    tried: list[Path] = []

    def begin(path: Path) -> Recorder:
        tried.append(path)
        raise SourceError("can't record there")

    with pytest.raises(SourceError, match="can't record there"):
        _named(begin, tmp_path, "s.js")
    assert len(tried) == 1
