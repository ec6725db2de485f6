from __future__ import annotations

import signal

import pytest

from collectors.k6.exit_codes import explain_exit


@pytest.mark.parametrize("code", [0, *range(97, 111), 255, -6, -9, -11, -2, -15])
def test_every_code_has_a_sentence(code: int) -> None:
    """No known code is unknown, and every failure has a hint."""
    meaning = explain_exit(code)
    assert "unknown" not in meaning.sentence
    assert code == 0 or str(abs(code)) in meaning.sentence
    assert meaning.hint or not meaning.is_failure


def test_success_is_for_zero_and_what_was_asked_for() -> None:
    """Only an end in order or on request is no failure."""
    fine = {code for code in range(-64, 256) if not explain_exit(code).is_failure}
    requested = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP}
    assert fine == {0, 103, 105, *requested}


def test_an_unknown_code_is_shown() -> None:
    """What nobody knows is at least told as it is."""
    assert "42" in explain_exit(42).sentence
    assert "signal 99" in explain_exit(-99).sentence


def test_a_kill_hints_at_memory() -> None:
    """SIGKILL mostly means that memory ran out."""
    assert "memory" in explain_exit(-9).hint
