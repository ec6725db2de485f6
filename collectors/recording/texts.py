"""Finds texts in samples that the sanitiser would change, wherever in them they are."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from collectors.text import sanitise

KNOWN_TEXTS: Final = 50_000
KNOWN_CHARS: Final = 256
"""Longer ones are hardly ever seen again."""

_Texts: TypeAlias = Callable[[Any], Iterable[str]]


class TextCheck:
    """Tells whether all texts in a sample are safe; what was looked at once is known."""

    def __init__(self) -> None:
        self._safe: set[str] = set()

    def is_safe(self, sample: Any) -> bool:
        """Tell whether the sanitiser would leave every text in a sample as it is."""
        find = _finder(cast("Any", type(sample)))
        return find is None or all(self._is_safe(text) for text in find(sample))

    def _is_safe(self, text: str) -> bool:
        if text in self._safe:
            return True
        if sanitise(text) != text:
            return False
        if len(text) <= KNOWN_CHARS:
            if len(self._safe) >= KNOWN_TEXTS:
                self._safe.clear()
            self._safe.add(text)
        return True


@cache
def _finder(kind: Any) -> _Texts | None:
    """Return what finds the texts in a value of a type; None where it has none."""
    if kind is str:
        return _itself
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _of_union([each for each in arguments if each is not type(None)])
    if origin is not None:
        return _of_container(origin, arguments)
    if isinstance(kind, type) and is_dataclass(kind) and not issubclass(kind, Enum):
        hints = get_type_hints(kind)
        found = [(each.name, _finder(hints[each.name])) for each in fields(kind)]
        return _of_fields([(name, find) for name, find in found if find is not None])
    return None


def _itself(text: str) -> Iterable[str]:
    return (text,)


def _of_union(kinds: list[Any]) -> _Texts | None:
    finders = [find for find in map(_finder, kinds) if find is not None]
    if not finders:
        return None

    def find_in(value: Any) -> Iterable[str]:
        if value is None:
            return ()
        find = _finder(cast("Any", type(value)))
        return find(value) if find is not None else ()

    return find_in


def _of_container(origin: Any, arguments: tuple[Any, ...]) -> _Texts | None:
    finders = [_finder(each) if each is not Ellipsis else None for each in arguments]
    if not any(finders):
        return None
    if issubclass(origin, Mapping):
        key, value = finders

        def find_in_mapping(mapping: Any) -> Iterable[str]:
            if key is not None:
                for each in mapping:
                    yield from key(each)
            if value is not None:
                for each in mapping.values():
                    yield from value(each)

        return find_in_mapping
    find = finders[0]

    def find_in_items(items: Any) -> Iterable[str]:
        for each in items:
            yield from find(each) if find is not None else ()

    return find_in_items


def _of_fields(found: list[tuple[str, _Texts]]) -> _Texts | None:
    if not found:
        return None

    def find_in_fields(sample: Any) -> Iterable[str]:
        for name, find in found:
            if find is _itself:
                yield getattr(sample, name)
            else:
                yield from find(getattr(sample, name))

    return find_in_fields
