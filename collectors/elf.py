"""Reads from a program's section headers whether it has names for its functions, and its language.

Format: elf(5) and the System V gABI, chapter 4 ("Sections"); debug files by build id:
GDB manual, "Separate Debug Files". Reads a few small pieces of the file, however large it is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

MAX_SECTIONS: Final = 4096
MAX_NAMES_BYTES: Final = 1 << 18
MAX_NOTE_BYTES: Final = 1024
MAX_COMMENT_BYTES: Final = 8192
DEBUG_FILES: Final = Path("/usr/lib/debug/.build-id")

_MAGIC: Final = b"\x7fELF"
_BUILD_ID_NOTE: Final = 3
_NOBITS: Final = 8


class Language(StrEnum):
    """What a program was compiled from, as far as its compiler left a word."""

    RUST = "Rust"
    GO = "Go"
    C = "C or C++"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Elf:
    """What the section headers of a program tell."""

    has_symbols: bool
    """It has names for all its functions (`.symtab`); a stripped one has not."""
    has_debug: bool
    """It has line numbers (`.debug_line`, also compressed)."""
    has_debug_file: bool
    """Its names lie in a file of their own, where perf looks for it."""
    language: Language


@dataclass(frozen=True, slots=True)
class _Section:
    name_at: int
    kind: int
    offset: int
    size: int


def read_elf(path: str | Path, debug_files: Path = DEBUG_FILES) -> Elf:
    """Read what a program tells of itself.

    Args:
        path: The file, like `/proc/PID/exe`.
        debug_files: Where debug files lie by build id, unless testing.

    Raises:
        OSError: it can't be read.
        ValueError: it is no ELF file, or a broken one.
    """
    # A pipe in its place must not hold us up.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        try:
            sections, order = _sections(file)
            build_id = _build_id(
                _content(file, sections, ".note.gnu.build-id", MAX_NOTE_BYTES), order
            )
            comment = _content(file, sections, ".comment", MAX_COMMENT_BYTES)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"broken ELF file: {error}") from None
    debug_file = debug_files / build_id[:2] / f"{build_id[2:]}.debug"
    return Elf(
        has_symbols=".symtab" in sections,
        has_debug=".debug_line" in sections or ".zdebug_line" in sections,
        has_debug_file=bool(build_id) and debug_file.is_file(),
        language=_language(sections, comment),
    )


def _sections(file: BinaryIO) -> tuple[Mapping[str, _Section], str]:
    """Return the sections by name, and the byte order as `struct` writes it."""
    head = file.read(64)
    if len(head) < 52 or head[:4] != _MAGIC or head[4] not in (1, 2) or head[5] not in (1, 2):
        raise ValueError("no ELF file")
    order = "<" if head[5] == 1 else ">"
    is_64 = head[4] == 2
    table_at = struct.unpack_from(f"{order}Q" if is_64 else f"{order}I", head, 40 if is_64 else 32)
    entry_bytes, count, names = struct.unpack_from(f"{order}3H", head, 58 if is_64 else 46)
    layout = f"{order}IIQQQQIIQQ" if is_64 else f"{order}10I"
    if entry_bytes != struct.calcsize(layout) or not table_at[0]:
        raise ValueError("an ELF file without section headers")
    first = struct.unpack(layout, _read(file, table_at[0], entry_bytes))
    # Numbers that are too large for the header stand in the first section.
    count = count or first[5]
    names = first[6] if names == 0xFFFF else names
    if not 0 < count <= MAX_SECTIONS or names >= count:
        raise ValueError("broken ELF file: its number of sections")
    data = _read(file, table_at[0], entry_bytes * count)
    found = [
        _Section(fields[0], fields[1], fields[4], fields[5])
        for fields in struct.iter_unpack(layout, data)
    ]
    strings = _read(file, found[names].offset, min(found[names].size, MAX_NAMES_BYTES))
    named: dict[str, _Section] = {}
    for section in found:
        end = strings.find(b"\0", section.name_at)
        if 0 <= section.name_at < end <= section.name_at + 64:
            named.setdefault(strings[section.name_at : end].decode("latin-1"), section)
    return named, order


def _content(file: BinaryIO, sections: Mapping[str, _Section], name: str, limit: int) -> bytes:
    section = sections.get(name)
    if section is None or section.kind == _NOBITS:
        return b""
    return _read(file, section.offset, min(section.size, limit))


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    try:
        file.seek(offset)
    except OSError:
        raise ValueError("a broken ELF file: a part lies nowhere") from None
    data = file.read(size)
    if len(data) != size:
        raise ValueError("a broken ELF file: it is cut off")
    return data


def _build_id(note: bytes, order: str) -> str:
    if len(note) < 16:
        return ""
    name_bytes, size, kind = struct.unpack_from(f"{order}3I", note)
    if kind != _BUILD_ID_NOTE or name_bytes != 4 or note[12:16] != b"GNU\0":
        return ""
    return note[16 : 16 + size].hex()


def _language(sections: Mapping[str, _Section], comment: bytes) -> Language:
    if ".gopclntab" in sections or ".note.go.buildid" in sections or ".go.buildinfo" in sections:
        return Language.GO
    if b"rustc version" in comment:
        return Language.RUST
    if b"GCC: " in comment or b"clang version" in comment:
        return Language.C
    return Language.UNKNOWN
