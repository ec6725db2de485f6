from __future__ import annotations

from collectors.k6.drops import DropCounter
from collectors.samples import Drop, Sample


def test_a_flood_of_drops_is_a_few_samples() -> None:
    """At most one a second goes out for each reason, and nothing is lost."""
    out: list[Sample] = []
    drops = DropCounter(out.append)
    for number in range(100):
        drops.add("x", 1.0 + number / 50)
    drops.add_all({"y": 2, "z": 0}, 3.0)
    drops.flush(3.5)
    drops.flush(4.0)
    assert len(out) <= 6
    counts = {
        reason: sum(d.count for d in out if isinstance(d, Drop) and d.reason == reason)
        for reason in "xyz"
    }
    assert counts == {"x": 100, "y": 2, "z": 0}
