"""Asks k6 what is in a script, without running it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from collectors.child import Child
from collectors.k6.arguments import read_options
from collectors.k6.binary import K6Binary
from collectors.k6.log import LogReader
from collectors.process import PIPE, Guard
from collectors.redact import Redactor
from collectors.source import SourceError
from collectors.text import sanitise

DEADLINE_S: Final = 30.0
"""A script may read large files before it tells its options."""
MAX_OUTPUT_BYTES: Final = 8 << 20
PASSED_ON: Final = frozenset({"env", "compatibility-mode", "type", "config"})
"""The user's options that change what a script's options are."""


class NotReadable(SourceError):
    """k6 refuses a script; its own first error is the message."""


async def inspect_script(
    guard: Guard,
    binary: K6Binary,
    script: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    deadline_s: float = DEADLINE_S,
) -> Mapping[str, Any]:
    """Return a script's options, as `k6 inspect` prints them.

    Not with `--execution-requirements`, which refuses good scripts.

    Args:
        guard: Starts k6.
        binary: Which k6.
        script: Path of the script.
        arguments: The user's own options for k6.
        env: The environment that the script sees.
        deadline_s: How long it may take.

    Raises:
        NotReadable: k6 can't read the script.
        SourceError: it did not answer.
    """
    words = [
        word
        for option in read_options(arguments)
        if option.name in PASSED_ON
        for word in option.words
    ]
    argv = [binary.path, "inspect", "--include-system-env-vars", *words, script]
    child = await guard.spawn("k6 inspect", argv, env=env, stdout=PIPE, stderr=PIPE)
    log = LogReader(Redactor(enabled=True))
    try:
        async with asyncio.timeout(deadline_s):
            output, _ = await asyncio.gather(_output(child), _errors(child, log))
            exit_code = await child.wait()
    except TimeoutError:
        raise SourceError(
            f"k6 did not tell within {deadline_s:g} s what is in {sanitise(script, 200)}",
            "use --as-written to run it without asking",
        ) from None
    finally:
        if child.returncode is None:
            await child.stop(grace_s=0.2)
    if exit_code != 0:
        raise NotReadable(log.first_error or f"k6 inspect ended with {exit_code}", "")
    try:
        options = msgspec.json.decode(output)
    except (msgspec.DecodeError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise SourceError("k6 inspect printed no options", "use --as-written")
    return options


async def _output(child: Child) -> bytes:
    assert child.stdout is not None
    output = bytearray()
    while chunk := await child.stdout.read(1 << 16):
        output += chunk[: MAX_OUTPUT_BYTES + 1 - len(output)]
    return bytes(output)


async def _errors(child: Child, log: LogReader) -> None:
    assert child.stderr is not None
    while chunk := await child.stderr.read(1 << 16):
        log.feed(chunk, 0.0)
    log.close(0.0)
