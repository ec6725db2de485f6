"""Asks k6 how it is, and what it makes of a script."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.k6.arguments import read_options
from collectors.k6.binary import K6Binary
from collectors.k6.command import Stream, build_command
from collectors.k6.interactive import BrokenScript, NotControllable, examine
from collectors.k6.load_options import refuse_load_options
from collectors.k6.preflight import require_k6, require_script
from collectors.process import Guard
from collectors.source import SourceError
from collectors.text import sanitise
from tui.doctor.checking import CHECK_DEADLINE_S, PROBE_DEADLINE_S, Findings, check
from tui.model.doctor.finding import Area, Finding, fail, refused, warn
from tui.model.doctor.k6 import (
    judge_archive,
    judge_control,
    judge_options,
    judge_program,
    judge_script,
)

SCRIPT_DEADLINE_S: Final = CHECK_DEADLINE_S - 0.5
"""So that there is time left to end k6."""


@dataclass(frozen=True, slots=True)
class K6Question:
    """What is asked of k6."""

    named: str | None
    """The k6 to use, as a run takes it."""
    arguments: Sequence[str]
    """Options for k6, as a run takes them."""
    script: Path | None


async def examine_k6(guard: Guard, question: K6Question) -> Findings:
    """Look at k6, at a script, and at the options for k6."""
    found: list[K6Binary] = []

    async def program() -> Findings:
        binary = await require_k6(guard, question.named, os.environ, PROBE_DEADLINE_S)
        found.append(binary)
        return [judge_program(binary)]

    findings = [*await check(Area.K6, "program", program())]
    if question.script is not None:
        # Without a k6 the script can still be missing.
        missing = _missing(question.script)
        if missing is not None:
            findings.append(missing)
        elif found:
            work = _script(guard, found[0], question.script, question.arguments)
            findings += await check(Area.K6, "script", work)
    elif found:
        findings.append(judge_control(found[0]))
    findings += await check(Area.K6, "options", _options(question, found))
    return findings


def _missing(script: Path) -> Finding | None:
    try:
        require_script(script)
    except SourceError as error:
        return refused(Area.K6, "script", error)
    return None


async def _script(
    guard: Guard, binary: K6Binary, script: Path, arguments: Sequence[str]
) -> Findings:
    harmless = _without_load(arguments)
    name = sanitise(script.name, 80)
    try:
        async with asyncio.timeout(SCRIPT_DEADLINE_S):
            found = await examine(guard, binary, script, harmless, os.environ)
    except BrokenScript as error:
        return [
            fail(Area.K6, "script", f"{name}: {error.message}", error.hint or "mend the script")
        ]
    except NotControllable as error:
        return [judge_archive(error)]
    except TimeoutError:
        return [
            warn(
                *(Area.K6, "script", f"{name}: k6 needs more than {SCRIPT_DEADLINE_S:g} s for it"),
                "read less in its init code; a run waits for half a minute",
            )
        ]
    return judge_script(found, binary)


def _without_load(arguments: Sequence[str]) -> list[str]:
    """Leave out what is refused: that is told of the options, not of the script."""
    kept: list[str] = []
    for option in read_options(arguments):
        try:
            refuse_load_options([option])
        except SourceError:
            continue
        kept += option.words
    return kept


async def _options(question: K6Question, found: Sequence[K6Binary]) -> Findings:
    env: Mapping[str, str] = os.environ
    refusal: SourceError | None = None
    try:
        refuse_load_options(read_options(question.arguments))
        if found:
            # Only what is refused is of interest; this very file is a script that is there.
            script = str(question.script) if _is_there(question.script) else __file__
            build_command(found[0], script, question.arguments, env, Stream("", ""), "")
    except SourceError as error:
        refusal = error
    return [judge_options(env, refusal)]


def _is_there(script: Path | None) -> bool:
    return script is not None and script.is_file()
