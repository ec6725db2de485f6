from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.elf import Elf, Language, read_elf
from tests.integration.program import needs_compiler


def made_up(
    sections: dict[str, bytes], *, order: str = "<", is_64: bool = True, count: int | None = None
) -> bytes:
    """Return an ELF file of these sections; the last one holds their names."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in [*sections, ".shstrtab"])
    head = 64 if is_64 else 52
    layout = f"{order}IIQQQQIIQQ" if is_64 else f"{order}10I"
    content, rows = b"", [struct.pack(layout, *[0] * 10)]
    for name, data in [*sections.items(), (".shstrtab", names)]:
        at = names.index(b"\0" + name.encode() + b"\0") + 1
        rows.append(struct.pack(layout, at, 1, 0, 0, head + len(content), len(data), 0, 0, 1, 0))
        content += data
    ident = b"\x7fELF" + bytes([2 if is_64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if is_64 else "I"
    number = len(rows) if count is None else count
    fields = (2, 62, 1, 0, 0, head + len(content), 0, head, 0, 0)
    last = (struct.calcsize(layout), number, len(rows) - 1)
    header = struct.pack(f"{order}HHI3{word}I3H3H", *fields, *last)
    return ident + header + content + b"".join(rows)


def note(build_id: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}3I", 4, len(build_id), 3) + b"GNU\0" + build_id


def read(data: bytes, folder: Path) -> Elf:
    path = folder / "program"
    path.write_bytes(data)
    return read_elf(path, folder / "debug")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_64", [True, False])
def test_any_width_and_byte_order(order: str, is_64: bool, tmp_path: Path) -> None:
    """Names, line numbers and the compiler's word are found in all four."""
    sections = {".symtab": b"x", ".debug_line": b"x", ".comment": b"rustc version 1.9\0GCC: 12\0"}
    found = read(made_up(sections, order=order, is_64=is_64), tmp_path)
    assert found == Elf(True, True, False, Language.RUST)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, Elf(False, False, False, Language.UNKNOWN)),
        ({".comment": b"GCC: (Debian)\0"}, Elf(False, False, False, Language.C)),
        ({".comment": b"clang version 9\0"}, Elf(False, False, False, Language.C)),
        ({".gopclntab": b"x", ".symtab": b"x"}, Elf(True, False, False, Language.GO)),
        ({".zdebug_line": b"x"}, Elf(False, True, False, Language.UNKNOWN)),
    ],
)
def test_what_sections_tell(sections: dict[str, bytes], expected: Elf, tmp_path: Path) -> None:
    """Each by its name; the compiler leaves a word of its own."""
    assert read(made_up(sections), tmp_path) == expected


def test_a_debug_file_is_found_by_build_id(tmp_path: Path) -> None:
    """Where distributions put it."""
    data = made_up({".note.gnu.build-id": note(b"\xab\xcd\xef")})
    assert not read(data, tmp_path).has_debug_file
    (tmp_path / "debug/ab").mkdir(parents=True)
    (tmp_path / "debug/ab/cdef.debug").touch()
    assert read(data, tmp_path).has_debug_file


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#!/bin/sh\n",
        b"\x7fELF\x02\x01" + bytes(100),
        made_up({".symtab": b"x"})[:-10],
        made_up({".symtab": b"x"}, count=60_000),
        made_up({".symtab": b"x"}, count=2),
    ],
)
def test_what_is_broken_is_refused(data: bytes, tmp_path: Path) -> None:
    """Not believed, whatever is wrong."""
    with pytest.raises(ValueError, match="ELF"):
        read(data, tmp_path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutilated_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Never anything else."""
    good = bytearray(made_up({".symtab": b"x", ".comment": b"x", ".note.gnu.build-id": note(b"a")}))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(4, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        read(bytes(good), tmp_path_factory.getbasetemp())


def test_a_pipe_does_not_hold_us_up(tmp_path: Path) -> None:
    """It is no ELF file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises((OSError, ValueError)):
        read_elf(pipe)


def test_our_own_interpreter_is_one() -> None:
    """Whatever it was built with."""
    assert read_elf(os.path.realpath(sys.executable)).language in set(Language)


@needs_compiler
def test_a_real_program_before_and_after_strip(tmp_path: Path) -> None:
    """The compiler's own files."""
    source, program = tmp_path / "x.c", tmp_path / "x"
    source.write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-g", str(source), "-o", str(program)], check=True)
    assert read_elf(program) == Elf(True, True, False, Language.C)
    subprocess.run(["gcc", "-s", str(source), "-o", str(program)], check=True)
    assert read_elf(program) == Elf(False, False, False, Language.C)
