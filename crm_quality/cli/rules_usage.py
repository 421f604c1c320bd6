"""``crmq rules usage``: what of the definitions is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.options import Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import console, print_frame, print_object, say
from crm_quality.engine.project import Project


def usage(
    everything: Annotated[
        bool,
        typer.Option("--all", help="In the table also what is used, and rules that types bring."),
    ] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Tell which fields, accepted values and rules do nothing in the store.

    Told are how often each field is filled and with how many distinct values, which accepted values
    no record has, which rules never spoke of a record or never found anything, and which columns
    of files no field takes.
    """
    found = Project.open(project, wait=wait).rulebook.usage()
    frames = {
        "field": found.fields,
        "value": found.values,
        "rule": found.rules,
        "column": found.columns,
    }
    if output is Format.JSON:
        rows = {f"{kind}s": frame.to_dicts() for kind, frame in frames.items()}
        print_object({"schema_version": 1, **rows}, output)
        return
    if output is Format.JSONL:
        for kind, frame in frames.items():
            for row in frame.iter_rows(named=True):
                print_object({"kind": kind, **row}, output)
        return
    if found.fields.is_empty():
        console().print("The store has no records, so nothing is used yet.")
        return
    _print_tables(frames, everything=everything)


def _print_tables(frames: dict[str, pl.DataFrame], *, everything: bool) -> None:
    rate = (pl.col("fill_rate") * 100).round(1).cast(pl.String) + "%"
    fields = frames["field"].with_columns(rate.alias("fill_rate")).drop("owner")
    rules = frames["rule"]
    if not everything:
        rules = rules.filter("declared")
    rules = rules.drop("owner", "in_force", "declared")
    tables = [
        ("Fields", fields, pl.col("use") != "used", "have no value, or one and the same"),
        (
            "Accepted values",
            frames["value"].drop("label"),
            pl.col("use") == "unused",
            "are in no record",
        ),
        ("Rules", rules, pl.col("use") != "fires", "have found nothing"),
    ]
    for title, frame, idle, words in tables:
        shown = frame if everything else frame.filter(idle)
        if shown.height:
            print_frame(shown, Format.TABLE, title=title, most=shown.height)
            console().print()
        say(f"{title}: {frame.filter(idle).height} of {frame.height} {words}")
    columns = frames["column"]
    if columns.height:
        print_frame(columns, Format.TABLE, title="Columns that no field takes", most=30)
