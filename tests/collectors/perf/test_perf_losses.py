from __future__ import annotations

import pytest

from collectors.perf.losses import LossTally, parse_lost_from_stderr

SENTENCE = "Warning:\nProcessed 65346 samples and lost 60.48%!\n\n"


def test_sum_adds_what_records_did_not_tell() -> None:
    """A sum over the recording only counts beyond the records, once."""
    tally = LossTally()
    assert tally.by_record(10) == 10
    assert tally.by_record(5) == 5
    assert tally.by_total(15) == 0
    assert tally.by_total(18) == 3
    assert tally.by_total(18) == 0
    assert tally.by_total(4) == 0


@pytest.mark.parametrize(
    ("printed", "lost"),
    [
        (25_828, 39_518),  # what is missing, exactly
        (0, 39_524),  # no more than the share allows
        (65_346, 39_518),  # no less
    ],
)
def test_sentence_is_read(printed: int, lost: int) -> None:
    """The number lost is what was not printed, as far as the rounded share allows."""
    assert parse_lost_from_stderr(SENTENCE, printed) == lost


@pytest.mark.parametrize(
    "text",
    ["", "Processed many samples and lost 1%!", "[ perf record: Captured and wrote 0.000 MB - ]"],
)
def test_other_words_tell_nothing(text: str) -> None:
    """Without the sentence nothing was lost that records don't tell."""
    assert parse_lost_from_stderr(text, 10) == 0


def test_absurd_share_is_bounded() -> None:
    """More than everything can't be lost."""
    assert parse_lost_from_stderr("Processed 10 samples and lost 999.99%!", 0) == 10
