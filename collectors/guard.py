"""The lifeline: a small process that starts every child and ends them all when the monitor dies.

It runs as a program of its own, `main()` with the arguments FD UMASK CORE, and imports the standard
library only. It holds one end of a socket pair. Requests come in as JSON with file descriptors
beside them; children's exits go back. End of file on the socket means that the monitor is gone,
however it went: everything below the guard is ended then, and the terminal is put back if a screen
was open (`collectors.aftermath`).

The guard is a child subreaper, so that a grandchild whose parent ends becomes its child and can't
escape. Each child has a session and a process group of its own, and asks the kernel for SIGKILL
should the guard itself be killed. The guard is single-threaded: the kernel ties that request to the
thread that made the child. Such a request holds for children only, not for theirs, and not for a
program with capabilities of its own (perf may be one). So the guard has a parent, the keeper, a
subreaper too, that does nothing but wait for the guard's end, end what it left, and put the
terminal back should the monitor be killed with it. Should the keeper be killed, the guard ends
everything and itself: no promise would hold without it.

Where the machine lets us, all children are in a control group of this session as well
(`collectors.session_cgroup`). Then whoever survives can end them all: the monitor, should guard and
keeper be killed together, and the next guard, should all three.

Messages are a 4-byte big-endian length and a JSON object.
  to the guard:   spawn {id, argv, env, cwd, fds, fd_count}
                    (fds: for stdin, stdout, stderr an index into the descriptors, or null)
                  signal {pid, signum, group}   terminal {attributes} + its descriptor
                  screen {open}   folder {path}: removed should the monitor die   bye {}
  from the guard: ready {pid, cgroup: its folder, or null}   spawned {id, pid}
                  failed {id, errno, message}   exited {pid, returncode}
"""

from __future__ import annotations

import array
import contextlib
import errno
import json
import os
import resource
import selectors
import signal
import socket
import sys
from typing import Any

from collectors.aftermath import Aftermath, is_monitor_killed
from collectors.ending import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    descendants,
    end_all,
    prctl,
)
from collectors.session_cgroup import make_session_cgroup

MAX_FDS = 8


class Guard:
    """The guard's loop over one connection to the monitor.

    Args:
        connection: To the monitor.
        umask: Of every child.
        core_bytes: The soft RLIMIT_CORE of those that may leave a core dump; -1 is no limit.
    """

    def __init__(self, connection: socket.socket, umask: int, core_bytes: int) -> None:
        self._connection = connection
        self._umask = umask
        self._core_bytes = core_bytes
        self._cgroup = make_session_cgroup()
        self._aftermath = Aftermath()
        self._buffer = b""
        self._fds: list[list[int]] = []
        """Of each message that brought some."""
        self._alive: set[int] = set()
        self._said_bye = False
        self._is_orphan = False
        """Whether the keeper is gone."""

    def orphaned(self, *_: object) -> None:
        """Take notice that the keeper is gone."""
        self._is_orphan = True

    def run(self) -> None:
        """Serve until the monitor says goodbye or is gone, then end what is left."""
        folder = None if self._cgroup is None else self._cgroup.folder
        self._send(op="ready", pid=os.getpid(), cgroup=folder)
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(reader, selectors.EVENT_READ)
            connected = True
            while connected and not self._said_bye and not self._is_orphan:
                ready = {key.fd for key, _ in selector.select()}
                if reader in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(reader, 4096)
                    self._reap()
                if self._connection.fileno() in ready:
                    connected = self._receive()
        if self._is_orphan and not self._is_monitor_gone():
            # It sees us end, and goes on by itself: with its screen and its folders.
            end_all(self._cgroup, at_once=True)
            return
        if not self._said_bye:
            self._aftermath.restore_terminal()
        end_all(self._cgroup)
        if not self._said_bye:
            self._aftermath.remove_folders()

    def keep(self, guard: int) -> None:
        """Be the keeper: wait for the guard's end, and do what it could not do any more."""
        _, status = os.waitpid(guard, 0)
        end_all(self._cgroup)
        if status != 0:
            self._aftermath.catch_up()
            if self._aftermath.is_needed and is_monitor_killed():
                self._aftermath.restore_terminal()
                self._aftermath.remove_folders()

    def _is_monitor_gone(self) -> bool:
        try:
            return not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _receive(self) -> bool:
        """Read what has come; return False at the end of the connection."""
        space = socket.CMSG_SPACE(MAX_FDS * array.array("i").itemsize)
        try:
            data, ancillary, flags, _ = self._connection.recvmsg(
                65536, space, socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            return False
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        # Too many are open for all of them: their message finds fewer than it should.
        if fds or flags & socket.MSG_CTRUNC:
            self._fds.append(list(fds))
        if not data:
            return False
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            message = json.loads(self._buffer[4:end])
            self._buffer = self._buffer[end:]
            self._obey(message)
        return True

    def _obey(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "spawn":
                self._spawn(message)
            case "signal":
                self._signal(message["pid"], message["signum"], message["group"])
            case "terminal":
                self._aftermath.note(message, self._fds.pop(0))
            case "screen" | "folder":
                self._aftermath.note(message, [])
            case "bye":
                self._said_bye = True

    def _spawn(self, message: dict[str, Any]) -> None:
        fds = self._fds.pop(0) if message["fd_count"] else []
        try:
            if len(fds) < message["fd_count"]:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            pid = self._start(message, [None if i is None else fds[i] for i in message["fds"]])
        except OSError as error:
            text = error.strerror or str(error)
            self._send(op="failed", id=message["id"], errno=error.errno or errno.EIO, message=text)
            return
        finally:
            for fd in fds:
                os.close(fd)
        self._alive.add(pid)
        self._send(op="spawned", id=message["id"], pid=pid)

    def _start(self, message: dict[str, Any], streams: list[int | None]) -> int:
        error_reader, error_writer = os.pipe()
        guard = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                self._become(message, streams, error_writer, guard)
        except OSError:
            os.close(error_reader)
            raise
        finally:
            os.close(error_writer)
        with os.fdopen(error_reader, "rb") as report:
            failure = report.read(64)
        if failure:
            os.waitpid(pid, 0)
            raise OSError(int(failure), os.strerror(int(failure)))
        return pid

    def _become(
        self, message: dict[str, Any], streams: list[int | None], error_writer: int, guard: int
    ) -> None:
        """Turn the forked child into the program; never returns."""
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:  # it was killed before the kernel knew of our wish
                os._exit(127)
            if self._cgroup is not None:
                with contextlib.suppress(OSError):  # better outside than not at all
                    self._cgroup.enter()
            null = os.open(os.devnull, os.O_RDWR)
            # Copies above 2 first: a stream passed in may itself be numbered 0 to 2.
            sources = [os.dup(null if fd is None else fd) for fd in streams]
            for number, source in enumerate(sources):
                os.dup2(source, number)
            for signum in range(1, signal.NSIG):
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(signum, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.umask(self._umask)
            with contextlib.suppress(OSError, ValueError):
                hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
                core_bytes = self._core_bytes if message["core"] else 0
                resource.setrlimit(resource.RLIMIT_CORE, (core_bytes, hard))
            if message["cwd"] is not None:
                os.chdir(message["cwd"])
            os.execvpe(message["argv"][0], message["argv"], message["env"])
        except OSError as error:
            os.write(error_writer, str(error.errno or errno.EIO).encode())
        except BaseException:
            os.write(error_writer, str(errno.EINVAL).encode())
        os._exit(127)

    def _signal(self, pid: int, signum: int, group: bool) -> None:
        # Only processes below us: the number of one that has gone may be somebody else's by now.
        if group:
            pids = [each for each, pgid in descendants(os.getpid()).items() if pgid == pid]
        else:
            pids = [pid] if pid in self._alive else []
        for each in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each, signum)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._alive:
                self._alive.discard(pid)
                self._send(op="exited", pid=pid, returncode=os.waitstatus_to_exitcode(status))

    def _send(self, **message: object) -> None:
        data = json.dumps(message).encode()
        with contextlib.suppress(OSError):
            self._connection.sendall(len(data).to_bytes(4, "big") + data)


def main() -> None:
    """Serve the socket whose descriptor is the first argument; what children get is the others."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(signum, signal.SIG_IGN)
    os.umask(0o077)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    guard = Guard(connection, int(sys.argv[2], 8), int(sys.argv[3]))
    keeper = os.getpid()
    try:
        child = os.fork()
    except OSError:
        child = -1  # better without a keeper than not at all
    if child > 0:
        connection.close()  # the guard's end alone is what the monitor sees
        guard.keep(child)
        os._exit(0)
    if child == 0:
        with contextlib.suppress(OSError):
            prctl(PR_SET_CHILD_SUBREAPER, 1)  # a fork does not inherit it
            signal.signal(signal.SIGUSR1, guard.orphaned)
            prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
            if os.getppid() != keeper:
                guard.orphaned()  # it ended before the kernel was asked
    guard.run()
    # Python's own end takes longer than ours where the machine is busy, and first the guard's, then
    # the keeper's count towards the two seconds.
    os._exit(0)
