"""What machine this is, in a few words."""

from __future__ import annotations

import platform

import psutil

from collectors.text import sanitise


def machine_text() -> str:
    """Return system, cores and memory, like `Linux 6.1.0-18-amd64, 8 cores, 15.5 GB`."""
    cores = psutil.cpu_count() or 1
    memory_gb = psutil.virtual_memory().total / 1e9
    name = sanitise(f"{platform.system()} {platform.release()}", 80)
    return f"{name}, {cores} {'core' if cores == 1 else 'cores'}, {memory_gb:.1f} GB"
