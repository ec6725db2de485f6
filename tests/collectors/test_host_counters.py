from __future__ import annotations

import pytest

from collectors.host_counters import (
    CoreTimes,
    Memory,
    parse_cores,
    parse_io,
    parse_memory,
    parse_pressure,
    parse_switches,
)
from collectors.process_tree import TICKS_PER_SECOND

STAT = b"""\
cpu  700 0 0 0 0 0 0 0 0 0
cpu0 300 100 200 900 50 10 20 30 5 0
cpu3 1 2 3 4 5 6 7 8 0 0
intr 12345 0 1
ctxt 99
"""


def test_cores_keep_their_numbers() -> None:
    """A core that is switched off leaves a hole; the line of all cores is not a core."""
    tick = 1 / TICKS_PER_SECOND
    cores = parse_cores(STAT)
    assert list(cores) == [0, 3]
    assert cores[0] == CoreTimes(400 * tick, 230 * tick, 50 * tick, 30 * tick, 900 * tick)


def test_memory_in_use_is_what_is_not_available() -> None:
    """Caches that the kernel would give back are not in use."""
    data = (
        b"MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\n"
        b"SwapTotal: 50 kB\nSwapFree: 20 kB\nHugePages_Total: 0\n\n"
    )
    assert parse_memory(data) == Memory(1000 * 1024, 400 * 1024, 30 * 1024)
    assert parse_memory(b"MemTotal: 10 kB\nMemFree: 4 kB\n").used_bytes == 6 * 1024


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (b"some avg10=0.02 avg60=0.2 avg300=0.1 total=3100702\nfull avg10=0 total=9\n", 3.100702),
        (b"full avg10=0 total=9\n", None),
        (b"some avg10=0.02 total=x\n", None),
        (b"", None),
    ],
)
def test_pressure_is_the_some_line(data: bytes, seconds: float | None) -> None:
    """Only `some … total=`, in microseconds, is read."""
    assert parse_pressure(data) == seconds


def test_switches_can_not_be_forged_by_a_name() -> None:
    """Only the last two lines count, whatever a name above looks like."""
    true = b"voluntary_ctxt_switches:\t71\nnonvoluntary_ctxt_switches:\t3\n"
    assert parse_switches(b"Name:\tx\nvoluntary_ctxt_switches: 9\nState:\tS\n" + true) == (71, 3)
    assert parse_switches(b"Name:\tx\n") is None


def test_bytes_from_and_to_storage() -> None:
    """Bytes of storage, not of the calls that may have been served from a cache."""
    data = b"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\n"
    assert parse_io(data) == (5, 6)
    assert parse_io(b"rchar: 1\n") is None
