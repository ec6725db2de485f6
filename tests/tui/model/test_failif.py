"""The notation of --fail-if: what it means, and what is said of what it is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.failif import LimitKind, Symbols, parse_condition
from tui.model.metric import Dimension, Metric

VALUE, DELTA, RATIO = LimitKind.VALUE, LimitKind.DELTA, LimitKind.RATIO


@pytest.mark.parametrize(
    ("text", "metric", "is_above", "limit", "kind"),
    [
        ("p95>+10%", Metric.P95, True, 0.1, RATIO),
        (" p95 > + 10 % ", Metric.P95, True, 0.1, RATIO),
        ("p99>250ms", Metric.P99, True, 0.25, VALUE),
        ("p50 > .5 s", Metric.P50, True, 0.5, VALUE),
        ("mean>+250µs", Metric.MEAN, True, 250e-6, DELTA),
        ("rps<-5%", Metric.RPS, False, -0.05, RATIO),
        ("rps<−5%", Metric.RPS, False, -0.05, RATIO),
        ("rps<-50", Metric.RPS, False, -50.0, DELTA),
        ("rps<100/s", Metric.RPS, False, 100.0, VALUE),
        ("requests<1000", Metric.REQUESTS, False, 1000.0, VALUE),
        ("errors>1%", Metric.ERRORS, True, 0.01, VALUE),
        ("errors>+0.5%", Metric.ERRORS, True, 0.005, DELTA),
        ("errors>+0.5pp", Metric.ERRORS, True, 0.005, DELTA),
        ("errors>0", Metric.ERRORS, True, 0.0, VALUE),
        ("dropped>+0pp", Metric.DROPPED, True, 0.0, DELTA),
        ("cpu_per_request>+5%", Metric.CPU_PER_REQUEST, True, 0.05, RATIO),
        ("cpu_per_request>+20us", Metric.CPU_PER_REQUEST, True, 20e-6, DELTA),
        ("memory>512MiB", Metric.MEMORY, True, 512 * 2.0**20, VALUE),
        ("memory>+1.5 GB", Metric.MEMORY, True, 1.5e9, DELTA),
        ("generator_cpu>1.5cores", Metric.GENERATOR_CPU, True, 1.5, VALUE),
    ],
)
def test_conditions(
    text: str, metric: Metric, is_above: bool, limit: float, kind: LimitKind
) -> None:
    """In the figure's own unit."""
    found = parse_condition(text)
    assert (found.subject, found.is_above, found.kind) == (metric, is_above, kind)
    assert found.limit == pytest.approx(limit)
    assert found.text == text.strip()


@pytest.mark.parametrize(
    ("text", "word", "limit"),
    [
        ("symbol:parse_json>+10%", "parse_json", 0.1),
        ("symbol: Vec<u8>::push > +10 %", "Vec<u8>::push", 0.1),
        ("symbol:operator>>+10%", "operator>", 0.1),
        ("symbol:operator<<<-10%", "operator<<", -0.1),
        ("symbol:a->b>50us", "a->b", 50e-6),
        ("symbol:handle (app.py)>+1ms", "handle (app.py)", 1e-3),
        ("symbol:p95>+1ms", "p95", 1e-3),
    ],
)
def test_names_of_functions_may_hold_anything(text: str, word: str, limit: float) -> None:
    """Also what else parts a name from its limit."""
    found = parse_condition(text)
    assert found.subject == Symbols(word=word)
    assert found.limit == pytest.approx(limit)
    assert found.dimension is Dimension.TIME


def test_functions_by_an_expression() -> None:
    """As one searches for them: case counts if it has capitals."""
    found = parse_condition("symbol:/^json::(de|en)code/>+10%").subject
    assert isinstance(found, Symbols)
    assert found.pattern == re.compile("^json::(de|en)code", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p95", "'p95' has no '>' or '<'; write it like p95>+10%."),
        ("", "'' has no '>' or '<'"),
        ("erors>+1%", "no figure 'erors'. Did you mean errors? Known are rps, requests, errors"),
        ("P95>+10%", "Did you mean p95?"),
        ("cpu_per_reqest>+5%", "Did you mean cpu_per_request?"),
        ("quux>+5%", "no figure 'quux'. Known are"),
        (">+5%", "the name of a figure is missing"),
        ("p95>", "after '>' or '<': a number is missing; write a limit of p95 like +10%"),
        ("p95>ten", "'ten' is no number"),
        ("p95>1e3ms", "'1e3ms' is no number"),
        ("p95>+10", "the unit is missing; write a limit of p95 like"),
        ("p95>+10qs", "the unit 'qs' is not one of it"),
        ("p95>10%", "10% of what? A change is signed: +10%."),
        ("errors>0.5pp", "percentage points are a change; write +0.5pp."),
        ("errors>+5ms", "the unit 'ms' is not one of it; write a limit of errors like 1%"),
        ("errors>1", "the unit is missing"),
        ("p95>-10%", "'>' and the sign of the limit contradict each other"),
        ("rps<+5%", "'<' and the sign of the limit contradict each other"),
        ("p95>=250ms", "after 'p95': use '>' or '<' without '='."),
        ("symbol:>+5%", "after 'symbol:' the name of a function is missing"),
        ("symbol:/(/>+5%", "after 'symbol:': The pattern can't be read"),
        ("p95>" + "9" * 400 + "ms", "the number is too large"),
        ("x" * 501, "500 characters at most"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    """Where, and what can stand there; in one line."""
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        parse_condition(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", "?"))


@given(
    st.text(max_size=40)
    | st.tuples(
        st.sampled_from([*Metric, "symbol:a"]),
        st.sampled_from(list("<>")),
        st.text("0123456789.+-%smuMiB p/", max_size=8),
    ).map("".join)
)
def test_whatever_is_written_it_is_read_or_refused(text: str) -> None:
    """Never anything else."""
    try:
        found = parse_condition(text)
    except ValueError:
        return
    assert found.kind is LimitKind.VALUE or (found.limit >= 0) == found.is_above or not found.limit
