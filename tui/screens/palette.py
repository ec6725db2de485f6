"""The command palette's entries: the command table, and what the session offers beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.commands import COMMANDS, LIVE, key_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.fuzzy import Matcher


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
            yield DiscoveryHit(Content(title), run, title, Content(help_text))  # type: ignore[arg-type]

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for title, help_text, run in self._entries():
            score = matcher.match(title)
            if score > 0:
                found = _highlit(matcher, title)
                yield Hit(score, found, run, title, Content(help_text))  # type: ignore[arg-type]


def _highlit(matcher: Matcher, title: str) -> Content:
    """Return a title with what was typed lit up; the matcher's own way reads it as markup."""
    content = Content(title)
    _, places = matcher.fuzzy_search.match(matcher.query, title)
    for place in places:
        content = content.stylize(matcher.match_style, place, place + 1)
    return content
