"""``crmq export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.options import ProjectDir, Wait
from crm_quality.cli.output import say
from crm_quality.engine.project import Project
from crm_quality.errors import InputError, UsageError
from crm_quality.store.export import EXPORTS

#: Endings of the files that a table is written to.
KINDS = (".csv", ".parquet", ".xlsx", ".json", ".jsonl")


_OUTWARD = {
    "salesforce-merges": "calls of merge, at most three records each, in order",
    "salesforce-updates": "Id and changed fields of one source, for Data Loader",
    "hubspot-merges": "pairs to merge: the primary id, and the one to merge into it",
    "hubspot-updates": "Record ID and changed properties of one source, for an import",
    "dynamics-updates": "contact, checksum and time as they came, and changed fields of one source",
    "all": "every export above as Parquet, into the folder OUT",
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    names = {name: what for name, (what, _) in EXPORTS.items()} | _OUTWARD
    names["changes"] += ", with values; prints the cursor to go on --since"
    listing = "\n\n".join(f"- {name}: {what}" for name, what in names.items())
    app.command("export", help=f"Write a table for others to read.\n\n{listing}")(export)


def export(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join([*EXPORTS, *_OUTWARD])}.")],
    out: Annotated[
        Path, typer.Argument(help="File to write, by its ending: .csv .parquet .xlsx .json .jsonl")
    ],
    since: Annotated[
        str | None,
        typer.Option("--since", help="changes: only those after this cursor or run."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", "-s", help="Merges and updates: records of this source; repeat for merges."
        ),
    ] = None,
    project: ProjectDir = Path(),
    wait: Wait = 0.0,
) -> None:
    """Write a table for others to read."""
    if since is not None and what != "changes":
        raise UsageError(f"--since goes with `export changes`, not with {what}")
    if source and not what.endswith(("-merges", "-updates")):
        raise UsageError(f"--source goes with merges and updates, not with {what}")
    if what == "all":
        for file, rows in Project.open(project, wait=wait).exchange.write_all(out).items():
            say(f"wrote {rows:,} rows to {file}")
        return
    check_kind(out)
    opened = Project.open(project, wait=wait)
    system, _, kind = what.partition("-")
    if what == "changes":
        feed = opened.exchange.changes(since or 0)
        write(feed.changes, out)
        typer.echo(feed.cursor)
    elif what in _OUTWARD and kind == "merges":
        write(opened.exchange.merges(system, source or ()), out)
    elif what in _OUTWARD:
        if source and len(source) > 1:
            raise UsageError("updates are of one source, which has the columns of the file")
        write(opened.exchange.updates(system, source[0] if source else None), out)
    else:
        write(opened.export(what), out)


def check_kind(out: Path) -> None:
    """Refuse a file whose ending names no kind that can be written.

    Raises:
        UsageError: It does not.
    """
    if out.suffix.lower() not in KINDS:
        raise UsageError(f"{out} ends in none of {', '.join(KINDS)}; name the kind of file so")


def write(frame: pl.DataFrame, out: Path) -> None:
    """Write ``frame`` in the format that the ending of ``out`` names, and say so.

    Raises:
        InputError: The file cannot be written.
    """
    kind = out.suffix.lower()
    try:
        if kind == ".parquet":
            frame.write_parquet(out)
        elif kind == ".xlsx":
            flat(frame).write_excel(out, autofit=True)
        elif kind == ".csv":
            flat(frame).write_csv(out)
        elif kind == ".json":
            frame.write_json(out)
        else:
            frame.write_ndjson(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from error
    say(f"wrote {frame.height:,} rows to {out}")


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with lists as texts, their items joined with ``;``."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    return frame.with_columns(pl.col(name).list.join("; ") for name in lists)
