from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.sockets import (
    LISTEN,
    inodes_of,
    is_loopback,
    listeners,
    parse_address,
    parse_table,
    peers_of,
    pid_listening_on,
    read_sockets,
    show_address,
)
from collectors.source import SourceError

pytestmark = pytest.mark.skipif(
    sys.byteorder != "little", reason="the captured tables are of a little-endian machine"
)

TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1193 1
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 1194 1
   2: 0100007F:C350 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3
   3: broken
   4: 0100007F:XXXX 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1195 1
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_rows_of_the_wanted_states_are_read() -> None:
    """Rows in other states, and rows that make no sense, are left out."""
    listening, connected = parse_table(TABLE)
    assert (listening.local, listening.state) == ((b"\x7f\0\0\1", 8080), LISTEN)
    assert (listening.uid, listening.inode) == (1000, 1193)
    assert connected.remote == (b"\x7f\0\0\1", 50_000)
    assert [row.inode for row in parse_table(TABLE, (LISTEN,))] == [1193]
    assert parse_table(b"") == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"0100007F:1F90", "127.0.0.1:8080"),
        (b"00000000000000000000000001000000:0050", "[::1]:80"),
        (b"0000000000000000FFFF00000100007F:0050", "127.0.0.1:80"),
        (b"B80D0120000000000000000001000000:01BB", "[2001:db8::1]:443"),
    ],
)
def test_addresses_of_both_families(text: bytes, shown: str) -> None:
    """IPv4 seen through an IPv6 socket is the same address as through an IPv4 socket."""
    address = parse_address(text)
    assert show_address(address) == shown
    assert is_loopback(address) is not shown.startswith("[2001")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_table(data: bytes) -> None:
    """Any content gives rows or none, never an error."""
    parse_table(b"header\n" + data)
    parse_table(TABLE + data)


def test_own_listener_is_found(server: socket.socket) -> None:
    """A socket of ours is found by its port, and its port by our pid."""
    port = server.getsockname()[1]
    assert pid_listening_on(port) == os.getpid()
    assert port in listeners([os.getpid()])


def test_a_free_port_belongs_to_nobody(server: socket.socket) -> None:
    """Nobody listens on a port that was just given back; a bound one does not listen."""
    port = server.getsockname()[1]
    server.close()
    assert pid_listening_on(port) is None


def test_ipv6_listener_is_found() -> None:
    """IPv6 sockets are in a table of their own."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server6:
        assert pid_listening_on(server6.getsockname()[1]) == os.getpid()


def test_processes_that_are_gone_have_no_sockets() -> None:
    """A vanished process listens nowhere and talks to nobody."""
    assert inodes_of(2**22 + 1) == set()
    assert listeners([2**22 + 1]) == ()
    peers = peers_of([2**22 + 1])
    assert not peers.pids
    assert not peers.remotes


def test_connections_count_by_their_far_end(server: socket.socket) -> None:
    """Connections are counted by address, ignored ports left out, and never for the asker."""
    address = server.getsockname()
    with socket.create_connection(address), socket.create_connection(address):
        remotes = peers_of([os.getpid()]).remotes
        assert remotes[(b"\x7f\0\0\1", address[1])] == 2
        assert os.getpid() not in peers_of([os.getpid()]).pids
        assert (b"\x7f\0\0\1", address[1]) not in peers_of([os.getpid()], [address[1]]).remotes


@pytest.fixture
def hidden_machine(tmp_path: Path) -> Path:
    """A /proc with somebody listening whom we may not look into."""
    net = tmp_path / "self" / "net"
    net.mkdir(parents=True)
    (net / "tcp").write_bytes(TABLE)
    (tmp_path / "7").mkdir()
    return tmp_path


def test_a_hidden_listener_is_an_error(hidden_machine: Path) -> None:
    """Somebody listens, nobody can be named: that is said with the user id."""
    with pytest.raises(SourceError, match=r"port 8080 belongs to .* user id 1000"):
        pid_listening_on(8080, hidden_machine)
    assert pid_listening_on(8081, hidden_machine) is None


def test_no_ipv6_is_no_error(hidden_machine: Path) -> None:
    """A kernel without IPv6 has no second table."""
    assert len(read_sockets(proc=hidden_machine)) == 2
