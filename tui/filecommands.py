"""The commands over files: recordings, results of k6, stacks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click

from collectors.text import sanitise
from tui.cliparts import FILE, MOMENT, RANGE, option, refuse_command, refuse_without_terminal
from tui.export.formats import ExportFormat


@click.command()
@click.argument("file")
@option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's.")
@click.pass_context
def flame(ctx: click.Context, file: str, theme: str | None) -> None:
    """Look at the stacks of FILE: folded, text of perf script, speedscope JSON, or a recording."""
    refuse_command(ctx, "flame")
    refuse_without_terminal("flashpoint export converts stacks without one")
    show(_file(file), theme)


@click.command()
@click.argument("file")
@option(
    "--format",
    "name",
    type=click.Choice([each.value for each in ExportFormat]),
    help="Which format; else by the name of OUT.",
)
@option("-o", "--output", type=FILE, default="-", metavar="OUT", help="Where to; - is stdout.")
@option("--force", is_flag=True, help="Replace OUT if it is there.")
@option(
    "--range", "range_", type=RANGE, help="Of a run: like 0:30-1:00, last 30s, run 2; else all."
)
@option("--baseline", metavar="NAME", help="A baseline of the run that it is compared with.")
@click.pass_context
def export(ctx: click.Context, /, file: str, **given: Any) -> None:
    """Write a run or its stacks in another format.

    FILE is a recording (its path, its name or `latest`), a JSON or CSV result of k6, folded stacks,
    text of perf script, or speedscope JSON.
    """
    refuse_command(ctx, "export")
    # A few milliseconds, which `run` does without.
    from tui.convert import Wanted, convert

    asked = ExportFormat(given["name"]) if given["name"] is not None else None
    wanted = Wanted(
        given["output"], asked, given["force"], given["range_"], given["baseline"] or ""
    )
    for note in convert(_file(file), wanted):
        click.echo(f"flashpoint: {note}", err=True)


@click.command()
@click.argument("recording")
@option("--follow", is_flag=True, help="Go on with a run that is being recorded.")
@option("--at", type=MOMENT, help="Begin at a time of the run, like 1:30; then it stands still.")
@option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's.")
@click.pass_context
def replay(ctx: click.Context, /, recording: str, **given: Any) -> None:
    """Watch a run again: the same screen over a recording.

    RECORDING is its path, its name as `flashpoint ls` shows it, the beginning of that, or `latest`;
    also a JSON or CSV result of k6, or a file of stacks.
    """
    refuse_command(ctx, "replay")
    refuse_without_terminal("flashpoint export writes a report without one")
    from tui.watching import watch

    ctx.exit(watch(_file(recording), given["theme"], follow=given["follow"], at_s=given["at"]))


@click.command()
@click.argument("before")
@click.argument("after")
@option("--range", "range_", type=RANGE, help="Of both runs: like 0:30-1:00 or last 30s; else all.")
@option("--before-range", type=RANGE, help="Of BEFORE, where it is another one.")
@option("--after-range", type=RANGE, help="Of AFTER, where it is another one.")
@option("--markdown", is_flag=True, help="For a pull request.")
@option("--screen", is_flag=True, help="On the screen: AFTER is replayed, compared with BEFORE.")
@option(
    "--fail-if",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 1 if it holds, like p95>+10%, cpu_per_request>+5%, symbol:parse_json>+10%,"
    " errors>1%; repeat.",
)
@option("--theme", help="Name of a theme: ember-dark, paper-light, or one of Textual's.")
@click.pass_context
def diff(ctx: click.Context, /, before: str, after: str, **given: Any) -> None:
    """Compare two runs, or two ranges of one: rate, percentiles, errors, cost, functions.

    BEFORE and AFTER are what `replay` takes; the same one twice, with two ranges, compares these.
    """
    refuse_command(ctx, "diff")
    from tui.comparing import Pair, compare_files, compare_on_screen

    pair = Pair(
        _file(before),
        _file(after),
        given["before_range"] or given["range_"],
        given["after_range"] or given["range_"],
    )
    if given["screen"]:
        refuse_without_terminal("leave out --screen")
        ctx.exit(compare_on_screen(pair, given["theme"]))
    ctx.exit(compare_files(pair, given["fail_if"], as_markdown=given["markdown"]))


@click.command()
@option("--json", "as_json", is_flag=True, help="For programs: one object a line.")
@click.pass_context
def ls(ctx: click.Context, /, *, as_json: bool) -> None:
    """List the recordings, the newest first."""
    refuse_command(ctx, "ls")
    from tui.listing import list_recordings

    for line in list_recordings(as_json=as_json):
        click.echo(line)


def _file(word: str) -> Path:
    """Return the file that a path or the name of a recording means."""
    path = Path(word)
    if os.path.exists(word):  # unlike Path's own, it bears any word
        return path
    from collectors.recording.folder import folder_of
    from collectors.recording.schema import SUFFIX
    from collectors.recording.shelf import find

    if os.sep in word or path.suffix not in ("", SUFFIX):
        return path  # whoever reads it says what is wrong with it
    return find(word, folder_of(os.environ))


def show(file: Path, theme: str | None) -> None:
    """Show the stacks of a file until the operator leaves."""
    from collectors.recording.sniff import is_recording
    from collectors.stackfile.reader import read_profile

    if is_recording(file):
        from tui.alone import run_alone
        from tui.flameapp import app_of_recording

        run_alone(app_of_recording(file, theme))
        return
    # Read first: a second process may help only while there is no other thread.
    profile = read_profile(file)

    # Half a second of imports, which converting a file does without.
    from tui.alone import run_alone
    from tui.flameapp import app_of

    run_alone(app_of(profile, sanitise(file.name, 80), theme))


FILE_COMMANDS: Final = (replay, diff, export, flame, ls)
"""In the order of the help."""
