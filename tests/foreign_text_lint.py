"""Finds, in source, texts that Textual or Rich would read as markup without being told not to.

A text is safe where it is written down in the source, or wrapped: `Content(text)`, `Text(text)`.
Anything else may hold what somebody else chose, and `[@click=…]` in it would be a button.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent

WRAPPERS: Final = ("Content", "Text")
"""Their constructors and `assemble` take texts as they are."""
_PLAIN_MAKERS: Final = ("assemble", "styled", "from_rich_text", "from_ansi", "blank", "empty")

CALLS: Final[Mapping[str, tuple[int | str, ...]]] = {
    "Static": (0, "content"),
    "Label": (0, "content", "renderable"),
    "Button": (0, "label"),
    "Checkbox": (0, "label"),
    "RadioButton": (0, "label"),
    "Option": (0, "prompt"),
    "Selection": (0, "prompt"),
    "Tab": (0, "label"),
    "TabPane": (0, "title"),
    "Collapsible": ("title",),
    "Markdown": (0, "markdown"),
    "Hit": (1, "match_display", "help"),
    "DiscoveryHit": (0, "display", "help"),
    "SystemCommand": (0, 1, "title", "help"),
    "Notification": (0, "message"),
    "notify": (0, "message"),
    "highlight": (0, "candidate"),
    "render_str": (0, "text_content"),
    "from_text": (0, "markup_content_or_text"),
    "from_markup": (0, "markup", "text"),
    "visualize": (1, "obj"),
    "add_option": (0, "option"),
    "add_row": (0, 1, 2, 3, 4, 5, 6, 7),
    "add_column": (0, "label"),
    "add_leaf": (0, "label"),
    "set_label": (0, "label"),
    "replace_option_prompt": (1, "prompt"),
    "exit": ("message",),
    "panic": (0,),
}
"""Call → which of its arguments are read as markup."""
METHODS: Final[Mapping[str, tuple[int | str, ...]]] = {
    "update": (0, "content"),
    "print": (0,),
    "write": (),
}
"""As above, but only as a method."""
ATTRIBUTES: Final = ("border_title", "border_subtitle", "tooltip")
"""Read as markup when they are set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A text that would be read as markup."""

    line: int
    sink: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sink} reads a text as markup; wrap it in Content(…)"


def is_checked(source: str) -> bool:
    """Tell whether a file draws: whether it imports Textual or Rich."""
    roots = ("textual", "rich")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in roots:
            return True
        if isinstance(node, ast.Import) and any(
            each.name.split(".")[0] in roots for each in node.names
        ):
            return True
    return False


def findings(source: str) -> list[Finding]:
    """Return what of a file would be read as markup."""
    tree = ast.parse(source)
    found: list[Finding] = []
    for scope, nodes in _scopes(tree):
        known = _Known(tree, scope)
        for node in nodes:
            found += _look(node, known)
    return sorted(set(found), key=lambda each: (each.line, each.sink))


def _look(node: ast.AST, known: _Known) -> Iterator[Finding]:
    if isinstance(node, ast.ImportFrom) and node.module == "rich":
        yield from (
            Finding(node.lineno, f"rich.{each.name}") for each in node.names if each.name == "print"
        )
    if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".markup"):
        # Escaping is no way out: what is escaped for one reader is not for the next.
        yield Finding(node.lineno, node.module or "")
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            is_sink = isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES
            if is_sink and not known.is_safe(node.value):
                yield Finding(node.lineno, ast.unparse(target))
    if isinstance(node, ast.Call):
        yield from _look_at_call(node, known)


def _look_at_call(call: ast.Call, known: _Known) -> Iterator[Finding]:
    name = _last_name(call.func)
    keywords = {each.arg: each.value for each in call.keywords if each.arg}
    markup = keywords.get("markup")
    if isinstance(markup, ast.Constant) and markup.value is True:
        yield Finding(call.lineno, f"{name}(markup=True)")
    if isinstance(markup, ast.Constant) and markup.value is False:
        return
    if ast.unparse(call.func) == "rich.print":
        yield Finding(call.lineno, "rich.print")
        return
    is_method = isinstance(call.func, ast.Attribute)
    sinks = CALLS.get(name) or (METHODS.get(name, ()) if is_method else ())
    for sink in sinks:
        value: ast.expr | None = None
        if isinstance(sink, str):
            value = keywords.get(sink)
        elif sink < len(call.args):
            value = call.args[sink]
        if value is None or (name == "update" and _is_collection(value)):
            continue
        if not known.is_safe(value):
            yield Finding(call.lineno, f"{ast.unparse(call.func)}({ast.unparse(value)})")


def _is_collection(value: ast.expr) -> bool:
    """Tell what `dict.update` and `set.update` are given."""
    kinds = (ast.Dict, ast.Set, ast.List, ast.Tuple)
    made = (ast.DictComp, ast.SetComp, ast.ListComp, ast.GeneratorExp)
    return isinstance(value, (*kinds, *made))


class _Known:
    """What names stand for, within a function and at the top of its file."""

    def __init__(self, tree: ast.Module, scope: ast.AST) -> None:
        self._values: dict[str, list[ast.expr | None]] = {}
        self._following: set[str] = set()
        self._makers = {
            each.name
            for each in ast.walk(tree)
            if isinstance(each, _FUNCTIONS) and _is_wrapper(each.returns)
        }
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            every = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
            for each in every:
                # A parameter is as safe as its type: None stands for anything.
                self._values[each.arg] = [None if not _is_wrapper(each.annotation) else _SAFE]
        for node in [*_own(tree), *_own(scope)]:
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(node.target, None)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, None)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                is_plain = each is target
                self._values.setdefault(each.id, []).append(value if is_plain else None)

    def is_safe(self, value: ast.expr | None) -> bool:
        """Tell whether an expression is a literal, or wrapped."""
        match value:
            case None:
                return False
            case ast.Constant():
                return True
            case ast.JoinedStr(values=parts):
                return all(isinstance(each, ast.Constant) for each in parts)
            case ast.IfExp(body=one, orelse=other):
                return self.is_safe(one) and self.is_safe(other)
            case ast.BoolOp(values=each):
                return all(self.is_safe(one) for one in each)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.is_safe(left) and self.is_safe(right)
            case ast.Call():
                name = _last_name(value.func)
                # A widget, an option: looked at where it is made.
                return (
                    _wraps(value) or name in self._makers or (name in CALLS and name[0].isupper())
                )
            case ast.Name(id=name):
                if name in self._following:
                    return True
                self._following.add(name)
                try:
                    values = self._values.get(name, [None])
                    return all(self.is_safe(each) for each in values)
                finally:
                    self._following.discard(name)
            case _:
                return False


_SAFE: Final = ast.Constant("")


def _wraps(call: ast.Call) -> bool:
    """Tell whether a call makes a Content or a Text of what is in it, as it is."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in WRAPPERS
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    if isinstance(owner, ast.Name) and owner.id in WRAPPERS:
        return function.attr in _PLAIN_MAKERS
    # A method of a wrapped one: Content(a).stylize(…), Content("\n").join(…).
    return isinstance(owner, ast.Call) and _wraps(owner)


def _is_wrapper(annotation: ast.expr | None) -> bool:
    names = ast.unparse(annotation).replace("None", "").strip(" |'\"") if annotation else ""
    return names in WRAPPERS


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Subscript):
        function = function.value
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def _scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Return each function, and the file itself, with the nodes that are its own."""
    yield tree, list(_own(tree))
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            yield node, list(_own(node))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            waiting += ast.iter_child_nodes(node)
