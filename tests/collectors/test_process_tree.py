from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.process_tree import (
    TICKS_PER_SECOND,
    ProcessTable,
    ancestors,
    descendants,
    parse_stat,
    read_stat,
    topmost,
)

LINE = (
    b"4242 (%s) S 17 4242 4242 0 -1 4194304 98 0 0 0 250 50 30 20 20 0 9 0 132681 3133440 362"
    b" 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)

MakeProcess = Callable[..., None]


@pytest.fixture
def make_process(tmp_path: Path) -> MakeProcess:
    def make(pid: int, parent: int, name: bytes = b"x") -> None:
        folder = tmp_path / str(pid)
        folder.mkdir(exist_ok=True)
        line = LINE.replace(b"4242 (%s) S 17", b"%d (%s) S %d" % (pid, name, parent), 1)
        (folder / "stat").write_bytes(line)

    return make


def test_stat_is_read_field_by_field() -> None:
    """Every figure comes from its own field, in seconds and bytes."""
    stat = parse_stat(LINE % b"server")
    assert (stat.pid, stat.name, stat.state, stat.parent) == (4242, "server", "S", 17)
    assert stat.own_cpu_s == 300 / TICKS_PER_SECOND
    assert stat.reaped_cpu_s == 50 / TICKS_PER_SECOND
    assert (stat.threads, stat.start_ticks) == (9, 132681)
    assert stat.rss_bytes == 362 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("name", [b"a) S 1 (b", b"\n", b"", b"\x1b[2J", b"\xff\xfe", b"a b"])
def test_no_name_shifts_the_fields(name: bytes) -> None:
    """A hostile name changes nothing but the name, which comes out harmless."""
    stat = parse_stat(LINE.replace(b"%s", name))
    assert (stat.parent, stat.threads) == (17, 9)
    assert stat.name.isprintable()


@pytest.mark.parametrize("data", [b"", b"1 (x", b"1 (x) S 1 2"])
def test_anything_else_is_refused(data: bytes) -> None:
    """What is no stat line is an error, not a process."""
    with pytest.raises(ValueError):  # noqa: PT011  # any of them: the caller only knows this one
        parse_stat(data)


def test_a_process_that_does_not_exist_reads_as_none() -> None:
    """A vanished process is nothing special."""
    assert read_stat(2**22 + 1) is None


def test_this_process_is_below_its_parent() -> None:
    """The table of the real machine holds ourselves in the right place."""
    table = ProcessTable()
    table.refresh()
    assert os.getpid() in table.descendants([os.getppid()])
    assert os.getppid() in ancestors(table.parents, os.getpid())


def test_table_takes_notice_of_what_comes_and_goes(
    tmp_path: Path, make_process: MakeProcess
) -> None:
    """New processes are there after the next refresh, ended ones are not."""
    make_process(1, 0)
    make_process(10, 1)
    table = ProcessTable(tmp_path)
    table.refresh()
    assert table.descendants([1]) == [1, 10]
    make_process(11, 10)
    (tmp_path / "10" / "stat").unlink()
    (tmp_path / "10").rmdir()
    table.refresh()
    assert set(table.parents) == {1, 11}


def test_a_new_parent_is_noticed_within_sixteen_refreshes(
    tmp_path: Path, make_process: MakeProcess
) -> None:
    """Every known process is read again in its turn."""
    for pid, parent in ((1, 0), (10, 1), (11, 10)):
        make_process(pid, parent)
    table = ProcessTable(tmp_path)
    table.refresh()
    make_process(11, 1)
    for _ in range(16):
        table.refresh()
    assert table.parents[11] == 1


PARENTS = st.dictionaries(st.integers(1, 40), st.integers(0, 40))


@given(PARENTS, st.lists(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_every_walk_ends(parents: dict[int, int], roots: list[int], without: set[int]) -> None:
    """In any table, loops and holes included, a walk names each process once and no excluded."""
    walk = descendants(parents, roots, without)
    assert len(walk) == len(set(walk))
    assert not without.intersection(walk)
    assert set(walk) <= set(parents)


@given(PARENTS, st.lists(st.integers(1, 40)))
def test_parents_come_before_children(parents: dict[int, int], roots: list[int]) -> None:
    """In a table without loops every parent in the walk stands before its children."""
    tree = {pid: min(parent, pid - 1) for pid, parent in parents.items()}
    walk = descendants(tree, roots)
    for index, pid in enumerate(walk):
        assert tree[pid] not in walk[index:]


@given(PARENTS, st.sets(st.integers(1, 40), min_size=1))
def test_topmost_has_no_ancestor_beside_it(parents: dict[int, int], pids: set[int]) -> None:
    """The topmost of some processes is one of them, and below none of them unless in a loop."""
    top = topmost(parents, pids)
    assert top in pids
    above = set(ancestors(parents, top or 0)) & pids
    assert not above or all(set(ancestors(parents, pid)) & pids for pid in pids)


def test_topmost_prefers_the_one_with_workers() -> None:
    """Of unrelated processes that with the most of the others below it wins."""
    assert topmost({5: 1, 7: 1, 8: 7, 9: 7}, [5, 8, 7, 9]) == 7
    assert topmost({5: 1, 7: 1}, [7, 5]) == 5
    assert topmost({}, []) is None
