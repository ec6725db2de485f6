"""Looks into a server that runs."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Final

from collectors.kernel import read_kernel
from collectors.perf.command import find_perf
from collectors.perf.preflight import Privileges
from collectors.perf.preflight import check as preflight
from collectors.perf.trial import TRIAL_S, try_stacks
from collectors.process import Guard
from collectors.pyspy import has_pyspy, is_plain_python
from collectors.source import SourceError
from collectors.target import Target, attach_pid, attach_port, tree_of
from collectors.target_facts import ProgramFacts, read_program
from tui.doctor.checking import CHECK_DEADLINE_S, Findings, check, in_thread
from tui.doctor.perf import privileges_with
from tui.model.doctor.finding import Area
from tui.model.doctor.target import (
    judge_namespaces,
    judge_owner,
    judge_process,
    judge_runtime,
    judge_slow_stacks,
    judge_stacks,
    judge_stacks_of_python,
    judge_symbols,
)

STACKS_DEADLINE_S: Final = CHECK_DEADLINE_S - 0.2


@dataclass(frozen=True, slots=True)
class _Seen:
    target: Target
    facts: ProgramFacts
    perf: str
    """The program; empty where there is none."""
    privileges: Privileges


async def examine_target(guard: Guard, pid: int | None, port: int | None) -> Findings:
    """Look at the server that was named, by one of both.

    Args:
        guard: Starts perf.
        pid: Its process.
        port: What it listens on.
    """
    seen: list[_Seen] = []

    async def process() -> Findings:
        found = await in_thread(lambda: _look(pid, port, guard.pid))
        seen.append(found)
        return [judge_process(found.target, found.facts)]

    findings = [*await check(Area.TARGET, "process", process())]
    if seen:
        findings += await check(Area.TARGET, "permission", _facts(seen[0]))
        findings += await check(Area.TARGET, "runtime", _runtime(seen[0]))
        findings += await check(Area.TARGET, "stacks", _stacks(guard, seen[0]))
    return findings


def _look(pid: int | None, port: int | None, guard_pid: int) -> _Seen:
    if pid is not None:
        target = attach_pid(pid, (guard_pid,))
    else:
        assert port is not None
        target = attach_port(port, (guard_pid,))
    try:
        perf = find_perf()
    except SourceError:
        perf = ""
    return _Seen(target, read_program(target.pid), perf, privileges_with(perf))


async def _facts(seen: _Seen) -> Findings:
    return [
        judge_owner(seen.facts, seen.privileges, has_perf=bool(seen.perf)),
        judge_symbols(seen.facts),
        judge_namespaces(seen.facts, seen.privileges),
    ]


async def _runtime(seen: _Seen) -> Findings:
    kernel = await in_thread(read_kernel)
    finding = judge_runtime(
        seen.facts,
        has_pyspy=await in_thread(has_pyspy),
        ptrace_scope=kernel.ptrace_scope,
        is_root=os.geteuid() == 0,
    )
    return [finding]


async def _stacks(guard: Guard, seen: _Seen) -> Findings:
    pid = seen.target.pid
    if await in_thread(lambda: is_plain_python(pid) and has_pyspy()):
        return [judge_stacks_of_python()]
    if not seen.perf or not preflight(seen.privileges, seen.facts.uid).can_profile:
        return []  # said already, of perf or of the permission
    pids = await in_thread(lambda: tree_of(pid))
    try:
        async with asyncio.timeout(STACKS_DEADLINE_S):
            trial = await try_stacks(guard, seen.perf, pids, time.monotonic)
    except TimeoutError:
        return [judge_slow_stacks(STACKS_DEADLINE_S)]
    return [judge_stacks(seen.facts, trial, TRIAL_S)]
