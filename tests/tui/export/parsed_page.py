"""A page of HTML as a tree, for tests of what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

VOID: Final = {"meta", "link", "br", "input"}


@dataclass
class Node:
    """An element of a parsed page."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def walk(self) -> Iterator[Node]:
        """Yield it and all elements in it, in their order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, tag: str, style: str = "") -> list[Node]:
        """Return the elements in it with a tag and a class."""
        return [
            node
            for node in self.walk()
            if node.tag == tag and (not style or style in node.attributes.get("class", "").split())
        ]

    def part(self, name: str) -> Node:
        """Return the element of this id."""
        (found,) = [node for node in self.walk() if node.attributes.get("id") == name]
        return found


class Page(HTMLParser):
    """Parses a page; what is not closed in order is an error."""

    def __init__(self, content: bytes | str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]
        self.feed(content if isinstance(content, str) else content.decode())
        self.close()
        assert self._open == [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
