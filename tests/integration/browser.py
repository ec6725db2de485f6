"""Drives a real browser: opens a file, clicks, types, and notes all that went wrong.

It speaks the DevTools protocol (chromedevtools.github.io/devtools-protocol) over the WebSocket that
Chromium itself opens on the loopback interface.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection, connect

from collectors.process import Guard
from tests.waiting import eventually

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MISSING: Final = "this machine has no Chromium; `make test` installs it where it may"

_DEADLINE_S: Final = 15.0
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--window-size=1280,900",
)


def find_browser(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((path for name in NAMES if (path := which(name)) is not None), None)


def may_skip(
    env: Mapping[str, str] | None = None, which: Callable[[str], str | None] = shutil.which
) -> bool:
    """Tell whether tests in a browser may be skipped: where there is none, but not in CI."""
    env = os.environ if env is None else env
    return find_browser(which) is None and env.get("CI") != "true"


needs_browser = pytest.mark.skipif(may_skip(), reason=MISSING)


@dataclass(slots=True, eq=False)
class Page:
    """One page of the browser, and what it did.

    Args:
        connection: To the browser.
        session: Of the page, by the protocol's name.
    """

    connection: ClientConnection
    session: str = ""
    errors: list[str] = field(default_factory=list)
    """Exceptions, errors on the console, and what the page's policy forbade."""
    dialogs: list[str] = field(default_factory=list)
    """What `alert` and its like have said."""
    requests: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def attach(self) -> None:
        """Make a page of its own and listen to all it says."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol.

        Raises:
            AssertionError: the browser refused, is gone, or does not answer in time.
        """
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        answered = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps(message))
        try:
            async with asyncio.timeout(_DEADLINE_S):
                answer = await answered
        except TimeoutError:
            raise AssertionError(f"{method}: no answer within {_DEADLINE_S} s") from None
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    async def listen(self) -> None:
        """Take what the browser says until it is gone; who waits for an answer learns of that."""
        gone = "the browser is gone"
        try:
            async for message in self.connection:
                said = json.loads(message)
                if "id" in said:
                    answered = self._answers.pop(said["id"])
                    if not answered.done():  # or nobody waits any more
                        answered.set_result(said)
                else:
                    self._note(said["method"], said["params"])
        except Exception as error:
            gone = repr(error)
            raise
        finally:
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_result({"error": gone})

    def _note(self, method: str, said: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Page.javascriptDialogOpening":
                self.dialogs.append(said["message"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.errors.append(str(said["args"]))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.errors.append(said["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])

    async def open(self, path: Path) -> None:
        """Open a file and wait until it is all there."""
        self._loaded.clear()
        await self.call("Page.navigate", url=path.as_uri())
        async with asyncio.timeout(_DEADLINE_S):
            await self._loaded.wait()

    async def value(self, expression: str) -> Any:
        """Return what an expression is in the page; objects as JSON has them.

        Raises:
            AssertionError: it throws.
        """
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, within_s: float = 5.0) -> Any:
        """Wait until an expression is truthy in the page, and return it.

        Raises:
            AssertionError: it is not in time.
        """
        deadline = time.monotonic() + within_s
        while not (found := await self.value(expression)):
            assert time.monotonic() < deadline, f"not within {within_s} s: {expression}"
            await asyncio.sleep(0.02)
        return found

    async def centre(self, element: str) -> tuple[float, float]:
        """Scroll to an element, given as an expression, and return where its middle is."""
        x, y = await self.value(
            f"(() => {{ const element = {element}; element.scrollIntoView({{block: 'center'}});"
            " const box = element.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return float(x), float(y)

    async def hover(self, element: str) -> None:
        """Move the mouse onto an element."""
        x, y = await self.centre(element)
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    async def click(self, element: str) -> None:
        """Move the mouse onto an element and click."""
        x, y = await self.centre(element)
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def type(self, text: str) -> None:
        """Type a text where the focus is, key by key."""
        for char in text:
            await self.call("Input.dispatchKeyEvent", type="char", text=char)

    async def press(self, key: str) -> None:
        """Press and let go of a key that writes nothing, like `Escape`."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key)


@contextlib.asynccontextmanager
async def browser_page(guard: Guard, profile: Path) -> AsyncIterator[Page]:
    """Run a browser with one page.

    Args:
        guard: Ends the browser with all its processes, however the test ends.
        profile: An empty folder of its own, so that it finds and leaves nothing.
    """
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    # Root may not use the sandbox; what is opened here is ours.
    flags = [*_FLAGS, f"--user-data-dir={profile}"] + ["--no-sandbox"] * (os.geteuid() == 0)
    browser = await guard.spawn("browser", [path, *flags, "about:blank"])
    try:
        address = await _address(profile / "DevToolsActivePort")
        # Whatever proxy the environment names is not for the loopback interface.
        async with connect(address, proxy=None, max_size=None, compression=None) as connection:
            page = Page(connection)
            listening = asyncio.create_task(page.listen())
            try:
                await page.attach()
                yield page
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        await browser.stop(signal.SIGTERM)


async def _address(file: Path) -> str:
    """Return where the browser listens: it writes port and path into its profile."""
    lines: list[str] = []

    def is_written() -> bool:
        with contextlib.suppress(FileNotFoundError):
            lines[:] = file.read_text().splitlines()
        return len(lines) == 2

    await eventually(is_written, 30.0)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
