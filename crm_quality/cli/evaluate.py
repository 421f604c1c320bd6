"""``crmq evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.options import EntityOption, Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import as_table, console, print_object
from crm_quality.engine.project import Project


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("evaluate")(evaluate)


def evaluate(
    labels: Annotated[
        str, typer.Argument(help="File with source, source_key and who each record truly is.")
    ],
    entity: EntityOption = "contact",
    label: Annotated[
        str | None, typer.Option("--label", help="Column that says who a record is.")
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Measure what was joined against labelled records: precision, recall, F1, B-cubed."""
    scores = Project.open(project, wait=wait).evaluate(labels, entity=entity, label=label)
    if output is not Format.TABLE:
        print_object({"schema_version": 1, **scores}, output)
        return
    rows = [
        (name, *(f"{scores[prefix + part]:.4f}" for part in ("precision", "recall", "f1")))
        for name, prefix in (("pairs", ""), ("B-cubed", "bcubed_"), ("whole clusters", "cluster_"))
    ]
    columns = ["counted by", "precision", "recall", "F1"]
    table = as_table(pl.DataFrame(rows, schema=columns, orient="row"))
    for column in table.columns[1:]:
        column.justify = "right"
    console().print(table)
    console().print(
        "{records:,.0f} labelled records: {entities:,.0f} customers in truth, "
        "{clusters:,.0f} found; the largest has {largest_entity:.0f} records, the largest found "
        "{largest_cluster:.0f}".format(**scores)
    )
    if scores["unknown_records"]:
        console().print(
            f"{scores['unknown_records']:,.0f} labelled records are not among the accepted ones"
        )
