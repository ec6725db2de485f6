"""Foreign text is never read as markup, and never run: held against the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign_text_lint import ROOT, findings, is_checked

PACKAGES = ("collectors", "tui", "themes")
ABOVE = ("tui/widgets/", "tui/screens/")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

ALLOWED = {
    ("collectors/stackfile/halves.py", "marshal"): "over a pipe, from a fork of this very process",
}
"""What is allowed all the same, and why."""
BANNED_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "yaml", "jsonpickle", "pty"}
BANNED_NAMES = {"eval", "exec", "compile", "__import__"}
BANNED_CALLS = {
    *("os.system", "os.popen", "tempfile.mktemp", "subprocess.getoutput"),
    *("subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "commands.getoutput"),
}
MARKUP = re.compile(
    r"(?<![\w\])\\^?*+.$])\[(?:/|/?(?:bold|dim|italic|underline|reverse|strike|b|i|u)|@click=[^\]]*"
    r"|link=[^\]]*|/?(?:on )?(?:red|green|yellow|blue|magenta|cyan|white|black)|\$[a-z-]+)\]"
)

GOOD = [
    'yield Static("literal [b]bold[/b]")',
    "yield Static(Content(name))",
    "yield Static(Text(name))",
    "yield Static(name, markup=False)",
    'yield Static(Content.assemble(name, (other, "bold")))',
    'yield Static(Content(name).stylize("bold"))',
    'yield Static("a" if flag else "b")',
    'yield Static(Content("\\n").join(parts))',
    'title = "x"\nyield Static(title)',
    "title = Content(name)\nyield Static(title)",
    "self.notify(text, markup=False)",
    'self.notify("done")',
    "self.border_title = Content(name)",
    'self.border_title = "log"',
    "known.update({name: 1})",
    "known.update(each for each in names)",
    "widget.update(Content(text))",
    "console.print(text, markup=False)",
    "yield Input(name, placeholder=text)",  # shows both as they are
    'yield Option(Content(name), id="x")',
    "yield DiscoveryHit(Content(title), run, text=title, help=Content(text))",
    "print(text)",
]
BAD = [
    "yield Static(name)",
    'yield Static(f"{name} is here")',
    "yield Static(str(name))",
    'yield Static("a " + name)',
    'yield Static("%s" % name)',
    'yield Static("{}".format(name))',
    'yield Static(name if flag else "b")',
    'yield Static(name or "b")',
    "yield Static(self.text)",
    "yield Static(content=name)",
    "yield Label(name)",
    "yield Button(name)",
    "yield Option(name)",
    "title = name\nyield Static(title)",
    'title = "x"\ntitle = name\nyield Static(title)',
    'title = "x"\ntitle += name\nyield Static(title)',
    "for title in names:\n    yield Static(title)",
    "self.notify(text)",
    "self.notify(text, markup=True)",
    'self.notify(f"writing {path}")',
    "app.notify(message=text)",
    "self.border_title = name",
    'self.pane.border_subtitle = f"{name}"',
    "self.tooltip = name",
    "widget.update(text)",
    'widget.update(f"{name}")',
    "yield Static(Content.from_markup(name))",
    "yield Static(Text.from_markup(name))",
    'yield Static(Content.from_markup("[b]$name[/b]") if name else Content.from_text(name))',
    "rich.print(text)",
    "console.print(text)",
    "yield Hit(score, matcher.highlight(title), run)",
    "yield DiscoveryHit(title, run)",
    "yield DiscoveryHit(Content(title), run, help=text)",
    "table.add_row(name)",
    "app.exit(message=name)",
]


def snippet(code: str) -> str:
    """Put a few lines into a method of a widget."""
    body = "\n".join(f"        {line}" for line in code.splitlines())
    return (
        "import rich\nfrom textual.widget import Widget\n"
        f"class X(Widget):\n    def f(self, name, text, flag, names, matcher):\n{body}\n"
    )


@pytest.mark.parametrize("code", GOOD)
def test_the_lint_lets_pass_what_is_safe(code: str) -> None:
    assert findings(snippet(code)) == []


@pytest.mark.parametrize("code", BAD)
def test_the_lint_finds_what_is_not(code: str) -> None:
    assert findings(snippet(code))


@pytest.mark.parametrize("line", ["from rich import print", "from rich.markup import escape"])
def test_the_lint_finds_what_is_imported_to_that_end(line: str) -> None:
    assert findings(line)


def test_a_parameter_is_as_safe_as_its_type() -> None:
    code = "from textual import x\ndef f(self, a: {}):\n    self.update(a)\n"
    assert findings(code.format("str"))
    assert not findings(code.format("Content"))
    assert not findings(code.format("Content | None"))


def test_a_closure_does_not_hide_a_text() -> None:
    code = "from textual import x\ndef f(a):\n    def g():\n        x.notify(a)\n"
    assert findings(code)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_foreign_is_read_as_markup(path: Path) -> None:
    source = path.read_text()
    if not is_checked(source):
        return
    assert [f"{path.name}: {each}" for each in findings(source)] == []


def test_the_lint_sees_every_file_that_draws() -> None:
    drawing = {str(path.relative_to(ROOT)) for path in SOURCES if is_checked(path.read_text())}
    assert {"tui/app.py", "tui/keeping.py", "tui/steering.py", "tui/flameapp.py"} <= drawing
    assert {each for each in drawing if each.startswith(ABOVE)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_below_the_widgets_builds_markup(path: Path) -> None:
    if str(path.relative_to(ROOT)).startswith(ABOVE):
        return
    tree = ast.parse(path.read_text())
    assert [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and MARKUP.search(node.value)
    ] == []
    assert [ast.unparse(node) for node in ast.walk(tree) if _makes_markup(node)] == []


def _makes_markup(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "") in ("rich.markup", "textual.markup")
    return isinstance(node, ast.Attribute) and node.attr in ("from_markup", "render_markup")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_foreign_is_run(path: Path) -> None:
    """Neither a shell, nor code in data, nor a name that somebody else may take first."""
    name = str(path.relative_to(ROOT))
    found = [
        (line, what)
        for line, what in _running(ast.parse(path.read_text()))
        if (name, what) not in ALLOWED
    ]
    assert found == []


def test_what_is_allowed_is_still_there() -> None:
    for name, what in ALLOWED:
        assert what in {each for _, each in _running(ast.parse((ROOT / name).read_text()))}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from marshal import loads",
        "import yaml",
        "eval(x)",
        "exec(x)",
        "import subprocess\nsubprocess.run(x, shell=True)",
        "f(shell=flag)",
        "import os\nos.system(x)",
        "import tempfile\ntempfile.mktemp()",
        "from tempfile import mktemp",
        "import asyncio\nasyncio.create_subprocess_shell(x)",
    ],
)
def test_what_runs_is_found(code: str) -> None:
    assert list(_running(ast.parse(code)))


@pytest.mark.parametrize("code", ["re.compile(x)", "f(shell=False)", "db.exec(x)", "import json"])
def test_what_runs_nothing_is_not(code: str) -> None:
    assert not list(_running(ast.parse(code)))


def _running(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [each.name.split(".")[0] for each in node.names]
            yield from ((node.lineno, name) for name in names if name in BANNED_MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.split(".")[0] in BANNED_MODULES:
                yield node.lineno, module
            full = [f"{module}.{each.name}" for each in node.names]
            yield from ((node.lineno, each) for each in full if each in BANNED_CALLS)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in BANNED_NAMES | BANNED_CALLS:
                yield node.lineno, called
            for each in node.keywords:
                is_off = isinstance(each.value, ast.Constant) and each.value.value is False
                if each.arg == "shell" and not is_off:
                    yield node.lineno, "shell"
