from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.elf import Elf, Language
from collectors.perf.preflight import CAP_PERFMON, Privileges
from collectors.perf.trial import Trial
from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from collectors.target import Target
from collectors.target_facts import ProgramFacts, Runtime
from tui.model.doctor.finding import FindingState
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

TARGET = Target(42, 1.0, "server", "server (1 argument)", (8080,), False, "pid")
ELF = Elf(has_symbols=True, has_debug=True, has_debug_file=False, language=Language.RUST)
STRIPPED = Elf(has_symbols=False, has_debug=False, has_debug_file=False, language=Language.C)
NATIVE = ProgramFacts(1000, "server", True, False, ELF, ())
USER = Privileges(1, 0, 1000)
OTHER = Privileges(1, 0, 1001)
CAPABLE = Privileges(1, CAP_PERFMON, 1001)


def recorded(samples: int, *names: str, kind: FrameKind = FrameKind.USER) -> Trial:
    """A trial of one stack, the outermost caller first."""
    frames = {number: Frame(name, "server", kind) for number, name in enumerate(names)}
    stack = Stack("server", "server", tuple(frames))
    counts = {0: StackCount(samples, samples * 2_000_000)}
    return Trial((StackBatch(1.0, 1.9, counts, {0: stack}, frames),))


def test_the_process_is_named() -> None:
    """With its program where that is another name, its language and its ports."""
    finding = judge_process(TARGET, replace(NATIVE, program="server-bin"))
    assert finding.text == "server (pid 42), port 8080, runs server-bin (Rust)"
    assert "(Node)" in judge_process(TARGET, replace(NATIVE, runtime=Runtime.NODE)).text
    assert judge_process(TARGET, replace(NATIVE, elf=None)).text == "server (pid 42), port 8080"


def test_a_file_that_was_replaced_is_told() -> None:
    """For perf would read the names of the new one."""
    finding = judge_process(TARGET, replace(NATIVE, is_deleted=True))
    assert finding.state is FindingState.WARN
    assert "start it anew" in finding.mend


@pytest.mark.parametrize(
    ("facts", "privileges", "has_perf", "state", "said"),
    [
        (NATIVE, USER, True, "ok", "ours, and readable"),
        (NATIVE, OTHER, True, "fail", "another user (uid 1000)"),
        (NATIVE, OTHER, False, "ok", "of uid 1000"),
        (NATIVE, CAPABLE, True, "ok", "of uid 1000"),
        (replace(NATIVE, is_readable=False), CAPABLE, True, "warn", "may not look into it"),
        (replace(NATIVE, is_readable=False), USER, True, "warn", "may not look into it"),
        (NATIVE, Privileges(3, 0, 1000), True, "fail", "not allowed"),
    ],
)
def test_whose_it_is(
    facts: ProgramFacts, privileges: Privileges, has_perf: bool, state: str, said: str
) -> None:
    """And whether that keeps perf out."""
    finding = judge_owner(facts, privileges, has_perf=has_perf)
    assert finding.state == state
    assert said in finding.text
    assert bool(finding.mend) == (state != "ok")


@pytest.mark.parametrize(
    ("elf", "runtime", "state", "said"),
    [
        (ELF, Runtime.NATIVE, "ok", "names and line numbers"),
        (replace(ELF, has_debug=False), Runtime.NATIVE, "ok", "without line numbers"),
        (replace(STRIPPED, has_debug_file=True), Runtime.NATIVE, "ok", "a file of their own"),
        (STRIPPED, Runtime.NATIVE, "warn", "functions have no names"),
        (STRIPPED, Runtime.NODE, "ok", "names of Node itself"),
        (None, Runtime.NATIVE, "warn", "can't be read"),
    ],
)
def test_names_in_its_file(elf: Elf | None, runtime: Runtime, state: str, said: str) -> None:
    """A stripped program is told, unless its functions are not in its file anyway."""
    finding = judge_symbols(replace(NATIVE, elf=elf, runtime=runtime))
    assert finding.state == state
    assert said in finding.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.RUST, "Cargo.toml"),
        (Language.C, "-g"),
        (Language.GO, "-ldflags=-s"),
        (Language.UNKNOWN, "strip"),
    ],
)
def test_how_to_keep_names_is_told_in_the_words_of_the_language(
    language: Language, words: str
) -> None:
    assert words in judge_symbols(replace(NATIVE, elf=replace(STRIPPED, language=language))).mend


def test_whole_stacks_mean_frame_pointers() -> None:
    """They end where a thread starts."""
    finding = judge_stacks(NATIVE, recorded(50, "start_thread", "serve", "answer", "burn"), 1.0)
    assert (finding.state, finding.mend) == ("ok", "")
    assert finding.text == "frame pointers: median depth 4, 0% broken, of 50"


@pytest.mark.parametrize(
    ("elf", "runtime", "words"),
    [
        (ELF, Runtime.NATIVE, "force-frame-pointers=yes"),
        (STRIPPED, Runtime.NATIVE, "-fno-omit-frame-pointer"),
        (replace(ELF, language=Language.GO), Runtime.NATIVE, "CGO_CFLAGS"),
        (None, Runtime.NATIVE, "--call-graph dwarf"),
        (ELF, Runtime.JAVA, "+PreserveFramePointer"),
    ],
)
def test_stacks_of_a_frame_or_two_mean_none(elf: Elf | None, runtime: Runtime, words: str) -> None:
    """With the line that mends it, in the words of the language."""
    facts = replace(NATIVE, elf=elf, runtime=runtime)
    finding = judge_stacks(facts, recorded(50, "burn"), 1.0)
    assert finding.state is FindingState.WARN
    assert finding.text.startswith("no frame pointers: median depth 1, 100% broken")
    assert words in finding.mend


def test_leaves_without_names_are_told() -> None:
    """Although the stacks are whole."""
    trial = recorded(50, *"abcd", kind=FrameKind.UNKNOWN)
    finding = judge_stacks(replace(NATIVE, elf=STRIPPED), trial, 1.0)
    assert finding.state is FindingState.WARN
    assert "100% of leaves without a name" in finding.text
    assert "-s and strip" in finding.mend
    for changed, mend in (
        (replace(NATIVE, runtime=Runtime.NODE), "--perf-basic-prof"),
        (replace(NATIVE, runtime=Runtime.PYTHON), "py-spy"),
        (replace(NATIVE, is_deleted=True), "start it anew"),
        (NATIVE, "debug symbols"),
    ):
        assert mend in judge_stacks(changed, trial, 1.0).mend


def test_an_idle_server_is_not_judged() -> None:
    """That is how one is before a load test: no reason to worry."""
    for trial in (Trial(), recorded(29, "burn")):
        finding = judge_stacks(NATIVE, trial, 1.0)
        assert finding.state is FindingState.OK
        assert "not judged" in finding.text
        assert "under load" in finding.mend


def test_what_perf_says_to_the_trial_is_told() -> None:
    """A failure with perf's reason; being slow is a warning."""
    finding = judge_stacks(NATIVE, Trial(error="not permitted", hint="do this"), 1.0)
    assert (finding.state, finding.text, finding.mend) == ("fail", "not permitted", "do this")
    assert judge_slow_stacks(2.8).state is FindingState.WARN
    assert judge_stacks_of_python().state is FindingState.OK


@pytest.mark.parametrize(
    ("kinds", "privileges", "state", "said"),
    [
        ((), USER, "ok", "those that we are in"),
        (("mnt", "pid"), USER, "warn", "mnt, pid"),
        (("mnt", "pid", "net"), CAPABLE, "ok", "--pid"),
        (("pid",), USER, "ok", "container"),
    ],
)
def test_containers(kinds: tuple[str, ...], privileges: Privileges, state: str, said: str) -> None:
    """Another root folder hides names from whoever may not enter it."""
    finding = judge_namespaces(replace(NATIVE, foreign_namespaces=kinds), privileges)
    assert finding.state == state
    assert said in finding.text


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (NATIVE, "ok", "none"),
        (replace(NATIVE, is_readable=False), "ok", "not known"),
        (replace(NATIVE, runtime=Runtime.NODE), "warn", "--perf-basic-prof"),
        (replace(NATIVE, runtime=Runtime.NODE, tells_names=True), "ok", "tells perf"),
        (replace(NATIVE, runtime=Runtime.NODE, has_perf_map=True), "ok", "tells perf"),
        (replace(NATIVE, runtime=Runtime.JAVA), "warn", "-XX:+PreserveFramePointer"),
        (
            replace(NATIVE, runtime=Runtime.JAVA, keeps_frame_pointers=True),
            "warn",
            "jcmd PID Compiler.perfmap",
        ),
        (
            replace(NATIVE, runtime=Runtime.JAVA, keeps_frame_pointers=True, has_perf_map=True),
            "ok",
            "tells perf",
        ),
        (replace(NATIVE, runtime=Runtime.DOTNET), "warn", "DOTNET_PerfMapEnabled=1"),
    ],
)
def test_runtimes_that_compile_while_they_run(facts: ProgramFacts, state: str, words: str) -> None:
    """Each with the switch that makes it tell its functions."""
    finding = judge_runtime(facts, has_pyspy=True, ptrace_scope=1, is_root=False)
    assert finding.state == state
    assert words in (finding.mend or finding.text)


@pytest.mark.parametrize(
    ("version", "tells", "has_pyspy", "scope", "is_root", "state", "words"),
    [
        ((3, 11), False, True, 0, False, "ok", "py-spy"),
        ((3, 11), False, True, None, False, "ok", "py-spy"),
        ((3, 11), False, True, 1, True, "ok", "py-spy"),
        ((3, 11), False, True, 1, False, "warn", "kernel.yama.ptrace_scope=0"),
        ((3, 11), False, False, 0, True, "warn", "pip install 'flashpoint[py-spy]'"),
        ((3, 13), False, False, 0, True, "warn", "python -X perf"),
        ((3, 13), True, False, 1, False, "ok", "-X perf"),
        (None, False, True, 0, False, "ok", "Python, profiled"),
    ],
)
def test_python(
    version: tuple[int, int] | None,
    tells: bool,
    has_pyspy: bool,
    scope: int | None,
    is_root: bool,
    state: str,
    words: str,
) -> None:
    """py-spy or its own perf support, and what keeps py-spy out."""
    facts = replace(NATIVE, runtime=Runtime.PYTHON, version=version, tells_names=tells)
    finding = judge_runtime(facts, has_pyspy=has_pyspy, ptrace_scope=scope, is_root=is_root)
    assert finding.state == state
    assert words in (finding.mend or finding.text)
    assert ("-X perf" in finding.mend) == (version == (3, 13) and not tells)
