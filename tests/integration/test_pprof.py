"""pprof reads what we write for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.stackfile.reader import read_profile
from tui.cli import main
from tui.convert import timeline_of
from tui.model.calltree import build_tree, top_table
from tui.model.timeline import TimeRange

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(60),
    pytest.mark.skipif(shutil.which("go") is None, reason="this machine has no Go"),
]

TEXT = Path(__file__).parents[1] / "data" / "perf_rust.txt"
WHOLE = TimeRange(-1.0, 1e12)


def test_go_tool_pprof_has_our_totals(tmp_path: Path) -> None:
    """Own and total nanoseconds of every function, and their sum."""
    target = tmp_path / "stacks.pb.gz"
    assert main(["export", str(TEXT), "-o", str(target)]) == 0
    top = subprocess.run(
        ["go", "tool", "pprof", "-top", "-unit=ns", "-nodecount=100000", "-nodefraction=0", target],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    timeline = timeline_of(read_profile(TEXT))
    tree = build_tree(timeline.stacks, timeline.stacks_in(WHOLE))
    assert f"of {tree.period_ns}ns total" in top
    told = {
        row[3]: (int(row[1]), int(row[2]))
        for row in re.finditer(r"^ *(\d+)(?:ns)? .*?% .*?% +(\d+)(?:ns)? +\S+% +(.+)$", top, re.M)
    }
    ours: dict[str, tuple[int, int]] = {}
    for row in top_table(tree):
        own, total = ours.get(row.symbol, (0, 0))
        ours[row.symbol] = own + row.self_period_ns, total + row.total_period_ns
    names = [name for name in ours if name in told]
    assert len(names) > 10
    # pprof shortens names of templates; the others have to be there.
    assert {name for name in ours if "<" not in name and "{" not in name} <= set(told)
    assert {name: told[name] for name in names} == {name: ours[name] for name in names}
