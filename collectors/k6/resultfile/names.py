"""Numbers the endpoints, checks and metrics of a file, named as the live stream names them.

Tags are read once a spelling. Names are redacted and sanitised here, by the same rules as the
labels of the stream: `collectors.k6.series`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from typing import Final, Generic, TypeVar

from collectors.k6.resultfile.metric_types import BUILT_IN, Declared
from collectors.k6.resultfile.points import BadPoint
from collectors.k6.series import (
    NAME_LIMIT,
    CheckKey,
    CustomKey,
    EndpointKey,
    SeriesMeaning,
    meaning_of,
)
from collectors.redact import Redactor
from collectors.samples import MetricType, RequestKind
from collectors.text import sanitise

MAX_ENDPOINTS: Final = 10_000
MAX_NAMED: Final = 1_000
"""Checks, and custom metrics, of one file."""
OTHER: Final = "(other)"
MAX_SPELLINGS: Final = 20_000
MAX_SPELLING_CHARS: Final = 4_096
MAX_TAGS: Final = 64
MAX_TAG_NAME_CHARS: Final = 128

ReadTags = Callable[[str], Mapping[str, str]]
"""Reads a spelling of tags; raises `BadPoint`."""

_SUFFIXES: Final = {MetricType.COUNTER: "_total", MetricType.RATE: "_rate", MetricType.GAUGE: ""}
_UNITS: Final = {"time": ("_seconds", "s"), "data": ("_bytes", "B")}

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Spellings(Generic[T]):
    """Remembers what spellings of tags mean; it forgets all of them rather than grow."""

    def __init__(self) -> None:
        self._known: dict[str, T] = {}
        self.get = self._known.get

    def remember(self, spelling: str, meaning: T) -> None:
        """Remember one."""
        if len(spelling) <= MAX_SPELLING_CHARS:
            if len(self._known) >= MAX_SPELLINGS:
                self._known.clear()
            self._known[spelling] = meaning


class Numbers(Generic[K]):
    """Gives each key a number, in the order in which they come."""

    def __init__(self) -> None:
        self.keys: list[K] = []
        self._numbers: dict[K, int] = {}

    def find(self, key: K) -> int | None:
        """Return the number of a key that has one."""
        return self._numbers.get(key)

    def of(self, key: K) -> int:
        """Return the number of a key."""
        number = self._numbers.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number


class Names:
    """What the metrics and tags of a file stand for.

    Args:
        read_tags: Reads the tags as the file spells them.
        redactor: Applied to names before they are kept.
        max_endpoints: Further ones are one, called `(other)`, for each kind.
    """

    def __init__(
        self, read_tags: ReadTags, redactor: Redactor, max_endpoints: int = MAX_ENDPOINTS
    ) -> None:
        self._read_tags = read_tags
        self._redactor = redactor
        self._max_endpoints = max_endpoints
        self._named = 0
        self.endpoints: Numbers[EndpointKey] = Numbers()
        self.checks: Numbers[CheckKey] = Numbers()
        self.customs: Numbers[CustomKey] = Numbers()
        self._of_endpoints: defaultdict[RequestKind, Spellings[tuple[int, bool]]]
        self._of_endpoints = defaultdict(Spellings)
        self._of_checks: Spellings[int] = Spellings()
        self._of_rates: defaultdict[str, Spellings[int]] = defaultdict(Spellings)

    def meaning(self, metric: str, spelling: str = "") -> SeriesMeaning:
        """Tell what points of one of k6's own metrics stand for; without tags if none are given.

        Raises:
            BadPoint: the tags can't be read.
        """
        return self._meaning(metric, BUILT_IN[metric], self._tags(spelling) if spelling else {})

    def endpoint(self, metric: str, kind: RequestKind, spelling: str) -> tuple[int, bool]:
        """Return the number of an endpoint, and whether its tags tell that it failed.

        Raises:
            BadPoint: the tags can't be read.
        """
        known = self._of_endpoints[kind]
        found = known.get(spelling)
        if found is None:
            meaning = self.meaning(metric, spelling)
            key = meaning.endpoint
            assert key is not None
            number = self.endpoints.find(key)
            if number is None:
                has_room = len(self.endpoints.keys) < self._max_endpoints
                number = self.endpoints.of(key) if has_room else self.other(kind)
            found = number, bool(meaning.failed)
            known.remember(spelling, found)
        return found

    def other(self, kind: RequestKind) -> int:
        """Return the number of the endpoint that holds what has no room of its own."""
        return self.endpoints.of(EndpointKey(kind, OTHER, "", "", "", ""))

    def check(self, spelling: str) -> int:
        """Return the number of a check.

        Raises:
            BadPoint: the tags can't be read, or there are too many checks.
        """
        number = self._of_checks.get(spelling)
        if number is None:
            key = self.meaning("checks", spelling).check
            assert key is not None
            number = self._admit(self.checks, key, "checks_over_limit")
            self._of_checks.remember(spelling, number)
        return number

    def rate(self, metric: str, told: Declared, spelling: str) -> int:
        """Return the number of one set of tags of a rate: they stay apart, as in the stream.

        Raises:
            BadPoint: the tags can't be read, or there are too many metrics.
        """
        known = self._of_rates[metric]
        number = known.get(spelling)
        if number is None:
            number = self._custom(metric, told, self._tags(spelling))
            known.remember(spelling, number)
        return number

    def custom(self, metric: str, told: Declared) -> int:
        """Return the number of a metric whose tags are summed up.

        Raises:
            BadPoint: there are too many metrics.
        """
        return self._custom(metric, told, {})

    def custom_key(
        self, metric: str, told: Declared, tags: Mapping[str, str] | None = None
    ) -> CustomKey:
        """Return how a metric of the script's own is called in samples, and its unit."""
        metric = sanitise(metric, NAME_LIMIT)
        if told.type in (MetricType.RATE, MetricType.TREND):
            key = self._meaning(metric, told, tags or {}).custom
            if key is not None:
                return key
        # The names of the stream can't tell such a gauge from a counter: `orders_total`.
        return CustomKey(sanitise(self._redactor.url(metric), NAME_LIMIT), told.type, "")

    def _custom(self, metric: str, told: Declared, tags: Mapping[str, str]) -> int:
        return self._admit(self.customs, self.custom_key(metric, told, tags), "metrics_over_limit")

    def _admit(self, numbers: Numbers[K], key: K, reason: str) -> int:
        number = numbers.find(key)
        if number is None:
            if self._named >= MAX_NAMED:
                raise BadPoint(reason)
            self._named += 1
            number = numbers.of(key)
        return number

    def _meaning(self, metric: str, told: Declared, tags: Mapping[str, str]) -> SeriesMeaning:
        suffix = _SUFFIXES.get(told.type)
        if suffix is None:
            suffix = _UNITS.get(told.contains, ("", ""))[0]
        labels = {**tags, "__name__": f"k6_{metric}{suffix}"}
        is_trend = told.type is MetricType.TREND
        return meaning_of(labels, is_trend=is_trend, redactor=self._redactor)

    def _tags(self, spelling: str) -> dict[str, str]:
        tags = self._read_tags(spelling)
        if len(tags) > MAX_TAGS:
            raise BadPoint("too_many_tags")
        # The stream leaves out empty ones, and sorts the others.
        return {
            sanitise(name, MAX_TAG_NAME_CHARS): sanitise(tags[name])
            for name in sorted(tags)
            if name and tags[name]
        }
