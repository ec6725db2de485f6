import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.demo.routes import COSTS, Routes, block_rounds
from tui.demo.server import RefusedError, format_answer, main, parse_head


def test_blocks_cost_their_average() -> None:
    """A hundred blocks cost the average within one per cent, each between 0.4 and 1.6 times."""
    rounds = [block_rounds(number, 1_000_000) for number in range(100)]
    assert sum(rounds) / 100 == pytest.approx(1_000_000, rel=0.01)
    assert min(rounds) >= 400_000
    assert max(rounds) <= 1_600_000


def test_blocks_spread_evenly() -> None:
    """No tenth of the range holds more than its share of the blocks."""
    rounds = [block_rounds(number, 1_000_000) for number in range(1000)]
    tenths = [sum(1 for turns in rounds if (turns - 400_000) // 120_000 == n) for n in range(10)]
    assert all(95 <= count <= 105 for count in tenths)


@pytest.mark.parametrize("factor", ["0.009", "100.1", "nan", "inf", "-1", "1e1", "", ".", "1_0"])
def test_bad_factor(factor: str) -> None:
    """A factor that is no number from 0.01 to 100 is refused in one line."""
    answer = Routes().answer("POST", f"/cost/mine_block?factor={factor}")
    assert answer.status == 400
    assert answer.body.count(b"\n") == 1


def test_factor_scales_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the factor is half the work, and the answer shows it."""
    monkeypatch.setattr(COSTS["update_ledger"], "factor", 1.0)
    before = COSTS["update_ledger"].scaled_rounds
    answer = Routes().answer("POST", "/cost/update_ledger?factor=.5")
    assert json.loads(answer.body)["functions"]["update_ledger"]["factor"] == 0.5
    assert COSTS["update_ledger"].scaled_rounds == before // 2


def test_head_of_a_request() -> None:
    """Names of headers are read whatever their case, the last word on keep-alive wins."""
    request = parse_head(b"POST /cost/x?a=1 HTTP/1.1\r\nCONTENT-length: 12\r\nConnection: Close")
    assert (request.method, request.target) == ("POST", "/cost/x?a=1")
    assert request.body_bytes == 12
    assert not request.keep_alive


def test_old_protocol_closes() -> None:
    """HTTP/1.0 ends the connection unless it asks to keep it."""
    assert not parse_head(b"GET / HTTP/1.0").keep_alive
    assert parse_head(b"GET / HTTP/1.0\r\nConnection: keep-alive").keep_alive


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    """No bytes break the reader of heads, and a refusal can be sent."""
    try:
        parse_head(head)
    except RefusedError as refused:
        text = format_answer(refused.answer, keep_alive=False, with_body=True)
        assert text.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("arguments", [["x"], ["65536"], ["-1"], ["1", "2"]])
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that are no port end the program with its usage."""
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
