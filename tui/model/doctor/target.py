"""Whether a server can be looked into: its process, its file, its stacks, its runtime."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collectors.elf import Language
from collectors.perf.preflight import Privileges, check
from collectors.perf.trial import Trial
from collectors.pyspy import INSTALL_HINT as PYSPY_HINT
from collectors.samples import StackBatch, StackCount
from collectors.target import Target
from collectors.target_facts import ProgramFacts, Runtime
from tui.model.doctor.finding import Area, Finding, fail, ok, warn
from tui.model.stackquality import (
    MANY_BROKEN_RATIO,
    MANY_UNKNOWN_RATIO,
    SHALLOW_DEPTH,
    StackQuality,
    stack_quality,
)
from tui.model.stacks import StackTable

FEW_SAMPLES: Final = 30
"""With fewer nothing is said of the stacks: a share of a half is then known to 18 % at best."""
PERF_SINCE_PYTHON: Final = (3, 12)

START_ANEW: Final = "start it anew: perf looks for names in the file that is there now"
DWARF: Final = "or let perf do without: --call-graph dwarf"
_FRAME_POINTERS: Final = {
    Language.RUST: (
        f'build with RUSTFLAGS="-C force-frame-pointers=yes" cargo build --release, {DWARF}'
    ),
    Language.C: f"build with -fno-omit-frame-pointer, {DWARF}",
    Language.GO: f"its C parts lack them: CGO_CFLAGS=-fno-omit-frame-pointer, {DWARF}",
    Language.UNKNOWN: (
        "build with -fno-omit-frame-pointer (C, C++) or -C force-frame-pointers=yes (Rust), "
        f"{DWARF}"
    ),
}
_SYMBOLS: Final = {
    Language.RUST: "build with strip = false and debug = 1 in the release profile of Cargo.toml",
    Language.C: "build with -g, and without -s and strip",
    Language.GO: "build without -ldflags=-s",
    Language.UNKNOWN: "build with debug information, and without strip",
}
_PERF_NAMES: Final = {
    Runtime.NODE: "start it with node --perf-basic-prof --interpreted-frames-native-stack",
    Runtime.JAVA: (
        "start it with java -XX:+PreserveFramePointer, and once warm: jcmd PID Compiler.perfmap"
    ),
    Runtime.DOTNET: "start it with DOTNET_PerfMapEnabled=1",
}


def judge_process(target: Target, facts: ProgramFacts) -> Finding:
    """Tell which process it is, and what it runs."""
    kind = facts.runtime.value
    if facts.runtime is Runtime.NATIVE:
        kind = facts.elf.language.value if facts.elf is not None else ""
    program = f", runs {facts.program}" if facts.program and facts.program != target.name else ""
    text = f"{target}{program}{f' ({kind})' if kind else ''}"
    if facts.is_deleted:
        return warn(
            *(Area.TARGET, "process", f"{text}; its file was deleted or replaced since it started"),
            START_ANEW,
        )
    return ok(Area.TARGET, "process", text)


def judge_owner(facts: ProgramFacts, privileges: Privileges, *, has_perf: bool) -> Finding:
    """Tell whether we may profile it and look into it.

    Args:
        facts: The process.
        privileges: Ours, with those of perf.
        has_perf: Whether there is a perf that they are good for.
    """
    if has_perf and facts.uid is not None:
        verdict = check(privileges, facts.uid)
        if not verdict.can_profile:
            return fail(Area.TARGET, "permission", verdict.message, verdict.hint)
    if not facts.is_readable:
        return warn(
            *(Area.TARGET, "permission", "we may not look into it: its file can't be told"),
            "run as root: it has privileges that we have not"
            if facts.uid == privileges.uid
            else "run as its user or as root",
        )
    whose = "ours" if facts.uid == privileges.uid else f"of uid {facts.uid}"
    return ok(Area.TARGET, "permission", f"{whose}, and readable")


def judge_symbols(facts: ProgramFacts) -> Finding:
    """Tell whether its functions have names in its file."""
    elf = facts.elf
    if elf is None:
        return warn(
            *(Area.TARGET, "symbols", "its file can't be read: whether it has names is not known"),
            "run as its user or as root",
        )
    if elf.has_symbols or elf.has_debug_file:
        lines = "and line numbers" if elf.has_debug else "without line numbers"
        where = "" if elf.has_symbols else ", in a file of their own"
        return ok(Area.TARGET, "symbols", f"names {lines}{where}")
    if facts.runtime is not Runtime.NATIVE:
        return ok(Area.TARGET, "symbols", f"stripped: names of {facts.runtime.value} itself lack")
    return warn(Area.TARGET, "symbols", "stripped: functions have no names", _SYMBOLS[elf.language])


def judge_stacks(facts: ProgramFacts, trial: Trial, seconds: float) -> Finding:
    """Tell from a short recording whether stacks reach from the leaf to the start of a thread.

    Args:
        facts: The process.
        trial: What was recorded.
        seconds: For how long.
    """
    if trial.error:
        return fail(Area.TARGET, "stacks", trial.error, trial.hint)
    quality = quality_of(trial.batches)
    if quality.samples < FEW_SAMPLES:
        return ok(
            *(Area.TARGET, "stacks", f"not judged: {quality.samples} samples in {seconds:g} s"),
            "ask again while it is under load, to know whether it has frame pointers",
        )
    broken_ratio = quality.broken_root_ratio - quality.caller_lost_ratio
    rooted_ratio = 1 - quality.caller_lost_ratio
    told = f"median depth {quality.median_depth}, {broken_ratio:.0%} broken, of {quality.samples}"
    is_shallow = quality.median_depth <= SHALLOW_DEPTH
    if is_shallow and broken_ratio > MANY_BROKEN_RATIO * rooted_ratio:
        return warn(*(Area.TARGET, "stacks", f"no frame pointers: {told}"), _frame_pointers(facts))
    if quality.unknown_ratio > MANY_UNKNOWN_RATIO:
        share = f"{quality.unknown_ratio:.0%} of leaves without a name"
        return warn(
            *(Area.TARGET, "stacks", f"whole stacks, but {share}: {told}"),
            _names(facts),
        )
    return ok(Area.TARGET, "stacks", f"frame pointers: {told}")


def quality_of(batches: Iterable[StackBatch]) -> StackQuality:
    """Look at the stacks of a recording, all of them."""
    table = StackTable()
    counts: dict[int, StackCount] = {}
    lost = 0
    for batch in batches:
        table.add(batch)
        lost += batch.lost
        for stack, count in batch.counts.items():
            before = counts.get(stack, StackCount(0, 0))
            counts[stack] = StackCount(
                before.samples + count.samples, before.period_ns + count.period_ns
            )
    return stack_quality(table, counts, lost)


def judge_namespaces(facts: ProgramFacts, privileges: Privileges) -> Finding:
    """Tell whether it runs in a container, and what that costs."""
    if not facts.foreign_namespaces:
        return ok(Area.TARGET, "namespaces", "those that we are in")
    kinds = ", ".join(facts.foreign_namespaces)
    text = f"in a container of its own ({kinds})"
    if "mnt" in facts.foreign_namespaces and not privileges.may_see_all:
        return warn(
            *(Area.TARGET, "namespaces", f"{text}: names of its functions are out of reach"),
            "run flashpoint as root, or inside of that container",
        )
    if "net" in facts.foreign_namespaces:
        text += "; name it by --pid, for its ports are not ours"
    return ok(Area.TARGET, "namespaces", text)


def judge_runtime(
    facts: ProgramFacts, *, has_pyspy: bool, ptrace_scope: int | None, is_root: bool
) -> Finding:
    """Tell whether functions that are compiled while it runs will have names.

    Args:
        facts: The process.
        has_pyspy: Whether py-spy is installed.
        ptrace_scope: Yama's, which may keep py-spy out; None without Yama.
        is_root: Whether that does not matter.
    """
    runtime = facts.runtime
    if not facts.is_readable:
        return ok(Area.TARGET, "runtime", "not known, for its file is not")
    if runtime is Runtime.NATIVE:
        return ok(Area.TARGET, "runtime", "none: its functions are in its file")
    if runtime is Runtime.PYTHON:
        return _judge_python(facts, has_pyspy=has_pyspy, ptrace_scope=ptrace_scope, is_root=is_root)
    if runtime is Runtime.JAVA and not facts.keeps_frame_pointers:
        return warn(
            *(Area.TARGET, "runtime", "Java, whose code keeps no frame pointers"),
            _PERF_NAMES[runtime],
        )
    if facts.has_perf_map or facts.tells_names:
        return ok(Area.TARGET, "runtime", f"{runtime.value}, which tells perf its functions")
    return warn(
        *(Area.TARGET, "runtime", f"{runtime.value}, whose functions have no names for perf"),
        _PERF_NAMES[runtime],
    )


def _judge_python(
    facts: ProgramFacts, *, has_pyspy: bool, ptrace_scope: int | None, is_root: bool
) -> Finding:
    name = "Python" if facts.version is None else "Python {}.{}".format(*facts.version)
    if facts.has_perf_map or facts.tells_names:
        return ok(Area.TARGET, "runtime", f"{name}, which tells perf its functions (-X perf)")
    if not has_pyspy:
        mend = PYSPY_HINT
        if facts.version is not None and facts.version >= PERF_SINCE_PYTHON:
            mend += ", or start it with python -X perf"
        text = f"{name}, whose functions show with py-spy only, which is not installed"
        return warn(Area.TARGET, "runtime", text, mend)
    if ptrace_scope and not is_root:
        return warn(
            *(Area.TARGET, "runtime", f"{name}; kernel.yama.ptrace_scope is {ptrace_scope}"),
            "run as root, or: sudo sysctl kernel.yama.ptrace_scope=0",
        )
    return ok(Area.TARGET, "runtime", f"{name}, profiled with py-spy")


def judge_slow_stacks(deadline_s: float) -> Finding:
    """Tell that perf did not print a second of stacks in time."""
    return warn(
        *(Area.TARGET, "stacks", f"perf printed no stacks within {deadline_s:g} s"),
        "look at the load of this machine; with much debug information perf is slow at first",
    )


def judge_stacks_of_python() -> Finding:
    """Tell that perf is not asked for the stacks of a program that py-spy takes them of."""
    return ok(Area.TARGET, "stacks", "py-spy takes them, which needs no frame pointers")


def _frame_pointers(facts: ProgramFacts) -> str:
    if facts.runtime is Runtime.JAVA:
        return "start it with java -XX:+PreserveFramePointer"
    return _FRAME_POINTERS[_language(facts)]


def _names(facts: ProgramFacts) -> str:
    """Return what gives names to leaves that have none."""
    if facts.is_deleted:
        return START_ANEW
    if facts.runtime is Runtime.PYTHON:
        return PYSPY_HINT
    if facts.runtime in _PERF_NAMES:
        return _PERF_NAMES[facts.runtime]
    if facts.elf is not None and facts.elf.has_symbols:
        return "its libraries are stripped: install their debug symbols (-dbgsym, -debuginfo)"
    return _SYMBOLS[_language(facts)]


def _language(facts: ProgramFacts) -> Language:
    return facts.elf.language if facts.elf is not None else Language.UNKNOWN
