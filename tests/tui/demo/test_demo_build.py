import asyncio
import os
import sys
from pathlib import Path

import pytest

from collectors.process import Guard
from tui.demo import build
from tui.demo.build import DemoServer, demo_command, listening_port, script_path

FAKE_RUSTC = """#!/bin/sh
if [ "$1" = -vV ]; then cat "$0.version"; exit 0; fi
echo compiled >> "$0.calls"
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then
        printf '#!/bin/sh\\nexit 0\\n' > "$2"
        chmod 755 "$2"
    fi
    shift
done
"""


class FakeCompiler:
    """A rustc in a folder of its own that counts how often it compiles."""

    def __init__(self, folder: Path, program: str = FAKE_RUSTC) -> None:
        folder.mkdir()
        self.path = str(folder)
        self._program = folder / "rustc"
        self._program.write_text(program)
        self._program.chmod(0o755)
        self.set_version("rustc 1.95.0\n")

    def set_version(self, text: str) -> None:
        self._program.with_name("rustc.version").write_text(text)

    @property
    def calls(self) -> int:
        log = self._program.with_name("rustc.calls")
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def compiler(tmp_path: Path) -> FakeCompiler:
    return FakeCompiler(tmp_path / "bin")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "demo"


def entries(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def mode(path: Path | str) -> int:
    return Path(path).stat().st_mode & 0o777


def is_link(path: str) -> bool:
    return Path(path).is_symlink()


def make_open(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


def replace_file(path: str, *, text: str = "", link_to: str = "") -> None:
    Path(path).unlink()
    if link_to:
        Path(path).symlink_to(link_to)
    else:
        Path(path).write_text(text)
        Path(path).chmod(0o700)


async def ask(guard: Guard, cache: Path, path: str) -> tuple[DemoServer, list[str]]:
    log: list[str] = []
    return await demo_command(guard, cache, log.append, path=path), log


async def test_compiles_once_and_reuses(guard: Guard, compiler: FakeCompiler, cache: Path) -> None:
    """The second start takes the binary of the first."""
    first, log = await ask(guard, cache, compiler.path)
    second, quiet = await ask(guard, cache, compiler.path)
    assert first == second
    assert first.language == "rust"
    assert first.note == ""
    assert compiler.calls == 1
    assert log == ["compiling the demo server (once)"]
    assert quiet == []


async def test_cache_is_private_and_tidy(guard: Guard, compiler: FakeCompiler, cache: Path) -> None:
    """The cache folder is ours alone and holds nothing but the binary."""
    server, _ = await ask(guard, cache, compiler.path)
    assert mode(cache) == 0o700
    assert entries(cache) == [server.argv[0]]
    assert mode(server.argv[0]) == 0o700


async def test_another_compiler_compiles_again(
    guard: Guard, compiler: FakeCompiler, cache: Path
) -> None:
    """A new version of rustc gets a binary of its own."""
    first, _ = await ask(guard, cache, compiler.path)
    compiler.set_version("rustc 1.96.0\n")
    second, _ = await ask(guard, cache, compiler.path)
    assert first.argv != second.argv
    assert compiler.calls == 2


async def test_another_source_compiles_again(
    guard: Guard, compiler: FakeCompiler, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new source gets a binary of its own."""
    first, _ = await ask(guard, cache, compiler.path)
    changed = cache.parent / "other.rs"
    changed.write_text("fn main() {}\n")
    monkeypatch.setattr(build, "RUST_SOURCE", changed)
    second, _ = await ask(guard, cache, compiler.path)
    assert first.argv != second.argv


async def test_damaged_binary_is_replaced(
    guard: Guard, compiler: FakeCompiler, cache: Path
) -> None:
    """What does not start any more is compiled again."""
    server, _ = await ask(guard, cache, compiler.path)
    replace_file(server.argv[0], text="#!/bin/sh\nexit 1\n")
    again, _ = await ask(guard, cache, compiler.path)
    assert again == server
    assert compiler.calls == 2


async def test_symbolic_link_is_not_followed(
    guard: Guard, compiler: FakeCompiler, cache: Path
) -> None:
    """A link in the cache is replaced by a binary of ours."""
    server, _ = await ask(guard, cache, compiler.path)
    replace_file(server.argv[0], link_to="/bin/true")
    await ask(guard, cache, compiler.path)
    assert not is_link(server.argv[0])
    assert compiler.calls == 2


async def test_concurrent_builds(guard: Guard, compiler: FakeCompiler, cache: Path) -> None:
    """Builds at the same moment end with the same whole binary."""
    answers = await asyncio.gather(*(ask(guard, cache, compiler.path) for _ in range(4)))
    assert len({server.argv for server, _ in answers}) == 1
    assert len(entries(cache)) == 1


async def test_no_rustc(guard: Guard, tmp_path: Path, cache: Path) -> None:
    """Without rustc the Python server runs, and the note says why."""
    server, _ = await ask(guard, cache, str(tmp_path))
    assert server.language == "python"
    assert server.argv[0] == sys.executable
    assert server.argv[-2:] == ("-m", "tui.demo.server")
    assert server.note.startswith("no rustc on PATH: Python server")
    if sys.version_info < (3, 12):
        assert "py-spy" in server.note
    assert entries(cache) == []


async def test_compile_error(guard: Guard, tmp_path: Path, cache: Path) -> None:
    """A failing compiler leads to the Python server; its words are logged, harmless."""
    program = (
        '#!/bin/sh\n[ "$1" = -vV ] && exit 0\n'
        'printf "error: \\033[31mno linker\\nmore\\n"\nexit 1\n'
    )
    compiler = FakeCompiler(tmp_path / "bin", program)
    server, log = await ask(guard, cache, compiler.path)
    assert server.language == "python"
    assert "rustc failed (error: ␛[31mno linker)" in server.note
    assert log == ["compiling the demo server (once)", "error: ␛[31mno linker", "more"]
    assert entries(cache) == []


async def test_compiler_without_version(guard: Guard, tmp_path: Path, cache: Path) -> None:
    """A rustc that does not run at all, like a rustup without a toolchain, is named."""
    program = "#!/bin/sh\necho 'error: no default toolchain'\nexit 1\n"
    compiler = FakeCompiler(tmp_path / "bin", program)
    server, _ = await ask(guard, cache, compiler.path)
    assert "rustc does not run (error: no default toolchain)" in server.note


async def test_compiler_that_hangs(
    guard: Guard, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that takes too long is ended."""
    monkeypatch.setattr(build, "COMPILE_DEADLINE_S", 0.2)
    program = '#!/bin/sh\n[ "$1" = -vV ] && exit 0\nexec sleep 60\n'
    compiler = FakeCompiler(tmp_path / "bin", program)
    server, _ = await ask(guard, cache, compiler.path)
    assert "rustc took more than" in server.note
    assert entries(cache) == []


async def test_programs_that_can_not_start(guard: Guard, tmp_path: Path, cache: Path) -> None:
    """A folder in which nothing starts leads to the Python server."""
    program = FAKE_RUSTC.replace("nexit 0", "nexit 1")
    assert program != FAKE_RUSTC
    compiler = FakeCompiler(tmp_path / "bin", program)
    server, _ = await ask(guard, cache, compiler.path)
    assert server.language == "python"
    assert "do not start" in server.note


async def test_folder_open_to_others(guard: Guard, compiler: FakeCompiler, cache: Path) -> None:
    """A folder that others may write to is not used."""
    make_open(cache)
    server, _ = await ask(guard, cache, compiler.path)
    assert "others may write to" in server.note
    assert compiler.calls == 0


async def test_folder_that_can_not_be_made(guard: Guard, compiler: FakeCompiler) -> None:
    """A folder that can't be is named in the note."""
    server, _ = await ask(guard, Path("/dev/null/demo"), compiler.path)
    assert "can't use /dev/null/demo" in server.note


async def test_long_output_is_bounded(guard: Guard, tmp_path: Path, cache: Path) -> None:
    """A compiler that talks without end is read to its end and cut."""
    program = (
        '#!/bin/sh\n[ "$1" = -vV ] && exit 0\n'
        "/usr/bin/yes warning | /usr/bin/head -c 1000000\nexit 1\n"
    )
    compiler = FakeCompiler(tmp_path / "bin", program)
    server, log = await ask(guard, cache, compiler.path)
    assert server.language == "python"
    assert sum(len(line) + 1 for line in log[1:]) <= build.MAX_OUTPUT_BYTES + 1


@pytest.mark.parametrize(
    ("trampoline", "flags", "hint"),
    [
        (1, "-O3 -fno-omit-frame-pointer", ""),
        (1, "-O3", "no frame pointers"),
        (0, "-O3", "Python ≥ 3.12"),
    ],
)
def test_python_with_perf_support(
    monkeypatch: pytest.MonkeyPatch, trampoline: int, flags: str, hint: str
) -> None:
    """From Python 3.12 on the server tells perf its functions, and the note what is missing."""
    settings = {"PY_HAVE_PERF_TRAMPOLINE": trampoline, "PY_CORE_CFLAGS": flags}
    monkeypatch.setattr(sys, "version_info", (3, 12, 0, "final", 0))
    monkeypatch.setattr("sysconfig.get_config_var", settings.get)
    server = build._python_server("no rustc on PATH")
    assert (server.argv[1:3] == ("-X", "perf")) == bool(trampoline)
    assert hint in server.note
    assert ("py-spy" in server.note) == bool(hint)


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("listening on 127.0.0.1:8080\n", 8080),
        ("listening on 127.0.0.1:8080", 8080),
        ("listening on 10.0.0.1:8080", None),
        ("listening on 127.0.0.1:", None),
        ("", None),
    ],
)
def test_listening_port(line: str, port: int | None) -> None:
    """The port is read from the server's one line, and from no other."""
    assert listening_port(line) == port


def test_script_and_source_are_packaged() -> None:
    """The script and the source lie beside the code."""
    assert script_path().is_file()
    assert build.RUST_SOURCE.is_file()
    assert os.access(script_path(), os.R_OK)
