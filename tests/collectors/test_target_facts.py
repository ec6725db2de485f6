from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.target_facts import Runtime, read_program, runtime_of, tells_names


def process(
    folder: Path, exe: str, *, cmdline: bytes = b"", environ: bytes = b"", maps: bytes = b""
) -> Path:
    """A process 7, and ourselves, in a made-up `/proc`."""
    for pid, namespace in (("7", "theirs"), ("self", "ours")):
        (folder / pid / "ns").mkdir(parents=True)
        for kind in ("mnt", "pid", "net"):
            shared = "both" if kind == "net" else namespace
            (folder / pid / "ns" / kind).symlink_to(f"{kind}:[{shared}]")
    own = folder / "7"
    (own / "exe").symlink_to(exe)
    (own / "cmdline").write_bytes(cmdline)
    (own / "environ").write_bytes(environ)
    (own / "maps").write_bytes(maps)
    (own / "status").write_text("Name:\tx\nNSpid:\t7\t1\n")
    (own / "root" / "tmp").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("program", "maps", "expected"),
    [
        ("node", b"", Runtime.NODE),
        ("nodejs", b"", Runtime.NODE),
        ("java", b"", Runtime.JAVA),
        ("python3.12", b"", Runtime.PYTHON),
        ("dotnet", b"", Runtime.DOTNET),
        ("server", b"/usr/lib/libjvm.so\n", Runtime.JAVA),
        ("uwsgi", b"/usr/lib/libpython3.11.so.1.0\n", Runtime.PYTHON),
        ("server", b"/opt/libcoreclr.so\n", Runtime.DOTNET),
        ("nodeserver", b"/lib/libc.so.6\n", Runtime.NATIVE),
    ],
)
def test_runtimes_are_known_by_program_or_library(
    program: str, maps: bytes, expected: Runtime
) -> None:
    """A name that only begins alike is none."""
    assert runtime_of(program, maps) is expected


@pytest.mark.parametrize(
    ("runtime", "words", "settings", "expected"),
    [
        (Runtime.NODE, [b"node", b"--perf-basic-prof", b"x.js"], [], True),
        (Runtime.NODE, [b"node", b"x.js"], [b"NODE_OPTIONS=--perf-prof"], True),
        (Runtime.NODE, [b"node", b"perf-prof.js"], [b"X=--perf-prof"], False),
        (Runtime.JAVA, [b"java", b"-agentpath:/x/libperfmap.so"], [], True),
        (Runtime.JAVA, [b"java", b"-jar", b"x.jar"], [], False),
        (Runtime.PYTHON, [b"python", b"-X", b"perf", b"x.py"], [], True),
        (Runtime.PYTHON, [b"python", b"-Xperf"], [], True),
        (Runtime.PYTHON, [b"python"], [b"PYTHONPERFSUPPORT=1"], True),
        (Runtime.PYTHON, [b"python", b"perf"], [b"PYTHONPERFSUPPORT=0"], False),
        (Runtime.DOTNET, [b"dotnet"], [b"DOTNET_PerfMapEnabled=1"], True),
        (Runtime.DOTNET, [b"dotnet"], [b"DOTNET_PerfMapEnabled=0"], False),
        (Runtime.NATIVE, [b"x"], [], True),
    ],
)
def test_the_switch_that_shows_names(
    runtime: Runtime, words: list[bytes], settings: list[bytes], expected: bool
) -> None:
    """On the command line or in the environment."""
    assert tells_names(runtime, words, settings) is expected


def test_a_deleted_program_in_a_container(tmp_path: Path) -> None:
    """Its namespaces and its map, which it names after the pid it has inside."""
    proc = process(tmp_path, "/app/node (deleted)", cmdline=b"node\0x.js\0", environ=b"SECRET=1\0")
    (tmp_path / "7/root/tmp/perf-1.map").touch()
    facts = read_program(7, proc)
    assert (facts.program, facts.is_deleted, facts.is_readable) == ("node", True, True)
    assert facts.foreign_namespaces == ("mnt", "pid")
    assert (facts.runtime, facts.has_perf_map, facts.tells_names) == (Runtime.NODE, True, False)
    assert facts.elf is None
    assert "SECRET" not in repr(facts)


def test_the_version_of_a_python_is_told(tmp_path: Path) -> None:
    """By its program or its library."""
    proc = process(tmp_path, "/usr/bin/python3.13")
    assert read_program(7, proc).version == (3, 13)


def test_a_hostile_name_is_made_harmless(tmp_path: Path) -> None:
    """As all text from outside."""
    facts = read_program(7, process(tmp_path, "/app/a\x1b[2Jb"))
    assert facts.program == "a␛[2Jb"


def test_what_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    """A process that is gone, or another user's."""
    facts = read_program(8, tmp_path)
    assert (facts.uid, facts.program, facts.is_readable, facts.elf) == (None, "", False, None)


def test_ourselves() -> None:
    """A real one: the interpreter that runs the tests."""
    facts = read_program(os.getpid())
    assert facts.uid == os.geteuid()
    assert facts.runtime is Runtime.PYTHON
    assert facts.is_readable
    assert not facts.is_deleted
    assert facts.foreign_namespaces == ()
