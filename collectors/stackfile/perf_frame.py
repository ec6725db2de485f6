"""Reads a line of a stack as `perf script` prints it, whatever of a frame was asked for."""

from __future__ import annotations

import re
from typing import Final

from collectors.perf.frames import UNKNOWN_SYMBOL, frame_kind, module_name, short_symbol
from collectors.samples import Frame, FrameKind
from collectors.stackfile.folded import INLINED_MODULE
from collectors.text import sanitise

_ADDRESS = re.compile(rb"[0-9a-f]{1,16}")
_OFFSET = re.compile(rb"\+0x[0-9a-f]+$")
_FILE_ALONE = re.compile(rb"\(([^()]*(?: \(deleted\))?)\)")
_BESIDE = re.compile(rb"\s(?:ABI:\d|insn:\s|ilen:\s|0x[0-9a-f]+[(/]).*", re.DOTALL)
_BEHIND_FILE = re.compile(rb"( \([^()]*\)) [^()]*$")
_DELETED: Final = b" (deleted)"


def text_frame(line: bytes) -> Frame | None:
    """Return the frame of a line: an address or not, a symbol, a file in brackets or not.

    A frame that a compiler inlined is of the module `INLINED_MODULE`, for perf names no file there.
    """
    text = line.strip()
    if not text:
        return None
    word, _, rest = text.partition(b" ")
    if not _ADDRESS.fullmatch(word):
        word, rest = b"0", text
    symbol, path = _split(rest.strip())
    name = short_symbol(_OFFSET.sub(b"", symbol)) or UNKNOWN_SYMBOL
    file = sanitise(path)
    if file == "inlined":
        return Frame(name, INLINED_MODULE, FrameKind.USER)
    module = module_name(file) if file else ""
    if name == UNKNOWN_SYMBOL:
        return Frame(name, module, FrameKind.UNKNOWN)
    address = int(word, 16)
    if not file:
        return Frame(name, "", FrameKind.KERNEL if address >> 63 else FrameKind.USER)
    kind = frame_kind(file.removesuffix(_DELETED.decode()), address)
    return Frame(name, module, kind)


def without_details(text: bytes) -> bytes:
    """Return the frame of a sample without call graphs, less what perf prints behind it."""
    return _BEHIND_FILE.sub(rb"\1", _BESIDE.sub(b"", text).rstrip())


def _split(text: bytes) -> tuple[bytes, bytes]:
    """Return symbol and file; either may be empty."""
    alone = _FILE_ALONE.fullmatch(text)
    if alone is not None:
        return b"", alone[1]
    if not text.endswith(b")"):
        return text, b""
    # Names of files may have brackets of their own, those of functions too.
    place = max(text.rfind(b" (/"), text.rfind(b" (["))
    if place < 0:
        place = text.removesuffix(_DELETED + b")").rfind(b" (")
    if place < 0:
        return text, b""
    return text[:place], text[place + 2 : -1]
