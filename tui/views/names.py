"""Symbols as a person would say them.

`readable_name` drops what a compiler or a demangler added (hashes, argument lists, long generics,
package hosts); `short_name` also drops the module path. Both are for reading only: identity stays
with the full symbol.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_GENERICS_LIMIT: Final = 12
"""Longest generic arguments that are worth their columns."""

_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_DISAMBIGUATOR = re.compile(r"\[[0-9a-f]{5,16}\]")
_CLONE = re.compile(
    r"( \[clone [^]]*\])+$|(\.(llvm\.\d+|constprop\.\d+|isra\.\d+|part\.\d+|cold))+$"
)
_GO = re.compile(r"^(?:[\w.~%-]+/)+(?=[\w%-]+\.)")
_PYTHON = re.compile(r"^py::(?P<function>.+):(?P<file>[^:]*)$")
_JAVASCRIPT = re.compile(
    r"^(?:LazyCompile|Function|Script|Eval|JS|RegExp):[*~^+]?(?P<function>\S*) ?(?P<place>.*)$"
)
_JAVA = re.compile(r"^L(?P<type>[\w/$]+);::(?P<method>.+)$")
_OPERATOR = re.compile(r"\boperator\s*(?:\(\)|\[\]|<=>|<<=?|>>=?|->\*?|<=?|>=?|[^\w\s(<]+)")
_OPEN: Final = {"<": ">", "(": ")", "[": "]", "{": "}"}
_CLOSE: Final = frozenset(_OPEN.values())


@lru_cache(maxsize=16_384)
def readable_name(symbol: str) -> str:
    """The symbol with its path but without noise: `tokio::task::poll`, `http.(*conn).serve`."""
    special = _script_name(symbol)
    if special is not None:
        return special
    name = _CLONE.sub("", _RUST_HASH.sub("", symbol))
    if go := _GO.match(name):
        return name[go.end() :]
    name = _DISAMBIGUATOR.sub("", name)
    name = _without_arguments(name)
    name = _impl_as_type(name)
    name = name.replace("{{", "{").replace("}}", "}")
    return _elide_generics(name) or symbol


@lru_cache(maxsize=16_384)
def short_name(symbol: str) -> str:
    """The last two parts of the readable name: `Context::run`, `Vec::from_iter`, `serve`."""
    parts = _split_path(readable_name(symbol))
    keep = 2
    # A closure says nothing without the function it is in.
    while keep < len(parts) and parts[1 - keep].startswith(("{", "(anonymous")):
        keep += 1
    return "::".join(parts[-keep:])


def _script_name(symbol: str) -> str | None:
    """Names that JIT runtimes write into perf maps: Python, V8, the JVM."""
    if match := _PYTHON.match(symbol):
        return f"{match['function']} ({match['file'].rpartition('/')[2]})"
    if match := _JAVASCRIPT.match(symbol):
        place = match["place"].rpartition("/")[2]
        return f"{match['function'] or '(anonymous)'} {place}".rstrip()
    if match := _JAVA.match(symbol):
        return f"{match['type'].rpartition('/')[2]}::{match['method']}"
    return None


def _depths(name: str) -> list[int]:
    """Bracket depth at each character, its own bracket included; `->` and operators are none."""
    skipped = {i for m in _OPERATOR.finditer(name) for i in range(*m.span())}
    depths, depth = [], 0
    for index, char in enumerate(name):
        if index in skipped or (char == ">" and name[index - 1 : index] in ("-", "=")):
            depths.append(depth)
        elif char in _OPEN:
            depth += 1
            depths.append(depth)
        else:
            depths.append(depth)
            if char in _CLOSE and depth:
                depth -= 1
    return depths


def _without_arguments(name: str) -> str:
    """Drop a C++ argument list, what follows it, and the return type of a template."""
    if "(" not in name:
        return name
    depths = _depths(name)
    opening = (i for i in range(len(name) - 1, 0, -1) if name[i] == "(" and depths[i] == 1)
    cut = next(opening, None)
    if cut is None or name.startswith("(anonymous", cut) or name[cut - 1] == ".":
        return name
    end = next((i for i in range(cut, len(name)) if name[i] == ")" and depths[i] == 1), None)
    if end is None or name.startswith(("::", "."), end + 1):
        return name
    head = name[:cut].rstrip()
    operator = re.search(r"\boperator\b", head)
    limit = operator.start() if operator else len(head)
    space = max((i for i in range(limit) if head[i] == " " and depths[i] == 0), default=-1)
    return head[space + 1 :].lstrip("*&") if space >= 0 else head


def _impl_as_type(name: str) -> str:
    """Rust's `<T as Trait>::method` and `<T>::method` become `T::method`."""
    while name.startswith("<"):
        depths = _depths(name)
        end = next((i for i, c in enumerate(name) if c == ">" and i and depths[i] == 1), None)
        if end is None or not name.startswith("::", end + 1):
            return name
        inner = name[1:end]
        cut = next(
            (m.start() for m in re.finditer(" as ", inner) if depths[m.start() + 1] == 1),
            len(inner),
        )
        subject = inner[:cut].lstrip("&*").removeprefix("mut ").removeprefix("const ")
        if subject.startswith("dyn "):
            subject = subject.removeprefix("dyn ").partition(" + ")[0]
        # A slice, tuple or generic parameter has no path of its own to shorten.
        name = f"{subject}{name[end + 1 :]}"
    return name


def _elide_generics(name: str) -> str:
    """Shorten generic arguments: turbofish ones go, long ones become `<…>`."""
    if "<" not in name:
        return name
    depths = _depths(name)
    out: list[str] = []
    index = 0
    while index < len(name):
        if name[index] == "<" and depths[index] == (depths[index - 1] if index else 0) + 1:
            end = _closing(name, depths, index)
            inside = name[index + 1 : end]
            if out and "".join(out[-2:]) == "::":
                del out[-2:]
            elif index == 0 or len(inside) <= _GENERICS_LIMIT:
                out.extend(name[index : end + 1])
            else:
                out.extend("<…>")
            index = end + 1
        else:
            out.append(name[index])
            index += 1
    return "".join(out)


def _closing(name: str, depths: list[int], start: int) -> int:
    depth = depths[start]
    for index in range(start + 1, len(name)):
        if name[index] == ">" and depths[index] == depth:
            return index
    return len(name)


def _split_path(name: str) -> list[str]:
    """Split at `::`, but not inside brackets."""
    if "::" not in name:
        return [name]
    depths = _depths(name)
    parts, start = [], 0
    for match in re.finditer("::", name):
        if depths[match.start()] == 0:
            parts.append(name[start : match.start()])
            start = match.end()
    parts.append(name[start:])
    return parts
