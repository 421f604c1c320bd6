"""``crmq sources``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.cli.options import (
    DelimiterOption,
    EncodingOption,
    EntityOption,
    Format,
    KeyOption,
    OutputFormat,
    ProjectDir,
    SourceOption,
)
from crm_quality.cli.output import counted, print_frame, print_object, say
from crm_quality.definitions import default_rules
from crm_quality.engine.config import CONFIG_FILE
from crm_quality.engine.project import Project
from crm_quality.engine.sources import Sources

if TYPE_CHECKING:
    from crm_quality.engine.sources import SourceTest

app = typer.Typer(
    name="sources",
    help="Exports that are known: list them, try one on a file.",
    no_args_is_help=True,
)


def register(main: typer.Typer) -> None:
    """Add this module's commands."""
    main.add_typer(app)


@app.command("list")
def list_(project: ProjectDir = Path(), output: OutputFormat = Format.TABLE) -> None:
    """Sources by name: what a row of each gives, and whether its header tells of it."""
    found = _sources(project).known()
    if output is Format.TABLE:
        by_header = pl.col("recognised_by").is_not_null()
        found = found.select(
            "source", "title", "entity", "fields",
            known_by=pl.when(by_header).then(pl.lit("header")).otherwise(pl.lit("--source")),
        )  # fmt: skip
    print_frame(found, output)


@app.command("test")
def try_files(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files to try; none = whether each source knows its own header."),
    ] = None,
    source: SourceOption = None,
    entity: EntityOption = "contact",
    key: KeyOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
) -> None:
    """What a source makes of a file, field by field; nothing is stored, no cell is shown.

    Exits with 1 where a column that every export of the source has is missing, where no column
    gives a field, or, without a file, where a source does not know its own header.
    """
    sources = _sources(project)
    if not files:
        found = sources.check_headers()
        wrong = found.filter(pl.col("says").is_not_null())
        print_frame(wrong if output is Format.TABLE and wrong.height else found, output)
        unnamed = len(sources.rules.sources) - found["source"].n_unique()
        say(
            f"{counted(found.height, 'source')} tried by their own headers, {wrong.height} not "
            f"recognised; {counted(unnamed, 'source')} must be named with --source"
        )
        raise typer.Exit(int(wrong.height > 0))
    tests = [
        sources.test(
            file, source=source, entity=entity, key=key, encoding=encoding, delimiter=delimiter
        )
        for file in files
    ]
    if output is Format.JSON:
        print_object({"files": [one.to_dict() for one in tests]}, output)
    for one in tests:
        if output is Format.TABLE:
            _print(one)
        elif output is Format.JSONL:
            print_object(one.to_dict(), output)
    raise typer.Exit(int(any(one.missing or one.columns.is_empty() for one in tests)))


def _sources(project: Path) -> Sources:
    if (project / CONFIG_FILE).exists():
        return Project.open(project).sources
    return Sources(default_rules())


def _print(one: SourceTest) -> None:
    for note in one.notes:
        say(note)
    share = (100 * pl.col("filled") / max(one.rows, 1)).round(0).cast(pl.Int64)
    shown = one.columns.with_columns(
        pl.format("{} %", share).alias("filled"),
        pl.when(pl.col("how") == "guess")
        .then(pl.format("guess, {} %", (pl.col("confidence") * 100).round(0).cast(pl.Int64)))
        .otherwise("how")
        .alias("how"),
    ).drop("confidence")
    if one.columns["entity"].n_unique() <= 1:
        shown = shown.drop("entity")
    known = f"as {one.recognised}" if one.recognised else "as no source that is known"
    print_frame(shown, Format.TABLE, title=f"{one.origin} {known}", most=200)
    for columns, words in (
        (one.custom, "kept as custom fields"),
        (one.missing, "missing, though every export has them"),
        (one.unknown, "not known to the source"),
    ):
        if columns:
            say(f"{one.origin}: {words}: {', '.join(columns)}")
    skipped = f", {one.skipped:,} are no records" if one.skipped else ""
    say(
        f"{one.origin}: {counted(one.rows, 'row')}: {one.accepted:,} would be accepted, "
        f"{one.quarantined:,} quarantined{skipped}"
    )
