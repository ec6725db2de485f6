"""Reads a result file of k6, whichever format it has, into one sample a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from collectors.k6.resultfile.csv_rows import CsvRows
from collectors.k6.resultfile.json_lines import JsonLines, read_json_tags
from collectors.k6.resultfile.ledger import Ledger
from collectors.k6.resultfile.names import MAX_ENDPOINTS, OTHER
from collectors.k6.resultfile.screen import LineScreen
from collectors.k6.resultfile.sniff import HEAD_BYTES, JSON, format_of
from collectors.k6.resultfile.sums import MAX_CELLS
from collectors.k6.resultfile.timeline import Timeline, main_stretch
from collectors.k6.resultfile.unpack import ResultBytes
from collectors.redact import Redactor
from collectors.samples import LoadSample
from collectors.source import SourceError

MAX_GUESSES_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class K6ResultFile:
    """What a result file holds."""

    format: str
    """`k6 json` or `k6 csv`."""
    samples: tuple[LoadSample, ...]
    """One for each second of the file's clock; `at` is its end, as Unix time."""
    notes: tuple[str, ...]
    """What the reader of the file should know, a line each: what was left out, what is a guess."""


def is_k6_result(path: Path) -> bool:
    """Tell from its first bytes whether a file is a result of k6; False if it can't be read."""
    try:
        with ResultBytes(path) as file:
            return format_of(_head(file.chunks())) is not None
    except SourceError:
        return False


def read_k6_result(
    path: Path, *, instance: str = "k6-1", redactor: Redactor | None = None
) -> K6ResultFile:
    """Read a result file of `k6 run --out json=FILE` or `--out csv=FILE`, packed by gzip or not.

    Args:
        path: The file.
        instance: Name of the k6 process in the samples.
        redactor: Applied to names; secrets in URLs are masked without one.

    Raises:
        SourceError: it can't be read, or there is no point of k6's in it.
    """
    with ResultBytes(path) as file:
        chunks = file.chunks()
        head = _head(chunks)
        found = format_of(head)
        if found is None:
            raise SourceError(
                f"{file.name} is no result file of k6",
                "k6 run --out json=FILE (or csv=FILE) writes one; a summary is not enough",
            )
        skipped: Counter[str] = Counter()
        lines = JsonLines(skipped) if found == JSON else CsvRows(skipped)
        ledger = _ledger(lines, skipped, redactor or Redactor())
        screen = LineScreen(skipped)
        for chunk in chain((head,), chunks):
            ledger.add(lines.feed(screen.feed(chunk)))
        ledger.add(lines.close(screen.close()))
    points = {second: sums.points for second, sums in ledger.seconds.items() if sums.points}
    if not points:
        raise SourceError(
            f"{file.name} has no points of k6's{_reasons(skipped)}", "was it cut, or k6 stopped?"
        )
    stretch = main_stretch(points)
    if astray := sum(count for second, count in points.items() if second not in stretch):
        skipped["points_far_from_the_rest"] += astray
    samples = Timeline(ledger, instance).samples(stretch)
    return K6ResultFile(found, samples, tuple(_notes(skipped, file.fault, samples, ledger)))


def _head(chunks: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < HEAD_BYTES and (chunk := next(chunks, b"")):
        head += chunk
    return head


def _ledger(lines: JsonLines | CsvRows, skipped: Counter[str], redactor: Redactor) -> Ledger:
    if isinstance(lines, CsvRows):
        return Ledger(lines.read_tags, {}, skipped, redactor)
    return Ledger(read_json_tags, lines.types, skipped, redactor)


def _reasons(skipped: Counter[str]) -> str:
    told = ", ".join(f"{count} × {_words(reason)}" for reason, count in skipped.most_common(3))
    return f", but {told}" if told else ""


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _notes(
    skipped: Counter[str], fault: str, samples: tuple[LoadSample, ...], ledger: Ledger
) -> Iterator[str]:
    for reason, count in skipped.items():
        yield f"left out: {count} × {_words(reason)}"
    if fault:
        yield f"{fault}: what stood before it is read"
    others = sum(e.requests for load in samples for e in load.endpoints if e.name == OTHER)
    if others:
        yield (
            f"{others} requests are counted as {OTHER}: there is room for {MAX_ENDPOINTS} "
            f"endpoints, and for {MAX_CELLS} of all seconds together"
        )
    if guessed := ledger.guessed():
        named = ", ".join(f"{key.name} ({key.type})" for key in guessed[:MAX_GUESSES_NAMED])
        more = f" and {len(guessed) - MAX_GUESSES_NAMED} more"
        yield (
            "types of metrics are not in the file, guessed by their values: "
            f"{named}{more if len(guessed) > MAX_GUESSES_NAMED else ''}"
        )
