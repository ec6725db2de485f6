"""Asks perf and the kernel what stacks there will be."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from collectors.kernel import KernelFacts, read_kernel
from collectors.perf.command import find_perf, probe_version
from collectors.perf.offcpu_preflight import preflight_offcpu, read_tracing
from collectors.perf.preflight import Privileges, read_privileges
from collectors.perf.preflight import check as preflight
from collectors.perf.trial import try_event
from collectors.process import Guard
from tui.doctor.checking import PROBE_DEADLINE_S, Findings, check, in_thread
from tui.model.doctor.finding import Area, FindingState
from tui.model.doctor.perf import (
    judge_capabilities,
    judge_event,
    judge_kernel_names,
    judge_offcpu,
    judge_permission,
    judge_program,
    judge_sandbox,
)

ATTACH_DEADLINE_S: Final = 2.0


@dataclass(slots=True)
class _Seen:
    """What the checks have found for those that follow."""

    path: str = ""
    works: bool = False
    """Whether it answers."""
    kernel: KernelFacts | None = None
    can_attach: bool | None = None


async def examine_perf(guard: Guard) -> Findings:
    """Look at perf, at what the kernel allows, and try it on ourselves."""
    seen = _Seen()
    findings = [*await check(Area.PERF, "program", _program(guard, seen))]
    findings += await check(Area.PERF, "permission", _permission(seen))
    if seen.works:
        findings += await check(Area.PERF, "event", _event(guard, seen))
    findings += await check(Area.PERF, "sandbox", _sandbox(seen))
    findings += await check(Area.PERF, "off-CPU", _offcpu(seen))
    return findings


async def _program(guard: Guard, seen: _Seen) -> Findings:
    seen.kernel = await in_thread(read_kernel)
    seen.path = await in_thread(find_perf)
    version = await probe_version(guard, seen.path, PROBE_DEADLINE_S)
    finding = judge_program(version, seen.kernel.release, seen.path)
    seen.works = finding.state is not FindingState.FAIL
    return [finding]


async def _permission(seen: _Seen) -> Findings:
    privileges = await in_thread(lambda: privileges_with(seen.path))
    kernel = seen.kernel if seen.kernel is not None else await in_thread(read_kernel)
    return [
        judge_permission(privileges),
        judge_capabilities(privileges, seen.path or "perf"),
        judge_kernel_names(kernel, privileges),
    ]


async def _event(guard: Guard, seen: _Seen) -> Findings:
    expected = preflight(privileges_with(seen.path), os.geteuid())
    failure = await try_event(guard, seen.path, os.getpid(), expected, ATTACH_DEADLINE_S)
    seen.can_attach = failure is None
    return [judge_event(failure)]


async def _sandbox(seen: _Seen) -> Findings:
    kernel = seen.kernel if seen.kernel is not None else await in_thread(read_kernel)
    return [judge_sandbox(kernel, perf_works=seen.can_attach)]


async def _offcpu(seen: _Seen) -> Findings:
    privileges = await in_thread(lambda: privileges_with(seen.path))
    tracing = await in_thread(read_tracing)
    return [judge_offcpu(preflight_offcpu(privileges, tracing))]


def privileges_with(perf: str) -> Privileges:
    """Return what we and a perf may do; ours alone where there is none."""
    return read_privileges(perf or os.devnull)
