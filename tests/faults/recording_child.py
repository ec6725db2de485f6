"""A process that records like a busy session, until it is killed.

Usage: python -m tests.faults.recording_child PATH SEED CHECKPOINT_PAGES

Writes to standard output, for each sample that it has handed to the recorder, its serial number
and the time on CLOCK_MONOTONIC as a line.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Final

from collectors.recording import recorder as recorder_module
from collectors.recording.recorder import Recorder
from collectors.samples import Sample
from tests.faults.made_up_recordings import HEADER, second, stacks

BATCHES_A_SECOND: Final = 50
SAMPLES_A_BATCH: Final = 400
"""Together 20 000 stack samples a second."""


def main(path: Path, seed: int, checkpoint_pages: int) -> None:
    """Record until the end."""
    recorder_module.__dict__["CHECKPOINT_PAGES"] = checkpoint_pages
    rng = random.Random(seed)
    recorder = Recorder(path, HEADER, time.monotonic, lambda _: None)
    serial = 0

    def hand_over(sample: Sample) -> None:
        nonlocal serial
        recorder.add(sample)
        os.write(1, f"{serial} {time.monotonic()}\n".encode())
        serial += 1

    pacing = threading.Event()
    start = time.monotonic()
    for number in range(sys.maxsize):
        pacing.wait(max(0.0, start + number / BATCHES_A_SECOND - time.monotonic()))
        now = time.monotonic()
        hand_over(stacks(serial, now, SAMPLES_A_BATCH, rng))
        if number % (BATCHES_A_SECOND // 5) == 0:
            pushed, looked = second(serial, now)
            hand_over(pushed)
            hand_over(looked)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
