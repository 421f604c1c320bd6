"""``crmq explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from crm_quality.audit.waterfall import render_explanation
from crm_quality.cli.lookup import evidence_table
from crm_quality.cli.options import Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import as_table, console, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import InputError

Reference = Annotated[
    str,
    typer.Argument(
        help="A record by its number or as SOURCE:KEY, or a customer as entity:NUMBER.",
        show_default=False,
    ),
]
KindOption = Annotated[
    str | None,
    typer.Option("--entity", "-e", help="What they are, where a key stands for several."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("explain")(explain)


def explain(
    left: Reference,
    right: Reference,
    entity: KindOption = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page here.")
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Why two records were or were not joined."""
    found = Project.open(project, wait=wait).explain(left, right, entity=entity)
    told = found.to_dict(show_personal=show_personal)
    if html is not None:
        try:
            html.write_text(render_explanation(told), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html} cannot be written: {error.strerror or error}") from error
        say(f"wrote {html}")
    if output is Format.TABLE:
        print_explanation(told)
    else:
        print_object(told, output)


def print_explanation(told: dict[str, Any]) -> None:
    """An explanation as text."""
    screen = console()
    state = "One customer" if told["same_customer"] else "Two customers"
    screen.print(f"[bold]{state}[/]: {told['reason']['text']}.", soft_wrap=False)
    screen.print()
    heads = [f"record {one['record_id']}" for one in told["records"]]
    values = [
        ("customer", *(str(one["entity_id"]) for one in told["records"])),
        ("source", *(one["source"] for one in told["records"])),
        ("source_key", *(one["source_key"] for one in told["records"])),
        *((name, *map(_text, pair)) for name, pair in told["values"].items()),
        *([("works at", *map(_workplace, told["workplaces"]))] if any(told["workplaces"]) else []),
    ]
    screen.print(as_table(pl.DataFrame(values, schema=["field", *heads], orient="row")))
    screen.print()
    screen.print(evidence_table(told, title="Evidence, in bits"))
    shares = ", ".join(f"{name} {share:.4f}" for name, share in told["relations"].items())
    keys = ", ".join(dict.fromkeys(block["key"] for block in told["blocks"]))
    screen.print()
    screen.print(f"probabilities  {shares}")
    screen.print(f"Splink         {told['splink_weight']:+.2f} (two classes)")
    screen.print(f"blocking keys  {keys or 'none in common'}")
    if told["compared"]:
        kept = told["compared"]
        screen.print(
            f"compared       {kept['match_weight']:+.2f}, {kept['relation']}, run {kept['run_id']}"
        )
    others = [one["record_id"] for one in told["component"]["records"]]
    if told["component"]["step"] and len(others) > 2:  # noqa: PLR2004 - not the two alone
        screen.print(f"tied together  {', '.join(map(str, others))}")
    for one in told["decisions"]:
        reason = f": {one['reason']}" if one["reason"] else ""
        screen.print(
            f"decision {one['decision_id']:<6}{one['left']} {one['verdict']} {one['right']}, "
            f"{one['actor']}{reason}"
        )


def _workplace(known: dict[str, Any] | None) -> str:
    if known is None:
        return ""
    return f"company:{known['company_id']} {known['name'] or ''} (by {known['found_by']})"


def _text(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
