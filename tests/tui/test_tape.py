"""Files of other programs as if they were recordings, and recordings as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.samples import LoadSample, SourceState, StackBatch
from collectors.source import SourceError
from tests.tapes import ALL, a_run, contents, timeline_of, write_recording
from tui.replay import Replay
from tui.tape import ImportedTape, open_tape, whole

CSV = """metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,\
name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata
"""


def result_of(folder: Path) -> Path:
    """Three seconds of a result of k6."""
    rows = "".join(
        f"http_reqs,{second},1.0,,,,true,,GET,/,HTTP/1.1,default,,200,,,/,,\n"
        f"http_req_duration,{second},{20.0 + n},,,,true,,GET,/,HTTP/1.1,default,,200,,,/,,\n"
        for second in (1_700_000_000, 1_700_000_001, 1_700_000_002)
        for n in range(5)
    )
    path = folder / "result.csv"
    path.write_text(CSV + rows)
    return path


def test_a_recording_as_a_whole_is_what_was_seen(tmp_path: Path) -> None:
    """Everything that arrived, in order."""
    run = a_run(30)
    path = tmp_path / "x.flashpoint"
    write_recording(path, [run[:50], run[50:]])
    tape = open_tape(path)
    assert contents(whole(tape)) == contents(timeline_of(run))
    tape.close()


def test_a_result_of_k6_is_a_tape_of_its_seconds(tmp_path: Path) -> None:
    """At the times of the file; it says that there is nothing else."""
    tape = open_tape(result_of(tmp_path))
    assert isinstance(tape, ImportedTape)
    assert (tape.is_live, tape.is_unclean, tape.rejected()) == (False, False, {})
    timeline = whole(tape)
    assert sum(each.traffic[0].requests for each in timeline.loads) == 15
    assert all(isinstance(each, LoadSample) for each in timeline.loads)
    assert 1_700_000_000 <= timeline.loads[0].at <= 1_700_000_002
    assert timeline.origin <= timeline.loads[0].at - timeline.loads[0].interval_s
    told = timeline.statuses["file"]
    assert told.state is SourceState.ENDED
    assert "result.csv is imported from k6 csv" in told.message


def test_a_file_of_stacks_is_a_tape_of_them(tmp_path: Path) -> None:
    """What could not be read of it is told."""
    path = tmp_path / "x.folded"
    path.write_text("main;f 60\nmain;g 40\nbroken\n")
    timeline = whole(open_tape(path))
    assert sum(each.samples for each in timeline.stacks_in(ALL).values()) == 100
    assert any("line unreadable" in each.message for each in timeline.statuses.values())


def test_perf_text_is_at_its_own_times() -> None:
    """In order of time, so that it can be played."""
    tape = open_tape(Path(__file__).parents[1] / "data" / "perf_rust.txt")
    arrivals = [each for chunk in tape.chunks() for each in chunk.arrivals]
    assert arrivals == sorted(arrivals, key=lambda each: each.at)
    batches = [each.sample for each in arrivals if isinstance(each.sample, StackBatch)]
    assert batches
    assert tape.header.started_at <= batches[0].start
    replay = Replay(tape, clock=lambda: 0.0)
    replay.go_to_end()
    found = replay.timeline.stacks_in(ALL)
    assert sum(each.samples for each in found.values()) == sum(
        count.samples for each in batches for count in each.counts.values()
    )


def test_chunks_go_on_after_any_number(tmp_path: Path) -> None:
    """As those of a recording do."""
    tape = open_tape(result_of(tmp_path))
    assert isinstance(tape, ImportedTape)
    tape.samples = [*tape.samples] * 40
    chunks = list(tape.chunks())
    assert len(chunks) > 3
    assert list(tape.chunks(2)) == chunks[2:]


@pytest.mark.parametrize(
    "content", ["", "nothing", json.dumps({"a": 1}), "SQLite format 3\0" + "\0" * 200]
)
def test_what_is_none_of_them_is_refused(content: str, tmp_path: Path) -> None:
    """With a reason."""
    path = tmp_path / "x"
    path.write_text(content)
    with pytest.raises(SourceError):
        open_tape(path)
