"""`python -m tests.bench [ROUNDS]` prints what watching a run costs."""

from __future__ import annotations

import asyncio
import sys

from tests.bench.monitor_cost import measure, table


def main() -> None:
    """Run the benchmark."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    sys.stdout.write(table(asyncio.run(measure(rounds))) + "\n")


if __name__ == "__main__":
    main()
