"""What tests of files of stacks share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from collectors.samples import Frame, Stack
from collectors.stackfile.tally import Tally

ONE = """
w  8329/8329   6636.001296:    2004008 cpu-clock:
\t            1151 work+0x28 (/srv/w)
\t            1198 main+0x29 (/srv/w)

w  8329/8330   6637.003299:    1000000 cpu-clock:
\t            1143 [unknown] (/srv/w)
\t            1198 main+0x29 (/srv/w)

""".lstrip("\n")


def folded(tally: Tally) -> Counter[str]:
    """Return weights (periods, else samples) by stacks like `main;work`."""
    frames: dict[int, Frame] = {}
    stacks: dict[int, Stack] = {}
    found: Counter[str] = Counter()
    for batch in tally.batches():
        frames.update(batch.frames)
        stacks.update(batch.stacks)
        for stack, count in batch.counts.items():
            names = ";".join(frames[number].symbol for number in stacks[stack].frames)
            found[names] += count.period_ns or count.samples
    return found


def written(folder: Path, text: str | bytes, name: str = "stacks.txt") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
