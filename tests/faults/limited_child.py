"""A process that records until it may not write more to a file, and goes on when it may.

Usage: python -m tests.faults.limited_child PATH

Writes to standard output, as JSON, how many notes it sent and what the recorder said.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Final

from collectors.recording import recorder as recorder_module
from tests.faults.made_up_recordings import noise
from tests.faults.troubled_disk import QUICK, Told, recording_to

LIMIT_BYTES: Final = 100_000


def main(path: Path) -> None:
    """Record up to the limit and beyond it."""
    recorder_module.__dict__.update(QUICK)
    told = Told()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, most))
    sent = 0
    with recording_to(path, told) as recorder:
        while not recorder.trouble:
            recorder.add(noise(sent))
            sent += 1
            recorder.flush(0.02)
        assert not recorder.flush(0.1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert recorder.flush()
        recorder.add(noise(sent))
        sent += 1
    statuses = [(each.state, each.message) for each in told.statuses]
    print(json.dumps({"sent": sent, "statuses": statuses, "dropped": told.dropped}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
