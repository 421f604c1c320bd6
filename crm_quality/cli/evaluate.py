"""``crmq evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.export import KINDS, write
from crm_quality.cli.options import (
    EntityOption,
    Format,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
    Wait,
)
from crm_quality.cli.output import as_table, console, print_object, say
from crm_quality.cli.review import print_estimate
from crm_quality.engine.evaluation import Evaluation
from crm_quality.engine.project import Project
from crm_quality.engine.side_by_side import masked_pairs
from crm_quality.errors import InputError, UsageError

#: Every so many bits a line of the curve is shown on the terminal.
_STEP = 4


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("evaluate")(evaluate)


def evaluate(
    labels: Annotated[
        str | None,
        typer.Argument(
            help="File of records with source, source_key and who each truly is; or of pairs with "
            "record_id_l, record_id_r and a label. Without it: the steward's newest sample."
        ),
    ] = None,
    entity: EntityOption = "contact",
    label: Annotated[
        str | None, typer.Option("--label", help="Column that says who a record is.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", help="The estimate of this sample of review sample.")
    ] = None,
    wrong: Annotated[
        Path | None, typer.Option("--wrong", help="Write the pairs that it got wrong here.")
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Measure what was joined against labels: precision, recall, F1, B-cubed, by threshold."""
    opened = Project.open(project, wait=wait)
    if labels is None:
        if wrong is not None:
            raise UsageError("--wrong needs labelled records or pairs; name their file")
        print_estimate(opened.review.estimate(entity=entity, sample_id=sample), output)
        return
    if wrong is not None and wrong.suffix.lower() not in KINDS:
        raise UsageError(f"{wrong} ends in none of {', '.join(KINDS)}; name the kind of file so")
    told = opened.evaluation(labels, entity=entity, label=label)
    if output is Format.TABLE:
        _print(told)
    else:
        curve = told.curve.to_dicts()
        print_object(
            {"schema_version": 1, "kind": told.kind, **told.scores, "curve": curve}, output
        )
    if wrong is not None:
        shown = told.wrong if show_personal else masked_pairs(told.wrong, opened.rules, entity)
        try:
            write(shown, wrong)
        except OSError as error:
            raise InputError(f"{wrong} cannot be written: {error.strerror or error}") from error
        say(f"wrote {shown.height:,} pairs to {wrong}; see crmq explain A B for each")


def _print(told: Evaluation) -> None:
    scores = told.scores
    if told.kind == "records":
        _print_records(scores)
    else:
        _print_pairs(scores)
    rows = told.curve.filter(pl.col("weight") % _STEP == 0).select(
        pl.col("weight").map_elements(lambda bits: f"{bits:+d}", pl.String),
        *(
            pl.col(name).map_elements(lambda share: f"{share:.4f}", pl.String)
            for name in ("precision", "recall", "f1")
        ),
        "pairs",
    )
    table = as_table(rows, title="If each pair from a weight on were joined, and nothing else")
    for column in table.columns:
        column.justify = "right"
    console().print()
    console().print(table)


def _print_records(scores: dict[str, float]) -> None:
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


def _print_pairs(scores: dict[str, float]) -> None:
    rows = [
        (name, *(f"{scores[name + part]:.4f}" for part in ("", "_low", "_high")))
        for name in ("precision", "recall")
    ]
    columns = ["of the labelled pairs", "is", "95 % from", "to"]
    table = as_table(pl.DataFrame(rows, schema=columns, orient="row"))
    for column in table.columns[1:]:
        column.justify = "right"
    console().print(table)
    console().print(
        "{pairs:,.0f} labelled pairs, {same:,.0f} of them the same; F1 {f1:.4f}".format(**scores)
    )
    if scores["unknown_pairs"]:
        console().print(
            f"{scores['unknown_pairs']:,.0f} labelled pairs are not of accepted records"
        )
