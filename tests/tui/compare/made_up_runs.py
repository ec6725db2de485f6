"""Runs of which the truth is known, as chance would have them: the same seed, the same run."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from collectors.samples import (
    Frame,
    FrameKind,
    Histogram,
    HostSample,
    Role,
    RoleUsage,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import host, load
from tests.tui.export.known_run import ABOUT
from tui.compare.comparison import Side
from tui.model.timeline import Timeline, TimeRange

START: Final = 100
SCHEMA: Final = 3
PERIOD_NS: Final = 10_101_010
_NORMAL: Final = NormalDist()
_FRAMES: Final = {
    number: Frame(name, "server", FrameKind.USER) for number, name in enumerate(("main", "app::x"))
}
_STACKS: Final = {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1))}


@dataclass(frozen=True, slots=True)
class Truth:
    """What a run really is; what its figures vary around."""

    seconds: int = 30
    rps: float = 300.0
    rps_spread: float = 8.0
    """Standard deviation of the requests of a second: less than Poisson's."""
    median_s: float = 0.010
    sigma: float = 0.5
    """Of the logarithm of a latency: it is log-normal."""
    failed_ratio: float = 0.02
    cpu_us: float = 1_500.0
    """Of the server per request."""
    x_us: float = 600.0
    """Of that in `app::x`."""
    waves: float = 0.03
    """How much latency and CPU of neighbouring seconds go up and down together, relatively."""

    def percentile_s(self, q: float) -> float:
        """Return the true percentile; the waves make latencies a little wider."""
        return self.median_s * math.exp(math.hypot(self.sigma, self.waves) * _NORMAL.inv_cdf(q))

    @property
    def mean_s(self) -> float:
        """The true mean latency."""
        return self.median_s * math.exp((self.sigma**2 + self.waves**2) / 2)


def made_up(truth: Truth, seed: int) -> Side:
    """Return a run as chance has it."""
    dice = random.Random(seed)
    line = Timeline(START - 10.0)
    wave = dice.gauss(0, truth.waves)
    for second in range(START, START + truth.seconds):
        # Neighbours have 0.3 in common, and the waves are as high for ever.
        wave = 0.3 * wave + math.sqrt(1 - 0.09) * dice.gauss(0, truth.waves)
        requests = max(1, round(dice.gauss(truth.rps, truth.rps_spread)))
        failed = _poisson(dice, requests * truth.failed_ratio)
        latency = _latencies(dice, truth, requests, wave)
        line.append(load(second + 0.95, requests, failed=min(failed, requests), latency=latency))
        cpu_s = requests * truth.cpu_us / 1e6 * (1 + wave)
        line.append(_machine(second + 0.98, cpu_s))
        x = _poisson(dice, requests * truth.x_us * (1 + wave) / PERIOD_NS * 1e3)
        rest = _poisson(dice, requests * (truth.cpu_us - truth.x_us) * (1 + wave) / PERIOD_NS * 1e3)
        counts = {n: StackCount(c, c * PERIOD_NS) for n, c in enumerate((rest, x)) if c}
        line.append(StackBatch(float(second), second + 0.99, counts, _STACKS, _FRAMES))
    range_ = TimeRange(float(START), float(START + truth.seconds))
    return Side(line, range_, ABOUT, f"run {seed}")


def _latencies(dice: random.Random, truth: Truth, number: int, wave: float) -> Histogram:
    middle = math.log2(truth.median_s) + wave / math.log(2)
    width = truth.sigma / math.log(2)
    gauss = dice.gauss
    logs = [gauss(middle, width) for _ in range(number)]
    buckets = Counter([math.ceil(each * 8) for each in logs])
    return Histogram(SCHEMA, buckets, 0, number, math.fsum([2.0**each for each in logs]))


def _machine(at: float, cpu_s: float) -> HostSample:
    roles = (
        RoleUsage(Role.TARGET, 1, cpu_s, 50 << 20, 2, 3, 4, 5, 6, 7, 0.0),
        RoleUsage(Role.GENERATOR, 1, 0.2, 80 << 20, 2, 3, 4, 5, 6, 7, 0.0),
    )
    return host(at, busy_ratio=min(1.0, (cpu_s + 0.2) / 2), roles=roles)


def _poisson(dice: random.Random, mean: float) -> int:
    """Return a number of events; source: Knuth, The Art of Computer Programming 2, 3.4.1."""
    if mean > 60:
        return _poisson(dice, mean / 2) + _poisson(dice, mean / 2)
    limit, product, number = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        number += 1
    return number
