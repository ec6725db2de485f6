"""Looks at what is around us: the terminal, the machine, the places that are written to."""

from __future__ import annotations

import os

from collectors.machine import read_machine
from collectors.storage import read_storage, working_folder_error
from collectors.terminal import read_terminal
from tui.doctor.checking import Findings, check, in_thread
from tui.model.doctor.finding import Area
from tui.model.doctor.machine import judge_machine
from tui.model.doctor.storage import judge_storage, judge_working_folder
from tui.model.doctor.terminal import judge_terminal


async def examine_terminal() -> Findings:
    """Look at the terminal."""

    async def look() -> Findings:
        return judge_terminal(read_terminal(os.environ))

    return await check(Area.TERMINAL, "terminal", look())


async def examine_machine() -> Findings:
    """Look at the machine."""

    async def look() -> Findings:
        return judge_machine(await in_thread(read_machine))

    return await check(Area.MACHINE, "machine", look())


async def examine_storage() -> Findings:
    """Look at the folder of recordings, and at the one that we are in."""

    async def recordings() -> Findings:
        return judge_storage(await in_thread(lambda: read_storage(os.environ)))

    async def here() -> Findings:
        return [judge_working_folder(await in_thread(working_folder_error))]

    found = await check(Area.STORAGE, "recordings", recordings())
    return [*found, *await check(Area.STORAGE, "this folder", here())]
