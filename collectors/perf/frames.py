"""Reads one line of a call stack, and tells whether the unwinder lost its callers.

A line is what `perf script -F ip,sym,dso` prints: a tab, the address in hexadecimal, the symbol,
and the file in brackets at the end. Symbols may hold spaces and brackets of their own. The symbol
keeps perf's demangled text; of the file only its last part is kept, for paths hold user names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from collectors.samples import Frame, FrameKind
from collectors.text import MAX_SYMBOL_BYTES, sanitise

UNKNOWN_SYMBOL: Final = "[unknown]"
JIT_MODULE: Final = "[JIT]"
"""Stands for every `/tmp/perf-PID.map`, so that functions of several processes merge."""

_LINE = re.compile(rb"[ \t]+([0-9a-f]{1,16}) (.*)\)", re.DOTALL)
_PERF_MAP = re.compile(r"perf-\d+\.map|\[JIT\] tid \d+")
_JIT_FILE = re.compile(r"//anon|/?memfd:.*|\[anon.*|(.*/)?jitted-\d+-\d+\.so")
_KERNEL_FILE = re.compile(
    r"\[kernel.*|\[guest\.kernel.*|.*\.ko(\.gz|\.xz|\.zst)?|(.*/)?vmlinux.*|bpf_prog_.*"
)
_NOT_KERNEL: Final = frozenset(
    ("[unknown]", "[vdso]", "[vdso32]", "[vsyscall]", "[vectors]", "[heap]", "[stack]", "[uprobes]")
)
_LIBC = re.compile(r"(libc|libpthread|ld)[.-](.*\.)?so(\.\d+)*( \(deleted\))?")
_STARTS = re.compile(
    r"_?start|start_thread|(__)?clone[23]?(_internal)?|(__)?libc_start_\w+|_dl_start\w*"
)


def parse_frame(line: bytes) -> Frame | None:
    """Read one stack line, without its line end.

    Returns:
        The function, its texts sanitised; None where the line is not one that perf prints.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    body = match[2]
    deleted = body.endswith(b" (deleted)")
    body = body.removesuffix(b" (deleted)")
    # A file whose path has brackets is told apart where no symbol can have any.
    is_unknown = body.startswith(b"[unknown] (")
    symbol, bracket, path = body.partition(b" (") if is_unknown else body.rpartition(b" (")
    if not bracket or not symbol or not path:
        return None
    file = sanitise(path)
    kind = frame_kind(file, int(match[1], 16)) if symbol != b"[unknown]" else FrameKind.UNKNOWN
    module = module_name(file) + (" (deleted)" if deleted else "")
    return Frame(short_symbol(symbol), module, kind)


def frame_kind(file: str, address: int) -> FrameKind:
    """Tell where code with a symbol lives, from perf's name of the file and the address."""
    if _PERF_MAP.fullmatch(file.rpartition("/")[2]) or _JIT_FILE.fullmatch(file):
        return FrameKind.JIT
    if file in _NOT_KERNEL:
        return FrameKind.USER
    # The kernel's modules are printed as `[name]`, and live in the upper half like itself.
    if _KERNEL_FILE.fullmatch(file) or (file.startswith("[") and address >> 63):
        return FrameKind.KERNEL
    return FrameKind.USER


def module_name(file: str) -> str:
    """Shorten perf's name of a file to what tells files apart without telling where they are."""
    name = file if file.startswith(("[", "//")) else file.rpartition("/")[2] or file
    return JIT_MODULE if _PERF_MAP.fullmatch(name) else short_symbol(name.encode())


def short_symbol(symbol: bytes) -> str:
    """Bound a name to `MAX_SYMBOL_BYTES`; cut ones end in a hash, so distinct stay distinct."""
    text = sanitise(symbol, len(symbol) * 10 + 1)  # bounded below, in bytes
    encoded = text.encode()
    if len(encoded) <= MAX_SYMBOL_BYTES:
        return text
    digest = hashlib.blake2b(symbol, digest_size=8).hexdigest()
    kept = encoded[: MAX_SYMBOL_BYTES - len("…#") - 2 - len(digest)]
    return f"{kept.decode(errors='ignore')}…#{digest}"


def caller_lost(frames: Sequence[Frame]) -> bool:
    """Tell whether the outermost frame is a function of libc that somebody must have called.

    libc is mostly built without frame pointers, so a stack taken inside it can end there. A root
    that starts a process or thread is the true end. So is, most likely, a root in libc without a
    symbol below code of the program: a stripped libc has no name for its thread start.

    Args:
        frames: The stack, the outermost caller first.
    """
    if not frames or frames[0].kind is FrameKind.KERNEL or not _is_libc(frames[0]):
        return False
    if frames[0].symbol == UNKNOWN_SYMBOL:
        return all(frame.kind is FrameKind.KERNEL or _is_libc(frame) for frame in frames)
    return _STARTS.fullmatch(frames[0].symbol.partition("@")[0]) is None


def _is_libc(frame: Frame) -> bool:
    return _LIBC.fullmatch(frame.module) is not None
