"""The command palette's entries: the command table, and what the session offers beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.commands import COMMANDS, LIVE, key_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class CommandProvider(Provider):
    """Finds commands by title and help."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = self.app
        # What has no key comes first.
        for offer in getattr(app, "offers", ()):
            yield offer.title, offer.help, offer.run
        usable = getattr(app, "usable", LIVE)
        for each in COMMANDS:
            if each.id not in usable:
                continue
            keys = " or ".join(key_name(key) for key in each.keys)
            action = partial(app.run_action, f"command('{each.id}')")
            yield f"{each.group}: {each.title}", f"{each.help} Key: {keys}", action

    async def discover(self) -> Hits:
        """Offer everything before a letter is typed."""
        for title, help_text, run in self._entries():
            yield DiscoveryHit(title, run, help=help_text)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for title, help_text, run in self._entries():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=help_text)
