"""What the kernel and a container around us allow of looking into programs.

Sources: `kptr_restrict` in `Documentation/admin-guide/sysctl/kernel.rst`,
`Documentation/admin-guide/LSM/Yama.rst`, proc_pid_status(5); the marks of containers are those of
`systemd-detect-virt`.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.process_tree import PROC
from collectors.text import sanitise

_MARKS: Final = (
    ("Docker", ".dockerenv"),
    ("Podman", "run/.containerenv"),
    ("Kubernetes", "var/run/secrets/kubernetes.io"),
)
_GROUPS: Final = re.compile(r"/(docker|kubepods|lxc|libpod|containerd)\b")


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """How this kernel treats us."""

    release: str
    """Like `6.1.0-18-amd64`; sanitised."""
    kptr_restrict: int | None
    """`kernel.kptr_restrict`; None where it can't be read."""
    shows_symbols: bool
    """Whether we see where the kernel's functions are."""
    has_seccomp: bool
    """Whether a filter of system calls is laid upon us."""
    container: str
    """What we are in, like `Docker`; empty for nothing known."""
    ptrace_scope: int | None
    """Yama's `kernel.yama.ptrace_scope`; None without Yama."""


def read_kernel(proc: Path = PROC, root: Path = Path("/")) -> KernelFacts:
    """Read what the kernel tells; what can't be read is as if it were not there."""
    seccomp = re.search(r"^Seccomp:\s*(\d+)$", _text(proc / "self/status"), re.MULTILINE)
    return KernelFacts(
        release=sanitise(platform.release(), 80),
        kptr_restrict=_number(proc / "sys/kernel/kptr_restrict"),
        shows_symbols=_shows_symbols(proc / "kallsyms"),
        has_seccomp=seccomp is not None and seccomp[1] == "2",
        container=_container(proc, root),
        ptrace_scope=_number(proc / "sys/kernel/yama/ptrace_scope"),
    )


def _shows_symbols(path: Path) -> bool:
    """Tell whether the addresses of the kernel's functions are told: zeros hide them."""
    lines = _text(path).splitlines()[:-1]
    return any(line.split(" ", 1)[0].strip("0") for line in lines)


def _container(proc: Path, root: Path) -> str:
    for name, mark in _MARKS:
        if (root / mark).exists():
            return name
    found = _GROUPS.search(_text(proc / "1/cgroup"))
    return found[1] if found else ""


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""
