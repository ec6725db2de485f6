"""`python -m tests.bench [NAME ...] [ROUNDS]` prints what things cost; see `NAMES`."""

from __future__ import annotations

import asyncio
import sys

from tests.bench import (
    control_cost,
    flame_speed,
    fold_speed,
    key_latency,
    monitor_cost,
    recording_cost,
)

NAMES = ("monitor", "control", "fold", "keys", "flame", "recording")


def main() -> None:
    """Run the benchmarks."""
    names = [word for word in sys.argv[1:] if not word.isdecimal()] or NAMES
    rounds = next((int(word) for word in sys.argv[1:] if word.isdecimal()), 5)
    if "monitor" in names:
        sys.stdout.write(monitor_cost.table(asyncio.run(monitor_cost.measure(rounds))) + "\n")
    if "control" in names:
        sys.stdout.write(control_cost.table(asyncio.run(control_cost.measure(rounds))) + "\n")
    if "fold" in names:
        sys.stdout.write(fold_speed.table(fold_speed.measure(rounds)) + "\n")
    if "keys" in names:
        sys.stdout.write(key_latency.table(asyncio.run(key_latency.measure(rounds))) + "\n")
    if "flame" in names:
        sys.stdout.write(flame_speed.table(asyncio.run(flame_speed.measure(rounds))) + "\n")
    if "recording" in names:
        found = asyncio.run(recording_cost.measure(rounds))
        sys.stdout.write(recording_cost.table(found) + "\n")


if __name__ == "__main__":
    main()
