from __future__ import annotations

import pytest

from collectors.exception_text import MAX_FRAMES, name_of, place_of, root_of, trace_lines
from collectors.text import sanitise
from tui.model.duration import parse_duration


class _HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this works")


def caught(work: object, *arguments: object) -> BaseException:
    """Return what a function raises."""
    assert callable(work)
    with pytest.raises(BaseException) as info:  # noqa: PT011 - whatever it is
        work(*arguments)
    return info.value


def fails(text: str) -> None:
    secret = f"canary-{text}"
    raise ValueError(text + "\x1b]0;x\x07" + secret[:0])  # canary in the source


def test_frames_are_places_without_source_and_variables() -> None:
    lines = trace_lines(caught(fails, "said"))
    assert lines[-1] == "ValueError: said␛]0;x␇"
    assert any(line.endswith("in fails") for line in lines)
    assert not [line for line in lines if "canary" in line]
    assert all(sanitise(line) == line for line in lines)


def test_the_place_is_the_deepest_of_ours() -> None:
    place = place_of(caught(parse_duration, "soon"))
    assert place is not None
    assert place.is_ours
    assert place.file.startswith("tui/model/")


def test_without_a_traceback_there_is_no_place() -> None:
    assert place_of(ValueError("never raised")) is None


def test_causes_and_groups_are_told_once_each_and_in_order() -> None:
    def chained() -> None:
        try:
            fails("first")
        except ValueError as error:
            raise ExceptionGroup("several", [KeyError("a"), OSError(2, "b")]) from error

    error = caught(chained)
    text = "\n".join(trace_lines(error))
    assert text.index("ValueError: first") < text.index("ExceptionGroup: several")
    assert text.count("in a group:") == 2
    assert text.count("which led to:") == 1
    assert name_of(root_of(error)) == "KeyError"


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert len(trace_lines(one)) == 3


def test_endless_recursion_is_told_in_few_lines() -> None:
    def deeper() -> None:
        deeper()

    lines = trace_lines(caught(deeper))
    assert len(lines) <= MAX_FRAMES + 2
    assert any("more ..." in line for line in lines)


def test_what_cant_tell_itself_is_told_all_the_same() -> None:
    assert trace_lines(_HostileError()) == ["_HostileError: ?"]


def test_a_long_text_is_cut() -> None:
    assert len(trace_lines(ValueError("x" * 10_000_000))[0]) < 600
