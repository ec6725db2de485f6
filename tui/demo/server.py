"""The built-in server for machines without a Rust compiler: the twin of `server.rs`.

The same routes, the same named functions, the same answers, with the interpreter's lock and a
fraction of the rate. A program of its own, `python -m tui.demo.server [PORT]`, with the standard
library only. It listens on 127.0.0.1, one thread a connection.
"""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final

from tui.demo.routes import Answer, Routes

MAX_CONNECTIONS: Final = 900  # below the usual limit of 1024 open files
MAX_HEAD_BYTES: Final = 8192
MAX_BODY_BYTES: Final = 65_536
IDLE_LIMIT_S: Final = 120.0

REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
REQUEST_LINE: Final = re.compile(r"([A-Z]+) (/[!-~]*) HTTP/1\.([01])")
HEADER_LINE: Final = re.compile(r"([!-9;-~]+):[ \t]*(.*?)[ \t]*")


class RefusedError(Exception):
    """A request that can't be answered; the connection ends after it."""

    def __init__(self, status: int, why: bytes) -> None:
        super().__init__(why)
        self.answer = Answer(status, why)


@dataclass(slots=True)
class Request:
    """The head of a request."""

    method: str
    target: str
    keep_alive: bool
    body_bytes: int = 0


def parse_head(head: bytes) -> Request:
    """Read a request's head, without its blank line.

    Raises:
        RefusedError: it is malformed or asks for what this server can't do.
    """
    malformed = RefusedError(400, b"malformed request\n")
    try:
        first, *lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise malformed from None
    match = REQUEST_LINE.fullmatch(first)
    if match is None:
        raise malformed
    request = Request(match[1], match[2], keep_alive=match[3] == "1")
    for line in lines:
        header = HEADER_LINE.fullmatch(line)
        if header is None:
            raise malformed
        name, value = header[1].lower(), header[2].lower()
        if name == "content-length":
            if not re.fullmatch("[0-9]{1,20}", value):
                raise malformed
            request.body_bytes = int(value)
            if request.body_bytes > MAX_BODY_BYTES:
                raise RefusedError(413, b"body too large\n")
        elif name == "transfer-encoding":
            raise RefusedError(501, b"no transfer encodings here\n")
        elif name == "connection" and value in ("close", "keep-alive"):
            request.keep_alive = value == "keep-alive"
    return request


def format_answer(answer: Answer, *, keep_alive: bool, with_body: bool) -> bytes:
    """Return the bytes of an answer."""
    head = (
        f"HTTP/1.1 {answer.status} {REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
    )
    end = "\r\n" if keep_alive else "Connection: close\r\n\r\n"
    return (head + end).encode() + (answer.body if with_body else b"")


class Connection(socketserver.BaseRequestHandler):
    """One connection, until it ends, asks for the end, or sends nonsense."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        """Serve it; whatever the network does ends it quietly."""
        self._inbox = b""
        with contextlib.suppress(OSError, EOFError):
            self.request.settimeout(IDLE_LIMIT_S)
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while self._serve_one():
                    pass
            except RefusedError as refused:
                self._refuse(refused.answer)

    def _serve_one(self) -> bool:
        while (head_end := self._inbox.find(b"\r\n\r\n")) < 0:
            if len(self._inbox) > MAX_HEAD_BYTES:
                break
            self._fill()
        if not 0 <= head_end <= MAX_HEAD_BYTES:
            raise RefusedError(431, b"head too large\n")
        request = parse_head(self._inbox[:head_end])
        answer = self.server.routes.answer(request.method, request.target)
        request_bytes = head_end + 4 + request.body_bytes
        while len(self._inbox) < request_bytes:
            self._fill()
        self._inbox = self._inbox[request_bytes:]
        with_body = request.method != "HEAD"
        self.request.sendall(
            format_answer(answer, keep_alive=request.keep_alive, with_body=with_body)
        )
        return request.keep_alive

    def _fill(self) -> None:
        chunk = self.request.recv(4096)
        if not chunk:
            raise EOFError
        self._inbox += chunk

    def _refuse(self, answer: Answer) -> None:
        self.request.sendall(format_answer(answer, keep_alive=False, with_body=True))
        # A reset would overtake the answer if what the client sent were left unread.
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(0.5)
        for _ in range(64):
            if not self.request.recv(4096):
                break


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on the loopback; no more than `MAX_CONNECTIONS` at a time."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int) -> None:
        self.routes = Routes()
        self._places = threading.Semaphore(MAX_CONNECTIONS)
        super().__init__(("127.0.0.1", port), Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, if a place is free."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        answer = Answer(503, b"too many connections\n")
        with contextlib.suppress(OSError):
            request.sendall(format_answer(answer, keep_alive=False, with_body=True))
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve the connection and give its place back."""
        threading.current_thread().name = "worker"
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


def main(arguments: list[str]) -> int:
    """Serve until killed.

    Returns:
        1 when the port is taken, 2 when the arguments are wrong.
    """
    text = arguments[0] if arguments else "0"
    if len(arguments) > 1 or not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65_535:
        sys.stderr.write("usage: python -m tui.demo.server [PORT]\n")
        return 2
    try:
        server = Server(int(text))
    except OSError as error:
        sys.stderr.write(f"can't listen on 127.0.0.1:{text}: {error.strerror}\n")
        return 1
    host, port = server.server_address[:2]
    sys.stdout.write(f"listening on {host!s}:{port}\n")
    sys.stdout.flush()
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=3600)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
