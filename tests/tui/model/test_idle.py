"""Stacks that only wait are told by their leaf side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind
from tui.model.idle import ends_waiting, is_idle

SLEEP = "entry_SYSCALL_64_after_hwframe|do_syscall_64|{}|schedule|__schedule"


def stack(user: str, kernel: str = "") -> list[Frame]:
    """The frames of a stack, the outermost caller first, from names with `|` between them."""
    frames = [Frame(name, "server", FrameKind.USER) for name in user.split("|") if name]
    return frames + [
        Frame(name, "[kernel.kallsyms]", FrameKind.KERNEL) for name in kernel.split("|") if name
    ]


EPOLL = SLEEP.format("__x64_sys_epoll_wait|do_epoll_wait|ep_poll|schedule_hrtimeout_range")
FUTEX = SLEEP.format("__x64_sys_futex|do_futex|futex_wait|__futex_wait|futex_wait_queue")
READ = SLEEP.format("__x64_sys_pread64|vfs_read|filemap_read|folio_wait_bit_common|io_schedule")


@pytest.mark.parametrize(
    ("user", "kernel"),
    [
        ("main|epoll_wait", EPOLL),
        ("main|epoll_wait", ""),
        ("main|epoll_wait", "entry_SYSCALL_64_after_hwframe|do_syscall_64|__fget_light"),
        ("main|mio::sys::unix::selector::epoll::Selector::select|epoll_wait", ""),
        ("start_thread|worker|pthread_cond_wait@@GLIBC_2.3.2", FUTEX),
        ("worker|___pthread_cond_timedwait64|__futex_abstimed_wait_common64", FUTEX),
        ("main|clock_nanosleep@@GLIBC_2.17", SLEEP.format("do_nanosleep")),
        ("main|__GI___poll", SLEEP.format("do_sys_poll")),
        ("main|__libc_sleep|__select", ""),
        ("tokio::runtime::park::Inner::park::h0123456789abcdef|syscall", FUTEX),
        ("tokio::runtime::scheduler::multi_thread::worker::Context::park_timeout", ""),
        ("<parking_lot_core::ThreadParker as parking_lot_core::ThreadParkerT>::park", ""),
        ("std::sys::sync::condvar::futex::Condvar::wait_optional_timeout|syscall", FUTEX),
        ("std::thread::park|std::sys::pal::unix::futex::futex_wait|syscall", FUTEX),
        ("runtime.mcall|runtime.park_m|runtime.schedule|runtime.findRunnable", ""),
        ("runtime.stopm|runtime.notesleep|runtime.futexsleep|runtime.futex", FUTEX),
        ("runtime.netpoll|internal/runtime/syscall.Syscall6.abi0", ""),
        ("ThreadPool::run|Unsafe_Park|Parker::park(bool, long)", FUTEX),
        ("Ljava/util/concurrent/locks/LockSupport;::parkNanos", ""),
        ("Ljava/lang/Object;::wait0|ObjectMonitor::wait(long, bool, JavaThread*)", ""),
        ("uv_run|uv__io_poll|epoll_pwait", EPOLL),
        ("std::condition_variable::wait(std::unique_lock<std::mutex>&)|pthread_cond_wait", FUTEX),
        ("[unknown]", FUTEX),
        ("", FUTEX),
    ],
)
def test_parking_and_polling_is_idle(user: str, kernel: str) -> None:
    """Whoever parks, polls or sleeps waits for something to do, in libc and in runtimes."""
    assert is_idle(stack(user, kernel))


@pytest.mark.parametrize(
    ("user", "kernel"),
    [
        ("main|handle|serde_json::parse", ""),
        ("main|uv__io_poll|uv__stream_io|on_read", ""),
        ("tokio::runtime::scheduler::Context::park|tokio::time::wheel::Wheel::poll", ""),
        ("pread64", READ),
        ("main|recv", SLEEP.format("__x64_sys_recvfrom|tcp_recvmsg|sk_wait_data")),
        ("main", "schedule"),
        ("main|futures_util::future::Map::poll", ""),
        ("main|tokio::runtime::scheduler::Unparker::unpark|syscall", "do_futex|futex_wake"),
        ("main|epoll_wait", "asm_common_interrupt|irq_exit_rcu|handle_softirqs|net_rx_action"),
        ("work|pthread_mutex_lock|__lll_lock_wait", FUTEX),
        ("work|std::sys::sync::mutex::futex::Mutex::lock_contended|syscall", FUTEX),
        ("work|std::sys::sync::rwlock::futex::RwLock::read_contended|syscall", FUTEX),
        ("work|parking_lot::RawMutex::lock_slow|parking_lot_core::park|syscall", FUTEX),
        ("_PyEval_EvalFrameDefault|take_gil|pthread_cond_timedwait", FUTEX),
        ("runtime.lock2|runtime.futexsleep|runtime.futex", FUTEX),
        ("Work.run()|ObjectMonitor::EnterI(JavaThread*)|PlatformEvent::park()", FUTEX),
        ("", ""),
    ],
)
def test_work_and_waits_for_locks_are_not_idle(user: str, kernel: str) -> None:
    """Work below a poller, reads and locks stay: they are what one looks for."""
    assert not is_idle(stack(user, kernel))


def test_no_more_is_read_than_needed() -> None:
    """The first frame that is neither a wait nor a wrapper decides."""
    frames = iter(reversed(stack("main|loop|step|epoll_wait", EPOLL)))
    assert ends_waiting(frames)
    assert [frame.symbol for frame in frames] == ["loop", "main"]


@given(st.text(st.sampled_from("park.:()1_@wait{}<"), max_size=500))
def test_any_symbol_is_judged_at_once(symbol: str) -> None:
    """Symbols are foreign text: none of them may keep the patterns busy."""
    assert is_idle(stack(symbol)) in (True, False)
