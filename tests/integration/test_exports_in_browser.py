"""What we export, in a real browser: it can be zoomed and searched, and nothing in it can run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from collectors.process import Guard
from collectors.samples import (
    Baseline,
    Frame,
    FrameKind,
    Mark,
    MarkKind,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import endpoint, histogram, host, load, usage
from tests.integration.browser import Page, browser_page, find_browser, may_skip, needs_browser
from tui.export.about import About
from tui.export.report.html import html_report
from tui.export.stacks.formats import StackFormat, write_stacks
from tui.model.timeline import Timeline, TimeRange

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "]]><script>alert(2)</script>",
    '" onload="alert(3)" x="',
    "' onmouseover='alert(4)' x='",
    "=cmd()",
    "</title></style></script><img src=x onerror=alert(5)>",
    "javascript:alert(6)",
    "${alert(7)}{{alert(7)}}",
)
RANGE: Final = TimeRange(100.0, 112.0)
BASELINE: Final = Baseline(106.0, HOSTILE[0], 100.0, 106.0)
FRAME: Final = "[...document.querySelectorAll('.frame')].find(f => f.dataset.name === '{}')"


def hostile_run() -> Timeline:
    """Return a run in which everything that has a name has a hostile one."""
    line = Timeline(99.0)
    line.append(Mark(100.0, MarkKind.START, ""))
    frames = {n: Frame(name, name, FrameKind.USER) for n, name in enumerate((*HOSTILE, "work"))}
    work = len(HOSTILE)
    # `work` is a quarter of all: below the first of the hostile names.
    stacks = {n: Stack("s", HOSTILE[n], (n,)) for n in range(work)}
    stacks[work] = Stack("s", "t", (0, work))
    counts = {n: StackCount(3, 30_000_000) for n in range(work)}
    counts[work] = StackCount(work, work * 10_000_000)
    endpoints = tuple(endpoint(name, 5, latency=histogram([0.01] * 5)) for name in HOSTILE)
    latency = histogram([0.01] * 5 * len(HOSTILE))
    for second in range(100, 112):
        line.append(
            load(second + 0.9, 5 * len(HOSTILE), failed=1, latency=latency, endpoints=endpoints)
        )
        line.append(host(second + 0.9, roles=(usage(Role.TARGET, 0.5),)))
        line.append(StackBatch(float(second), second + 0.9, counts, stacks, frames))
    for place, name in enumerate(HOSTILE):
        line.append(Mark(101.0 + place, MarkKind.NOTE, name))
    line.append(BASELINE)
    return line


@pytest.fixture
async def page(guard: Guard, tmp_path: Path) -> AsyncIterator[Page]:
    """A page of a browser that has never been used."""
    profile = tmp_path / "profile"
    profile.mkdir()
    async with browser_page(guard, profile) as opened:
        yield opened


@pytest.fixture
def svg(tmp_path: Path) -> Path:
    """The SVG file of the hostile run."""
    line = hostile_run()
    counts = line.stacks_in(RANGE)
    path = tmp_path / "flame.svg"
    path.write_bytes(write_stacks(StackFormat.SVG, line.stacks, counts, HOSTILE[1], "flashpoint"))
    return path


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The report of the hostile run."""
    about = About(
        script=HOSTILE[0],
        target=HOSTILE[1],
        control=HOSTILE[2],
        profiler=HOSTILE[3],
        k6_version=HOSTILE[4],
        flashpoint_version=HOSTILE[5],
        machine=HOSTILE[6],
        wall_offset_s=1_700_000_000.0,
        name=HOSTILE[7],
    )
    path = tmp_path / "report.html"
    path.write_bytes(html_report(hostile_run(), RANGE, about, BASELINE))
    return path


def assert_harmless(page: Page, path: Path) -> None:
    """Nothing failed, nothing ran that is not ours, and nothing was asked for but the file."""
    assert page.errors == []
    assert page.dialogs == []
    assert {url for url in page.requests if not url.startswith("data:")} == {path.as_uri()}


async def width_of(page: Page, name: str) -> float:
    """Return how wide a frame is on the screen."""
    frame = FRAME.format(name)
    return float(await page.value(f"({frame}).querySelector('rect').getBoundingClientRect().width"))


async def assert_zooms_and_searches(page: Page) -> None:
    """Click a frame, go back, search by typing: with real input."""
    narrow, whole = await width_of(page, "work"), await width_of(page, "all")
    samples = 3 * len(HOSTILE) + len(HOSTILE)
    assert narrow == pytest.approx(whole * len(HOSTILE) / samples, rel=0.02)
    await page.click(f"({FRAME.format('work')}).querySelector('rect')")
    assert await width_of(page, "work") == pytest.approx(whole, rel=0.01)
    assert await page.value(f"({FRAME.format('=cmd()')}).style.display") == "none"
    assert "work (work): 25.0%" in await page.value("document.querySelector('.told').textContent")
    await page.press("Escape")
    assert await width_of(page, "work") == pytest.approx(narrow, rel=0.01)
    await page.click("document.querySelector('.query')")
    await page.type("^WORK$")
    # What is written with capitals means them.
    assert await page.value("document.querySelectorAll('.frame.match').length") == 0
    await page.value("document.querySelector('.query').select()")
    await page.type("w(o)rk|nothing")
    told = "document.querySelector('.told').textContent"
    await page.until(f"{told} === '1 match, 25.0%'")
    names = "[...document.querySelectorAll('.frame.match')].map(f => f.dataset.name)"
    assert await page.value(names) == ["work"]
    await page.value("document.querySelector('.query').select()")
    await page.type("(")
    await page.until(f"{told}.includes('regular expression')")


@needs_browser
async def test_an_svg_file_zooms_and_searches_and_runs_nothing(page: Page, svg: Path) -> None:
    """By clicks and keys, opened from the disk."""
    await page.open(svg)
    await assert_zooms_and_searches(page)
    for name in range(len(HOSTILE)):
        await page.hover(f"document.querySelectorAll('.frame')[{name}].querySelector('rect')")
    assert_harmless(page, svg)
    names = set(await page.value("[...document.querySelectorAll('.frame')].map(f=>f.dataset.name)"))
    assert names == {"all", "work", *HOSTILE}


@needs_browser
async def test_a_report_zooms_and_searches_and_runs_nothing(page: Page, report: Path) -> None:
    """It shows every hostile name as a text, and has no element that we did not make."""
    await page.open(report)
    await assert_zooms_and_searches(page)
    text = await page.value("document.body.textContent")
    for name in HOSTILE:
        assert name in text
    assert await page.value("document.title") == f"{HOSTILE[0]} · flashpoint"
    assert await page.value("document.querySelectorAll('script').length") == 3
    assert await page.value("document.querySelectorAll('img, iframe, object, a, form').length") == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())"
    assert not [n for n in await page.value(handlers) if n.startswith("on")]
    assert_harmless(page, report)


@needs_browser
async def test_the_cursor_of_a_report_tells_all_lines(page: Page, report: Path) -> None:
    """At the time that the mouse is at, in all pictures at once; gone with the mouse."""
    await page.open(report)
    value = "document.querySelector('[data-series=rate-0]').textContent"
    assert (await page.value(value)).startswith("max ")
    await page.hover("document.querySelector('#chart-latency svg')")
    assert await page.until(f"{value}.startsWith('max') ? '' : {value}") == "40.0"
    shown = "[...document.querySelectorAll('.cursor')].map(c => c.getAttribute('visibility'))"
    assert set(await page.value(shown)) == {"visible"}
    await page.hover("document.querySelector('h1')")
    await page.until(f"{value}.startsWith('max ')")
    await page.value("document.querySelector('#chart-rate svg').focus()")
    await page.press("ArrowRight")
    assert await page.until("document.querySelector('.cursor text').textContent") == "0:00"
    assert_harmless(page, report)


@needs_browser
async def test_the_policy_of_a_report_forbids_what_is_not_its_own(page: Page, report: Path) -> None:
    """Even if a name came into the page as markup, it would not run, nor send anything."""
    await page.open(report)
    assert_harmless(page, report)
    await page.value(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">');"
        "const own = document.createElement('script'); own.textContent = 'window.ran = 1';"
        "document.body.append(own);"
        "fetch('http://127.0.0.1:9/').catch(() => { window.refused = 1; }); 0"
    )
    await page.until("window.refused")
    assert await page.value("window.ran === undefined")
    assert len(page.errors) >= 3
    assert all("Content Security Policy" in error for error in page.errors)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_report_can_be_read_by_day_and_by_night(
    page: Page, report: Path, scheme: str
) -> None:
    """Text stands out from what is behind it, and nothing is wider than a small laptop."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    await page.call("Emulation.setEmulatedMedia", features=[feature])
    await page.open(report)
    light = (
        "(colour => { const [r, g, b] = colour.match(/\\d+/g).map(Number);"
        " return (r * 299 + g * 587 + b * 114) / 255000; })"
    )
    ink = await page.value(f"{light}(getComputedStyle(document.querySelector('td')).color)")
    paper = await page.value(
        f"{light}(getComputedStyle(document.querySelector('section')).backgroundColor)"
    )
    assert abs(ink - paper) > 0.6
    assert (paper > 0.5) == (scheme == "light")
    assert await page.value("document.documentElement.scrollWidth <= innerWidth")


def test_these_tests_are_skipped_only_where_they_can_not_run() -> None:
    """In CI they fail instead."""

    def nowhere(_: str) -> None:
        return None

    assert find_browser(nowhere) is None
    assert may_skip({}, nowhere)
    assert not may_skip({"CI": "true"}, nowhere)
    assert not may_skip({}, lambda name: f"/usr/bin/{name}")
