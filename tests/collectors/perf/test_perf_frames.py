from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.perf.frames import caller_lost, parse_frame, short_symbol
from collectors.samples import Frame, FrameKind
from collectors.text import sanitise


@pytest.mark.parametrize(
    ("line", "symbol", "module", "kind"),
    [
        ("1145 burn (/srv/app/app)", "burn", "app", FrameKind.USER),
        ("1 main (/srv/My App (1)/app (deleted))", "main (/srv/My App", "app (deleted)", None),
        ("1 operator()(int) (/a/b)", "operator()(int)", "b", FrameKind.USER),
        ("1 f (.isra.0) (/a/b)", "f (.isra.0)", "b", FrameKind.USER),
        ("1 <a::B<()> as C>::call (/a/b)", "<a::B<()> as C>::call", "b", FrameKind.USER),
        ("1 g (/a/b (deleted))", "g", "b (deleted)", FrameKind.USER),
        ("1 [unknown] (/a/b)", "[unknown]", "b", FrameKind.UNKNOWN),
        ("1 [unknown] ([unknown])", "[unknown]", "[unknown]", FrameKind.UNKNOWN),
        ("ffffffff82256704 f ([kernel.kallsyms])", "f", "[kernel.kallsyms]", FrameKind.KERNEL),
        ("ffffffff82256704 f ([kernel.vmlinux])", "f", "[kernel.vmlinux]", FrameKind.KERNEL),
        ("ffffffff82256704 f ([guest.kernel.kallsyms])", "f", "[guest.kernel.kallsyms]", "kernel"),
        ("ffffffffc0256704 f ([nf_conntrack])", "f", "[nf_conntrack]", FrameKind.KERNEL),
        ("ffffffffc0256704 f (/lib/modules/6.1/ext4.ko.xz)", "f", "ext4.ko.xz", FrameKind.KERNEL),
        ("ffffffffc0256704 p ([bpf])", "p", "[bpf]", FrameKind.KERNEL),
        ("ffffffffc0256704 p (bpf_prog_d35b94)", "p", "bpf_prog_d35b94", FrameKind.KERNEL),
        ("b46 __vdso_clock_gettime ([vdso])", "__vdso_clock_gettime", "[vdso]", FrameKind.USER),
        ("ffffffffff600000 f ([vsyscall])", "f", "[vsyscall]", FrameKind.USER),
        ("7fb8 LazyCompile:~go (/tmp/perf-57.map)", "LazyCompile:~go", "[JIT]", FrameKind.JIT),
        ("7fb8 go ([JIT] tid 57)", "go", "[JIT]", FrameKind.JIT),
        ("7fb8 go (//anon)", "go", "//anon", FrameKind.JIT),
        ("7fb8 go (/memfd:x (deleted))", "go", "memfd:x (deleted)", FrameKind.JIT),
        ("7fb8 go (/tmp/jitted-57-4.so)", "go", "jitted-57-4.so", FrameKind.JIT),
        ("7fb8 [unknown] (/tmp/perf-57.map)", "[unknown]", "[JIT]", FrameKind.UNKNOWN),
    ],
)
def test_line_is_read(line: str, symbol: str, module: str, kind: FrameKind | None) -> None:
    """Symbol, module and kind are told from a stack line."""
    frame = parse_frame(b"\t" + line.encode())
    assert frame is not None
    if kind is not None:
        assert (frame.symbol, frame.module, frame.kind) == (symbol, module, kind)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\t",
        "\t1145",
        "\t1145 burn",
        "\txyz burn (/a)",
        "1145 burn (/a)",
        "\t1 f (/a) x",
        "\t1 f()",
    ],
)
def test_other_lines_are_refused(line: str) -> None:
    """What perf does not print is no frame."""
    assert parse_frame(line.encode()) is None


def test_hostile_text_is_made_visible() -> None:
    """Escape sequences and bidirectional controls don't get through."""
    frame = parse_frame("\t 1 a\x1b]52;c;x\x07\u202eb (/srv/\x1b[2J)".encode())
    assert frame is not None
    assert (frame.symbol + frame.module).isprintable()


def test_bytes_that_are_no_text_are_shown() -> None:
    """Bytes that are no UTF-8 stay distinguishable."""
    frame = parse_frame(b"\t 1 f\xff (/a)")
    assert frame == Frame("f\\xff", "a", FrameKind.USER)


@given(st.binary(max_size=2000).filter(lambda symbol: b"\n" not in symbol))
def test_short_symbol_is_bounded(symbol: bytes) -> None:
    """Whatever the bytes, the name is harmless and has at most 512 bytes."""
    short = short_symbol(symbol)
    assert len(short.encode()) <= 512
    assert sanitise(short) == short


def test_cut_symbols_stay_distinct() -> None:
    """Names that differ beyond the limit differ in the hash that ends them."""
    names = {short_symbol(b"n" * 600 + bytes([last])) for last in b"abc"}
    assert len(names) == 3
    assert short_symbol(b"n" * 512) == "n" * 512


def user(symbol: str, module: str = "app") -> Frame:
    kind = FrameKind.UNKNOWN if symbol == "[unknown]" else FrameKind.USER
    return Frame(symbol, module, kind)


KERNEL = Frame("do_syscall_64", "[kernel.kallsyms]", FrameKind.KERNEL)


@pytest.mark.parametrize(
    ("frames", "lost"),
    [
        ([user("__send", "libc.so.6"), KERNEL], True),
        ([user("malloc", "libc-2.31.so")], True),
        ([user("memcpy", "ld-musl-x86_64.so.1")], True),
        ([user("memcpy", "libc.musl-x86_64.so.1")], True),
        ([user("_dl_runtime_resolve_xsavec", "ld-linux-x86-64.so.2"), user("x")], True),
        ([user("msort_with_tmp", "libc.so.6 (deleted)"), user("compare")], True),
        ([user("pthread_mutex_lock", "libpthread-2.31.so")], True),
        ([user("clock_gettime@@GLIBC_2.17", "libc.so.6")], True),
        ([user("[unknown]", "libc.so.6"), KERNEL], True),
        ([user("[unknown]", "libc.so.6"), user("work"), KERNEL], False),
        ([user("__libc_start_call_main", "libc.so.6"), user("main")], False),
        ([user("__libc_start_main@@GLIBC_2.34", "libc.so.6"), user("main")], False),
        ([user("start_thread", "libc.so.6"), user("work"), user("__send", "libc.so.6")], False),
        ([user("clone3", "libc.so.6"), user("work")], False),
        ([user("__clone", "libc-2.31.so")], False),
        ([user("_start"), user("main")], False),
        ([user("_dl_start", "ld-linux-x86-64.so.2")], False),
        ([user("work")], False),
        ([user("read", "libcurl.so.4")], False),
        ([KERNEL], False),
        ([], False),
    ],
)
def test_lost_callers_are_told(frames: list[Frame], lost: bool) -> None:
    """A root inside libc that starts nothing has lost its callers."""
    assert caller_lost(frames) is lost
