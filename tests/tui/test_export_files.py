from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from collectors.source import SourceError
from tui.export.files import check_writable, write_atomically

LONG_NAME = "日" * 85
"""255 bytes, the longest name that Linux has."""


def test_a_file_is_private_and_alone(tmp_path: Path) -> None:
    """Mode 0600 even over a file that was not, and nothing is left beside it."""
    path = tmp_path / "s.json"
    path.write_text("old and longer")
    path.chmod(0o644)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_survives_even_one_that_leads_nowhere_yet(tmp_path: Path) -> None:
    """What it leads to is written."""
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    check_writable(link)
    for content in (b"1", b"2"):
        write_atomically(link, content)
        assert link.is_symlink()
        assert target.read_bytes() == content


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    """The file is replaced, never cut short under somebody."""
    path = tmp_path / "s.json"
    path.write_text("old")
    with path.open() as reader:
        write_atomically(path, b"new")
        assert reader.read() == "old"


def test_the_longest_name_is_no_problem(tmp_path: Path) -> None:
    """The temporary file's own name stays within the limit."""
    check_writable(tmp_path / LONG_NAME)
    write_atomically(tmp_path / LONG_NAME, b"x")
    assert [each.name for each in tmp_path.iterdir()] == [LONG_NAME]


def test_a_device_is_written_to_as_it_is() -> None:
    """`--summary /dev/null` leaves /dev/null in place."""
    check_writable(Path("/dev/null"))
    write_atomically(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like on a full disk: the old file, no temporary one, one clear error."""
    path = tmp_path / "s.json"
    path.write_text("old")

    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match=r"s\.json: No space left on device"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["no/s.json", ".", "loop", "loop/s.json", "a\0b", LONG_NAME + "x"])
def test_bad_places_are_one_clear_error(name: str, tmp_path: Path) -> None:
    """Both before the run and after it, with a hint."""
    (tmp_path / "loop").symlink_to("loop")
    for attempt in (check_writable, lambda path: write_atomically(path, b"x")):
        with pytest.raises(SourceError) as caught:
            attempt(tmp_path / name)
        assert caught.value.hint
        assert caught.value.message.isprintable()


def test_permission_is_asked_of_what_will_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is replaced in its folder: that the file itself can be written is not enough."""
    path = tmp_path / "s.json"
    path.touch()
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != tmp_path)
    with pytest.raises(SourceError, match="permission denied"):
        check_writable(path)
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) == tmp_path)
    check_writable(path)
