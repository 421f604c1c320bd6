"""``crmq undo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.entities import DryRun
from crm_quality.cli.options import Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import as_table, console, print_object, say
from crm_quality.engine.project import Project


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("undo")(undo)


def undo(
    run: Annotated[
        int, typer.Argument(help="Number of the run, see crmq export runs.", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept with it.")] = "",
    dry_run: DryRun = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Withdraw what a run brought, also one that is not the last; later runs stay."""
    told = Project.open(project, wait=wait).undo(run, reason=reason, dry_run=dry_run)
    if output is not Format.TABLE:
        print_object(told.to_dict(applied=not dry_run), output)
        return
    golden = told.outcome.summary.golden
    rows = [
        ("versions of records", told.versions, "withdrawn"),
        ("records", told.records, "are no more; they keep their numbers should they come again"),
        ("records", told.back, "are as they were before"),
        ("decisions and pins", told.decisions, "withdrawn, or in force again"),
        ("golden records", golden.total, "are left"),
    ]
    shown = [(f"{count:,}", f"{what} {became}") for what, count, became in rows if count]
    table = as_table(
        pl.DataFrame(shown, schema=["count", f"run {run}, {told.command}"], orient="row")
    )
    table.columns[0].justify = "right"
    console().print(table)
    for note in told.outcome.summary.notes:
        say(note)
    if dry_run:
        say("nothing was written; leave out --dry-run to do it")
    else:
        say(f"undone in run {told.outcome.summary.run_id}")
