"""Tests with k6 2.x are skipped only where they can't be run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import k6_versions
from tests.integration.k6_versions import k6_2, k6_of, may_skip_k6_2, pinned_version


def go(name: str) -> str | None:
    return f"/usr/bin/{name}"


def no_go(name: str) -> str | None:
    return None


def built(cache: Path) -> Path:
    """Put a program where the build script would."""
    binary = cache / "flashpoint" / "k6" / pinned_version() / "k6"
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o755)
    return binary


def test_a_named_k6_is_taken_as_it_is(tmp_path: Path) -> None:
    """Where it is not there, the tests shall fail and not be skipped."""
    built(tmp_path)
    env = {"FLASHPOINT_TEST_K6_2": "/not/there", "XDG_CACHE_HOME": str(tmp_path)}
    assert k6_2(env) == "/not/there"
    assert not may_skip_k6_2(env, no_go)


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "HOME"])
def test_a_built_k6_is_found_in_the_cache(tmp_path: Path, variable: str) -> None:
    """Where the script puts it, under either root of the cache."""
    binary = built(tmp_path if variable == "XDG_CACHE_HOME" else tmp_path / ".cache")
    env = {variable: str(tmp_path)}
    assert k6_2(env) == str(binary)
    assert not may_skip_k6_2(env, no_go)
    binary.chmod(0o644)
    assert k6_2(env) is None


@pytest.mark.parametrize(
    ("ci", "which", "may_skip"),
    [("true", go, False), ("true", no_go, True), ("", go, True), ("", no_go, True)],
)
def test_without_a_k6_2_only_ci_with_go_must_run(
    tmp_path: Path, ci: str, which: Callable[[str], str | None], may_skip: bool
) -> None:
    """There it could have been built."""
    assert may_skip_k6_2({"HOME": str(tmp_path), "CI": ci}, which) is may_skip


def test_a_missing_k6_2_fails_the_test_that_was_not_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a line that says what to do."""
    monkeypatch.setattr(k6_versions, "k6_2", lambda: None)
    with pytest.raises(pytest.fail.Exception, match="make k6-2"):
        k6_of("2.2")


def test_the_pinned_version_is_a_k6_2() -> None:
    """The parameter's name says 2.2."""
    assert pinned_version().startswith("v2.2.")
