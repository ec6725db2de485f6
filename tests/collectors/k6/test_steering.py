"""What k6 is given when its load is ours."""

from __future__ import annotations

from collectors.k6.steering import EASED_VUS, eased


def test_waiting_vus_are_made_cheaper() -> None:
    """By half as many collections of garbage, where memory allows and nobody has decided."""
    assert eased({"A": "1"}, 50) == {"A": "1", "GOGC": "200"}
    for env, ceiling in (
        ({"GOGC": "50"}, 50),
        ({"GOMEMLIMIT": "1GiB"}, 50),
        ({"A": "1"}, EASED_VUS + 1),
    ):
        assert eased(env, ceiling) is env
