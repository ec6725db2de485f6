"""Tells from its first bytes whether a file is a result of k6, and of which format."""

from __future__ import annotations

import codecs
from typing import Final

from collectors.k6.resultfile.csv_rows import is_csv_header
from collectors.k6.resultfile.json_lines import is_json_line

HEAD_BYTES: Final = 1 << 16
MAX_TRIES: Final = 100
"""Lines that look like JSON and are none of k6's."""

JSON: Final = "k6 json"
CSV: Final = "k6 csv"


def format_of(head: bytes) -> str | None:
    """Return the format of a file, None if it is no result of k6.

    k6 may write its results to where its log goes as well, so other lines may come first.

    Args:
        head: First bytes of the file, unpacked; its last line may be cut.
    """
    tries = 0
    for line in head[:HEAD_BYTES].removeprefix(codecs.BOM_UTF8).split(b"\n"):
        if is_csv_header(line.removesuffix(b"\r")):
            return CSV
        if line.startswith(b"{"):
            if is_json_line(line):
                return JSON
            tries += 1
            if tries >= MAX_TRIES:
                return None
    return None
