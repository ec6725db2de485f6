"""Tells stacks that only wait for something to do from those that do something.

Decided by names, from the leaf outwards: kernel frames and wrappers of system calls are passed
over, and a stack is idle if what they were called for is a wait. To wait for a lock is not idle: it
is what one looks for. Neither is `schedule` alone, for a read from a disk sleeps there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from functools import lru_cache

from collectors.samples import Frame, FrameKind

_ADDED = re.compile(
    r"(?:::h[0-9a-f]{16}|::\{+closure\}+|@|\(|\.(?:constprop|isra|part|cold|llvm|abi0)\b).*", re.S
)
"""What compilers, linkers and demanglers put behind a name."""
_SYSTEM_WAIT = re.compile(
    r"_*(?:GI_+)?(?:(?:x64|arm64|se|do|core)_sys_|sys_|do_|ep_|hrtimer_|clock_|new_)?"
    r"(?:epoll_p?wait|p?poll|p?select|nanosleep|u?sleep|pause|sig(?:timed)?wait(?:info)?"
    r"|(?:rt_)?sig(?:suspend|timedwait)|sem_(?:timed|clock)?wait(?:_slow|_common|_fast)?"
    r"|pthread_cond_(?:timed|clock)?wait(?:_common)?|futex_(?:abstimed_)?wait\w*)"
    r"(?:2|6|(?:_time)?64)?"
)
_RUNTIME_WAIT = re.compile(
    # Rust, the JVM and the Java frames in its map of symbols.
    r"(?:.*(?:::|[.;]))?"
    r"(?:park(?:_timeout|_until|_internal|_nanos|Nanos|Until)?|futex_wait\w*|Unsafe_Park)"
    r"|.*\b(?:[cC]ondvar|condition_variable(?:_any)?|\w*Monitor)::wait\w*"
    r"|.*\b[tT]hread;?(?:::|\.)sleep\w*|.*\bjava[./]lang[./]Object;?(?:::|\.)wait0?"
    r"|.*\bepoll::Selector::select|JVM_(?:MonitorWait|Sleep)"
    # libuv and Go.
    r"|uv__io_poll|uv_(?:cond|sem)_(?:timed)?wait"
    r"|runtime\.(?:gopark|park_m|mPark|stopm|notet?sleepg?|notetsleep_internal|futexsleep"
    r"|semasleep|epollwait|netpoll|usleep|find[rR]unnable)"
    r"|(?:internal/runtime|runtime/internal)/syscall\.EpollWait"
)
_WRAPPER = re.compile(
    r"_*(?:internal_)?syscall(?:_cancel(?:_arch\w*)?)?|runtime\.futex"
    r"|(?:internal/runtime|runtime/internal)/syscall\.\w+"
)
_LOCK = re.compile(
    r"(?<![bcn])lock[^:]*$|_contended|take_gil|Monitor::[eE]nter|Synchronizer;?(?:::|\.)acquire"
    r"|semacquire"
)


class _Part(Enum):
    """What a frame says about the stack that ends in it."""

    WAIT = auto()
    PASS = auto()
    """Nothing: the frame outside of it decides."""
    LOCK = auto()
    WORK = auto()


def is_idle(frames: Sequence[Frame]) -> bool:
    """Tell whether a stack only waits for something to do.

    Args:
        frames: The stack, the outermost caller first.
    """
    return ends_waiting(reversed(frames))


def ends_waiting(frames: Iterable[Frame]) -> bool:
    """Tell whether a stack only waits for something to do; no more of it is read than needed.

    Args:
        frames: The stack, the leaf first.
    """
    waits = False
    for frame in frames:
        part = _part(frame.symbol, frame.kind is FrameKind.KERNEL)
        if part is _Part.WAIT:
            waits = True
        elif part is not _Part.PASS:
            return waits and part is not _Part.LOCK
    return waits


@lru_cache(maxsize=16_384)
def _part(symbol: str, in_kernel: bool) -> _Part:
    if in_kernel and "softirq" in symbol:
        return _Part.WORK  # on top of whatever was interrupted
    name = _ADDED.sub("", symbol)
    if _SYSTEM_WAIT.fullmatch(name) or _RUNTIME_WAIT.fullmatch(name):
        return _Part.WAIT
    if in_kernel or _WRAPPER.fullmatch(name):
        return _Part.PASS
    return _Part.LOCK if _LOCK.search(name) else _Part.WORK
