"""Which functions a name means, and what they cost together."""

from __future__ import annotations

import pytest

from collectors.samples import Frame, FrameKind
from tui.compare.named import cost_of, is_named, nearest_name
from tui.model.calldiff import FunctionChange
from tui.model.costchange import Cost, CostChange
from tui.model.failif import Symbols
from tui.model.search import compile_pattern


def function(symbol: str, before: int, after: int, scale_us: float = 2.0) -> FunctionChange:
    """Return a function that was seen so often."""
    own = CostChange(Cost(before, scale_us), Cost(after, scale_us))
    return FunctionChange(Frame(symbol, "server", FrameKind.USER), own, own)


@pytest.mark.parametrize(
    ("symbol", "word", "is_meant"),
    [
        ("parse_json", "parse_json", True),
        ("app::parse_json", "parse_json", True),
        ("app::parse_json::h0123456789abcdef", "app::parse_json", True),
        ("app::parse_json_fast", "parse_json", False),
        ("app::try_parse_json", "parse_json", False),
        ("app::parse_json::inner", "parse_json", False),
        ("py::parse_json:/srv/app.py", "parse_json", True),
        ("py::parse_json:/srv/app.py", "parse_json (app.py)", True),
        ("github.com/a/b/http.(*conn).serve", "serve", True),
        ("github.com/a/b/http.(*conn).serve", "http.(*conn).serve", True),
        ("std::vector<int>::push_back(int const&)", "push_back", True),
        ("Parse_Json", "parse_json", False),
    ],
)
def test_a_name_is_a_whole_name_or_its_end(symbol: str, word: str, is_meant: bool) -> None:
    """In whatever language."""
    assert is_named(symbol, Symbols(word=word)) is is_meant


def test_an_expression_is_searched() -> None:
    """In the symbol and in the readable name."""
    symbols = Symbols(pattern=compile_pattern("json::.*code$"))
    assert is_named("json::encode::h0123456789abcdef", symbols)
    assert not is_named("json::encoder", symbols)


def test_functions_of_a_name_are_one() -> None:
    """Their samples are summed, and so are their costs."""
    functions = [function("a::x", 10, 0), function("b::x", 20, 60, 4.0), function("y", 5, 5)]
    found = cost_of(functions, Symbols(word="x"))
    assert found is not None
    assert found.before.samples == 30
    assert found.before.us == pytest.approx(100)
    assert found.after == Cost(60, 4.0)
    none = cost_of([function("x", 3, 0)], Symbols(word="x"))
    assert none is not None
    assert none.after == Cost(0, 2.0)
    assert cost_of(functions, Symbols(word="z")) is None


def test_the_nearest_name_is_told() -> None:
    """Without its path; of an expression none is."""
    functions = [function("app::parse_json", 1, 1), function("py::handle:/srv/app.py", 1, 1)]
    assert nearest_name(functions, Symbols(word="parse_jason")) == "parse_json"
    assert nearest_name(functions, Symbols(word="handel")) == "handle"
    assert nearest_name(functions, Symbols(word="quux")) is None
    assert nearest_name(functions, Symbols(pattern=compile_pattern("parse"))) is None
