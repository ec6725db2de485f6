"""What the operator wants of the load, carried to k6 and noted on the timeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from collectors.course import Course, CourseUnit
from collectors.k6.binary import K6Binary
from collectors.k6.control import LoadControl
from collectors.k6.interactive import BrokenScript, Interactive, NotControllable, Script, examine
from collectors.k6.wrapper import Transport
from collectors.process import Guard
from collectors.samples import LoadTarget, Mark, MarkKind, SourceState, SourceStatus
from collectors.source import Clock, SourceError
from tui.model.dial import Dial
from tui.model.load import kind_of, summarise
from tui.model.phase import LoadAim
from tui.model.ramp import RampOperation, RampStep, describe, greatest, ramp_points
from tui.model.rate import describe_rate
from tui.model.timeline import Timeline, TimeRange
from tui.options import RunOptions

RATE_STEP: Final = 10.0
"""What one step of a target rate is; of VUs it is one."""
RATIO_WINDOW_S: Final = 5.0
"""How far back requests per iteration are counted."""
RATIO_TOLERANCE: Final = 0.005
ACHIEVED_WINDOW_S: Final = 3.0


class Operator:
    """The operator's hand on the load of a session.

    Args:
        options: What was asked for at the start.
        script: What can be controlled.
        timeline: Where targets and marks are noted.
        clock: The session's clock.

    Raises:
        SourceError: the options ask for what this script can't do.
    """

    def __init__(
        self, options: RunOptions, script: Script, timeline: Timeline, clock: Clock
    ) -> None:
        self.script = script
        self._options = options
        self._timeline = timeline
        self._clock = clock
        self.ceiling = _ceiling(options, script)
        self._dial = _first_dial(options, script, self.ceiling)
        self._vus = float(script.start_vus)
        """The VU target to come back to from a rate."""
        self._ratio = 1.0
        """Requests per iteration."""
        self._ratio_at = clock()
        self._control: LoadControl | None = None
        self._is_over = True

    def new_run(self) -> Interactive:
        """Begin anew with what was asked for at the start; return what k6 is to be told."""
        self._dial = _first_dial(self._options, self.script, self.ceiling)
        self._control = None
        self._is_over = False
        return Interactive(self.script, self.ceiling, self._gate_course())

    def take(self, control: LoadControl) -> None:
        """Steer this run from now on."""
        self._control = control

    @property
    def begun_at(self) -> float | None:
        """When the load began: the first VU asked for leave."""
        return self._control.state.first_at if self._control is not None else None

    def poll(self) -> bool:
        """Do what time asks for; return whether the schedule of the start is over."""
        if self._is_over:
            return False
        now = self._clock()
        begun_at = self.begun_at
        if begun_at is not None and not self._dial.is_begun:
            dial = self._dial = self._dial.begun(begun_at)
            target = LoadTarget(begun_at, dial.course(begun_at), is_paused=dial.is_paused)
            self._timeline.append(target)
            self._push()
        if self._control is not None and self._control.state.silent:
            self._take_note_of_silence(now)
        if self._dial.unit is CourseUnit.REQUESTS and now - self._ratio_at >= 1.0:
            self._ratio_at = now
            self._count_requests_per_iteration(now)
        return self._dial.is_over(now)

    def _take_note_of_silence(self, now: float) -> None:
        """We stood still for so long that the load was taken away: it is the operator's again."""
        if self._dial.is_paused:
            self._push()
        else:
            text = "paused: flashpoint stood still for a minute"
            self._change(self._dial.paused(now), MarkKind.PAUSE, text)

    def end(self) -> None:
        """Note that the load is stopped."""
        if not self._is_over:
            self._is_over = True
            now = self._clock()
            stopped = Course.constant(self._dial.unit, 0.0, now)
            self._timeline.append(LoadTarget(now, stopped))

    def aim(self) -> LoadAim:
        """Return what is wanted at this moment."""
        now, dial = self._clock(), self._dial
        course = dial.course(now)
        coming = [point for point in course.points if point[0] > now]
        return LoadAim(
            unit=dial.unit,
            level=dial.level(now),
            is_paused=dial.is_paused,
            wanted=dial.wanted(now),
            ramp_to=coming[0][1] if coming else None,
            ramp_left_s=coming[0][0] - now if coming else None,
            ceiling=dial.ceiling,
        )

    def step(self, steps: int) -> str:
        """Ask for some steps more, or less; return what to tell the operator, or nothing."""
        size = 1.0 if self._dial.unit is CourseUnit.VUS else RATE_STEP
        now = self._clock()
        if steps > 0 and self._dial.at_ceiling(now):
            return f"{self.ceiling} VUs are all there are; restart with --max-vus for more"
        self._change(self._dial.stepped(steps * size, now), MarkKind.LOAD)
        return ""

    def ramp(self, steps: Sequence[RampStep]) -> str:
        """Go to a number of VUs."""
        now = self._clock()
        if self._dial.unit is CourseUnit.VUS:
            most = greatest(steps, self._dial.wanted(now))
            dial = self._dial.ramped(steps, now)
        else:
            most = greatest(steps, self._vus)
            dial = self._dial.switched(CourseUnit.VUS, steps, self._vus, self.ceiling, now)
        self._change(dial, MarkKind.LOAD, f"to {describe(steps)} VUs")
        if most > self.ceiling:
            return f"{self.ceiling} VUs are all there are; restart with --max-vus for more"
        return ""

    def rate(self, unit: CourseUnit, steps: Sequence[RampStep]) -> str:
        """Go to a rate of requests or iterations."""
        if self.script.transport is Transport.REST:
            return "k6's REST control knows no rate"
        now = self._clock()
        if self._dial.unit is unit:
            dial = self._dial.ramped(steps, now)
        else:
            if self._dial.unit is CourseUnit.VUS:
                self._vus = self._dial.wanted(now)
            dial = self._dial.switched(unit, steps, self._achieved(unit, now), None, now)
        if unit is CourseUnit.REQUESTS:
            self._count_requests_per_iteration(now)
        self._change(dial, MarkKind.LOAD, f"to {describe_rate(unit, steps)}/s")
        return ""

    def hold(self) -> str:
        """Stay where the target is now."""
        self._change(self._dial.held(self._clock()), MarkKind.LOAD, "hold")
        return ""

    def pause_or_resume(self) -> str:
        """Take the load away for a while, or bring it back."""
        now = self._clock()
        if self._dial.is_paused:
            self._change(self._dial.resumed(now), MarkKind.RESUME, "resume")
        else:
            self._change(self._dial.paused(now), MarkKind.PAUSE, "pause")
        return ""

    def _change(self, dial: Dial, kind: MarkKind, text: str = "") -> None:
        now = self._clock()
        self._dial = dial
        if dial.is_begun:
            course = dial.course(now)
            self._timeline.append(LoadTarget(now, course, is_paused=dial.is_paused))
        self._timeline.append(Mark(now, kind, text or f"to {_amount(dial, now)}"))
        self._push()

    def _push(self) -> None:
        # After the end the load is being drained: no target may bring it back.
        if self._control is not None and not self._is_over:
            self._control.steer(self._gate_course())

    def _gate_course(self) -> Course:
        """Return the course in the gate's units: VUs, or iterations per second."""
        course = self._dial.course(self._clock())
        if course.unit is not CourseUnit.REQUESTS:
            return course
        points = tuple((at, level / self._ratio) for at, level in course.points)
        return Course(CourseUnit.ITERATIONS, points)

    def _count_requests_per_iteration(self, now: float) -> None:
        samples = self._timeline.loads_in(TimeRange(now - RATIO_WINDOW_S, now))
        load = summarise(samples, kind_of(self._timeline.loads))
        if not load.iterations or not load.requests:
            return
        ratio = load.requests / load.iterations
        if not math.isclose(ratio, self._ratio, rel_tol=RATIO_TOLERANCE):
            self._ratio = ratio
            self._push()

    def _achieved(self, unit: CourseUnit, now: float) -> float:
        samples = self._timeline.loads_in(TimeRange(now - ACHIEVED_WINDOW_S, now))
        load = summarise(samples, kind_of(self._timeline.loads))
        if not load.covered_s:
            return 0.0
        count = load.iterations if unit is CourseUnit.ITERATIONS else load.requests
        return count / load.covered_s


async def find_operator(
    guard: Guard,
    binary: K6Binary,
    options: RunOptions,
    env: Mapping[str, str],
    timeline: Timeline,
    clock: Clock,
) -> tuple[Operator | None, str]:
    """Find out whether and how the load can be moved; return who does it, or why nobody does.

    Raises:
        SourceError: it can't be moved although that was asked for, or the script is broken.
    """
    if not options.is_interactive:
        return None, "k6 keeps the script's own schedule (--as-written)"
    _refuse_less_than_nothing(options)
    try:
        script = await examine(guard, binary, options.script, options.k6_args, env)
    except BrokenScript as error:
        if options.names_load:
            raise
        return None, error.message  # k6 itself tells it once more, and ends with its own status
    except NotControllable as error:
        if options.names_load:
            raise
        hint = "it runs as written"
        timeline.append(SourceStatus(clock(), "control", SourceState.DEGRADED, error.message, hint))
        return None, error.message
    if script.warnings:
        text = "; ".join(script.warnings)
        timeline.append(SourceStatus(clock(), "control", SourceState.DEGRADED, text))
    return Operator(options, script, timeline, clock), ""


def _refuse_less_than_nothing(options: RunOptions) -> None:
    """Refuse a load that takes away from, or multiplies, the nothing it begins with.

    `--rate -5` would be a run without any request, and without an end.
    """
    for name, steps in (("--ramp", options.ramp), ("--rate", options.rate)):
        if steps and steps[0].operation is not RampOperation.SET and steps[0].applied(0.0) <= 0:
            raise SourceError(
                f"{name} begins at 0, so {describe(steps[:1])} is no load",
                "write it like 200 or 200/30s",
            )


def _ceiling(options: RunOptions, script: Script) -> int:
    """Return how many VUs k6 holds ready."""
    wanted = options.vus if options.vus is not None else script.start_vus
    if options.ramp:
        wanted = math.ceil(greatest(options.ramp, 0.0))
    if options.max_vus is None:
        return max(script.ceiling, wanted, len(script.scenarios))
    if (options.vus is not None or options.ramp) and wanted > options.max_vus:
        raise SourceError(
            f"{wanted} VUs are asked for, but --max-vus is {options.max_vus}",
            f"use --max-vus {wanted} or more",
        )
    if options.max_vus < len(script.scenarios):
        raise SourceError(
            f"the script has {len(script.scenarios)} scenarios, each needs a VU at least",
            f"use --max-vus {len(script.scenarios)} or more",
        )
    return options.max_vus


def _first_dial(options: RunOptions, script: Script, ceiling: int) -> Dial:
    knows_rates = script.transport is not Transport.REST
    if options.rate:
        if not knows_rates:
            raise SourceError(
                "this k6 can only be controlled over REST, which knows no rate", "use --vus"
            )
        return _dial_of(options.rate_unit, options.rate, None)
    if options.ramp:
        return _dial_of(CourseUnit.VUS, options.ramp, ceiling)
    if options.vus is None and script.start_rate and knows_rates:
        return Dial.constant(CourseUnit.ITERATIONS, script.start_rate, None)
    level = options.vus if options.vus is not None else script.start_vus
    return Dial.constant(CourseUnit.VUS, level, ceiling)


def _dial_of(unit: CourseUnit, steps: Sequence[RampStep], ceiling: int | None) -> Dial:
    """Return the dial of steps from 0; what takes no time is no schedule, and ends no run."""
    end_s, level = ramp_points(steps, 0.0, ceiling)[-1]
    if end_s > 0:
        return Dial.schedule(unit, steps, ceiling)
    return Dial.constant(unit, level, ceiling)


def _amount(dial: Dial, now: float) -> str:
    wanted = dial.wanted(now)
    if dial.unit is CourseUnit.VUS:
        return f"{wanted:.0f} VU{'' if round(wanted) == 1 else 's'}"
    return f"{wanted:g} {dial.unit.value}/s"
