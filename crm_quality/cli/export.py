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


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    listing = "\n\n".join(f"- {name}: {what}" for name, (what, _) in EXPORTS.items())
    app.command("export", help=f"Write a table for others to read.\n\n{listing}")(export)


def export(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(EXPORTS)}.")],
    out: Annotated[
        Path, typer.Argument(help="File to write, by its ending: .csv .parquet .xlsx .json .jsonl")
    ],
    project: ProjectDir = Path(),
    wait: Wait = 0.0,
) -> None:
    """Write a table for others to read."""
    check_kind(out)
    write(Project.open(project, wait=wait).export(what), out)


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
