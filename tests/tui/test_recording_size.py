"""How much of a disk an hour of a busy server's recording takes, told by a few minutes of it."""

from __future__ import annotations

from pathlib import Path

from collectors.recording.reader import Recording
from collectors.samples import HostSample, LoadSample, StackBatch
from tests.bench.synthetic_hour import BEGIN, ENDPOINTS, SAMPLES_PER_S, Server, write_recording
from tui.tape import whole

MB_AN_HOUR = 20.0
SECONDS = (60, 240)
"""The names of the first stacks are written once: the minute in which most come is left out."""


def test_an_hour_fits_into_20_megabytes(tmp_path: Path) -> None:
    """99 Hz on 8 cores, 50 endpoints with their histograms, the machine's 8 cores."""
    sizes = []
    for seconds in SECONDS:
        path = tmp_path / f"{seconds}.flashpoint"
        write_recording(path, seconds)
        sizes.append(path.stat().st_size)
    growth = (sizes[1] - sizes[0]) / (SECONDS[1] - SECONDS[0])
    assert (sizes[0] + growth * (3_600 - SECONDS[0])) / 1e6 <= MB_AN_HOUR


def test_what_is_made_up_is_like_a_busy_server(tmp_path: Path) -> None:
    """Some 500 stacks a second; all of it is plausible, is written and read again."""
    server = Server()
    for second in range(5):
        samples = [sample for _, sample in server.second(BEGIN + second)]
    batches = [each for each in samples if isinstance(each, StackBatch)]
    assert sum(count.samples for each in batches for count in each.counts.values()) == SAMPLES_PER_S
    assert 450 <= len({stack for each in batches for stack in each.counts}) <= 550
    path = tmp_path / "x.flashpoint"
    write_recording(path, 10)
    recording = Recording(path)
    timeline = whole(recording)
    assert recording.rejected() == {}
    assert not recording.is_unclean
    recording.close()
    assert len(timeline.loads) == len(timeline.hosts) == 10
    assert [len(each.endpoints) for each in timeline.loads] == [ENDPOINTS] * 10
    assert {type(each) for each in (*samples, *timeline.loads)} == {
        LoadSample, HostSample, StackBatch
    }  # fmt: skip
