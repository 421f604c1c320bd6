"""``crmq train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.cli.options import EntityOption, Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import as_table, console, print_object, progress, say
from crm_quality.engine.project import Project
from crm_quality.engine.train import Training


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("train")(train)


def train(
    entity: EntityOption = "contact",
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Put the new model in use and match everything under it."),
    ] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Learn a new match model from the store, and say what it would change; writes with --apply."""
    with progress() as listener:
        told = Project.open(project, wait=wait).train(
            entity, apply=apply, command="crmq train", progress=listener
        )
    if output is not Format.TABLE:
        print_object(told.to_dict(), output)
        return
    _print(told)
    if told.outcome is not None:
        say(f"the new model is in use since run {told.outcome.summary.run_id}")
    elif told.origin == "trained":
        say("nothing was written; crmq train --apply puts the new model in use")
    else:
        say(f"nothing would be kept: {told.why}")


def _print(told: Training) -> None:
    before = "none" if told.before is None else f"learnt from {told.before:,} records"
    rows = [
        ("model in use", before),
        ("new model", told.why),
        ("customers now", f"{told.customers:,}"),
        ("customers then", f"{told.customers_after:,}"),
        ("  unchanged", f"{told.kept:,}"),
        ("  merged into others", f"{told.merged_away:,}"),
        ("  split off", f"{told.split_off:,}"),
    ]
    rows += [
        (f"pairs that are {name.replace('_', ' ')}", f"{pairs:,.0f}")
        for name, pairs in told.relations.items()
        if name != "unrelated"
    ]
    console().print(as_table(pl.DataFrame(rows, schema=["what", told.entity], orient="row")))
    if not told.labels:
        console().print("No pair has been decided, so there was nothing to learn from labels.")
        return
    labels = told.labels
    verdict = (
        "the new model has learnt from them"
        if labels["used"]
        else "that is no better, so the new model has not learnt from them"
    )
    console().print(
        f"{labels['pairs']:,.0f} labelled pairs ({labels['same']:,.0f} the same), judged by models "
        f"that had not seen them: {labels['wrong_without']:.0f} wrong without labels, "
        f"{labels['wrong_with']:.0f} with; {labels['surprise_without']:.3f} bits of surprise a "
        f"pair without, {labels['surprise_with']:.3f} with; {verdict}."
    )
