"""What machine this is, and how much of it there is for us."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from collectors.cgroup import quota_cores
from collectors.process_tree import PROC
from collectors.text import sanitise


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Cores, memory and what others use of them."""

    cores: int
    """Of the machine."""
    usable_cores: int
    """Those that we may run on."""
    quota_cores: float | None
    """What our control group, or one above it, allows; None without a limit."""
    memory_bytes: int
    available_bytes: int
    """What new programs could have."""
    load_1m: float
    """Threads that ran or wanted to, over the last minute."""
    has_pressure: bool
    """Whether the kernel tells of pressure (PSI)."""


def read_machine(proc: Path = PROC) -> MachineFacts:
    """Look at the machine.

    Raises:
        OSError: `/proc` can't be read at all.
    """
    memory = psutil.virtual_memory()
    try:
        has_pressure = bool((proc / "pressure/cpu").read_bytes())
    except OSError:
        has_pressure = False
    return MachineFacts(
        cores=psutil.cpu_count() or 1,
        usable_cores=len(os.sched_getaffinity(0)),
        quota_cores=quota_cores(os.getpid(), proc),
        memory_bytes=memory.total,
        available_bytes=memory.available,
        load_1m=os.getloadavg()[0],
        has_pressure=has_pressure,
    )


def machine_text() -> str:
    """Return system, cores and memory, like `Linux 6.1.0-18-amd64, 8 cores, 15.5 GB`."""
    cores = psutil.cpu_count() or 1
    memory_gb = psutil.virtual_memory().total / 1e9
    name = sanitise(f"{platform.system()} {platform.release()}", 80)
    return f"{name}, {cores} {'core' if cores == 1 else 'cores'}, {memory_gb:.1f} GB"
