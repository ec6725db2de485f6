"""One meter a metric: it adds a point to the sums of its second."""

from __future__ import annotations

from typing import Protocol

from collectors.k6.resultfile.metric_types import BUILT_IN, Declared, ValuesSeen
from collectors.k6.resultfile.names import Names
from collectors.k6.resultfile.points import BadPoint
from collectors.k6.resultfile.sums import CustomCell, EndpointCell, RateCell, Room, SecondSums
from collectors.k6.series import What
from collectors.samples import MetricType, RequestKind

MS_A_SECOND = 1000.0


class Meter(Protocol):
    """Takes the points of one metric."""

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a point to its second.

        Raises:
            BadPoint: it can't be used; nothing is changed then.
        """


def meter_of(metric: str, told: Declared | None, names: Names, room: Room) -> Meter:
    """Return the meter of a metric; `told` is None where its type is known to nobody.

    Raises:
        BadPoint: there are too many metrics.
    """
    if metric in BUILT_IN:
        meaning = names.meaning(metric)
        if meaning.endpoint is not None:
            return EndpointMeter(metric, meaning.what, meaning.endpoint.kind, names, room)
        match meaning.what:
            case What.PHASE:
                return PhaseMeter(meaning.name)
            case What.TOTAL:
                return TotalMeter(meaning.name)
            case What.GAUGE:
                return GaugeMeter(meaning.name)
            case What.CHECK:
                return CheckMeter(names, room)
        told = BUILT_IN[metric]
    if told is None:
        return UntypedMeter(names.custom(metric, Declared(MetricType.GAUGE)), room)
    if told.type is MetricType.RATE:
        return RateMeter(metric, told, names, room)
    return CustomMeter(told, names.custom(metric, told), room)


class EndpointMeter:
    """Requests of a kind, their latency, or which of them failed."""

    __slots__ = ("_kind", "_metric", "_names", "_room", "_what")

    def __init__(
        self, metric: str, what: What, kind: RequestKind, names: Names, room: Room
    ) -> None:
        self._metric = metric
        self._what = what
        self._kind = kind
        self._names = names
        self._room = room

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a point to its endpoint."""
        if value < 0:
            raise BadPoint("negative_values")
        number, is_failed = self._names.endpoint(self._metric, self._kind, tags)
        cell = sums.endpoints.get(number)
        if cell is None:
            cell = self._open(sums, number)
        what = self._what
        if what is What.LATENCY:
            cell.latency.add(value / MS_A_SECOND)
            return
        if what is What.FAILED_RATIO:
            cell.failed += value != 0
            return
        requests = 1
        if what is What.REQUESTS:
            requests = round(value)
        else:
            cell.latency.add(value / MS_A_SECOND)
        cell.requests += requests
        if is_failed and self._kind is not RequestKind.HTTP:  # k6 tells failed HTTP by a metric
            cell.failed += requests

    def _open(self, sums: SecondSums, number: int) -> EndpointCell:
        if not self._room.take():
            number = self._names.other(self._kind)
        cell = sums.endpoints.get(number)
        if cell is None:
            cell = sums.endpoints[number] = EndpointCell()
        return cell


class PhaseMeter:
    """One phase of HTTP requests, summed over all of them."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a time."""
        sums.phases[self._name].add(value / MS_A_SECOND)


class TotalMeter:
    """One of k6's own counters, summed over its tags."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a count."""
        if value < 0:
            raise BadPoint("negative_values")
        sums.counters[self._name] += value


class GaugeMeter:
    """One of k6's own gauges."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Keep the newest value."""
        if value < 0:
            raise BadPoint("negative_values")
        sums.gauges[self._name] = value


class CheckMeter:
    """The checks of the script."""

    __slots__ = ("_names", "_room")

    def __init__(self, names: Names, room: Room) -> None:
        self._names = names
        self._room = room

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Count one check."""
        number = self._names.check(tags)
        cell = sums.checks.get(number)
        if cell is None:
            if not self._room.take():
                raise BadPoint("checks_over_limit")
            cell = sums.checks[number] = RateCell()
        cell.add(value)


class CustomMeter:
    """A counter, a gauge or a trend of the script's own, all its tags together."""

    __slots__ = ("_divisor", "_number", "_room", "_type")

    def __init__(self, told: Declared, number: int, room: Room) -> None:
        self._type = told.type
        self._divisor = MS_A_SECOND if told.contains == "time" else 1.0
        self._number = number
        self._room = room

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a value, or keep the newest one of a gauge."""
        if value < 0 and self._type is MetricType.TREND:
            raise BadPoint("negative_values")
        cell = custom_cell(sums, self._number, self._room)
        if self._type is MetricType.TREND:
            cell.values.add(value / self._divisor)
        elif self._type is MetricType.COUNTER:
            cell.sum += value
        else:
            cell.newest = value


class RateMeter:
    """A rate of the script's own, each set of its tags apart."""

    __slots__ = ("_metric", "_names", "_room", "_told")

    def __init__(self, metric: str, told: Declared, names: Names, room: Room) -> None:
        self._metric = metric
        self._told = told
        self._names = names
        self._room = room

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Count one value."""
        number = self._names.rate(self._metric, self._told, tags)
        custom_cell(sums, number, self._room).rate.add(value)


class UntypedMeter:
    """A metric of unknown type: whatever it may turn out to be is kept."""

    __slots__ = ("_room", "number", "seen")

    def __init__(self, number: int, room: Room) -> None:
        self.number = number
        self._room = room
        self.seen = ValuesSeen()

    def take(self, sums: SecondSums, value: float, tags: str) -> None:
        """Add a value to everything that it may belong to."""
        cell = custom_cell(sums, self.number, self._room)
        self.seen.take(value)
        cell.sum += value
        cell.newest = value
        cell.rate.add(value)
        if value >= 0:
            cell.values.add(value)


def custom_cell(sums: SecondSums, number: int, room: Room) -> CustomCell:
    """Return the sums of a custom metric in a second.

    Raises:
        BadPoint: there is no room for them.
    """
    cell = sums.customs.get(number)
    if cell is None:
        if not room.take():
            raise BadPoint("metrics_over_limit")
        cell = sums.customs[number] = CustomCell()
    return cell
