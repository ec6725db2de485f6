"""Counts the samples that perf lost, each of them once.

perf tells of one loss in two ways. The kernel writes a record into the ring as soon as there is
room again; perf script prints it as a line. When recording ends, perf reads each event's own
counter of lost samples. That sum also holds what was lost at the very end, and perf script prints
it as a share, in a sentence on stderr, where it is above 5 %. The sum contains the lines, so only
what it has beyond them is new.
"""

from __future__ import annotations

import re
from math import ceil, floor

_SHARE = re.compile(r"Processed (\d{1,15}) samples and lost (\d{1,3}\.\d{1,6})%")


class LossTally:
    """Reports in, newly lost samples out."""

    def __init__(self) -> None:
        self._counted = 0

    def by_record(self, samples: int) -> int:
        """Take one record of the ring and return how many samples it adds."""
        self._counted += samples
        return samples

    def by_total(self, samples: int) -> int:
        """Take a sum over the whole recording and return what it has beyond the records."""
        new = max(0, samples - self._counted)
        self._counted += new
        return new


def parse_lost_from_stderr(text: str, printed: int = 0) -> int:
    """Return the lost samples of a whole recording as far as perf's stderr tells; 0 if it doesn't.

    perf says how many samples there were with the lost ones, exactly, and the share of the lost,
    rounded to a hundredth of a percent.

    Args:
        text: What perf script wrote to stderr.
        printed: Samples that perf script printed. All others are lost, as far as the share allows.
    """
    match = _SHARE.search(text)
    if match is None:
        return 0
    processed, percent = int(match[1]), min(100.0, float(match[2]))
    least = ceil(processed * max(0.0, percent - 0.005) / 100)
    most = floor(processed * min(100.0, percent + 0.005) / 100)
    return min(max(processed - printed, least), most)
