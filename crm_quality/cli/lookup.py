"""``crmq lookup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from crm_quality.cli.options import (
    EntityOption,
    Format,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
    Wait,
)
from crm_quality.cli.output import as_table, console, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("lookup")(lookup)


def lookup(
    values: Annotated[
        list[str], typer.Argument(help="What is known, as FIELD=VALUE: first_name=Ann email=…")
    ],
    entity: EntityOption = "contact",
    top: Annotated[int, typer.Option("--top", min=1, help="So many candidates at most.")] = 5,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Who is this half-typed record? Candidates with probability and evidence."""
    asked = parsed(values)
    with Project.open(project, wait=wait).matcher(entity, near=asked) as matcher:
        found = matcher.lookup(asked, top=top).to_dict(show_personal=show_personal)
    for note in found["notes"]:
        say(note)
    if output is Format.JSON:
        print_object(found, output)
    elif output is Format.JSONL:
        for candidate in found["candidates"]:
            print_object(candidate, output)
    elif found["candidates"]:
        _print(found["candidates"])
    if not found["candidates"]:
        say(f"nobody: no {entity} shares anything telling with this")


def parsed(values: list[str]) -> dict[str, str]:
    """``field=value`` arguments as a mapping.

    Raises:
        UsageError: One has no ``=``, or a field is named twice.
    """
    asked: dict[str, str] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is no FIELD=VALUE; write for instance last_name={text}")
        if name.strip() in asked:
            raise UsageError(f"{name.strip()} is there twice")
        asked[name.strip()] = value
    return asked


def _print(candidates: list[dict[str, Any]]) -> None:
    rows = {
        "entity_id": [one["entity_id"] for one in candidates],
        "probability": [f"{one['match_probability']:.4f}" for one in candidates],
        "weight": [f"{one['match_weight']:+.1f}" for one in candidates],
        "relation": [one["relation"] for one in candidates],
        "records": [one["records"] for one in candidates],
        "name": [name_of(one["golden"]) for one in candidates],
        "e-mail": [one["golden"].get("email") for one in candidates],
    }
    console().print(as_table(pl.DataFrame(rows)))
    best = candidates[0]
    console().print()
    title = f"Evidence for {best['entity_id']} ({best['source']}:{best['source_key']}), in bits"
    console().print(evidence_table(best, title=title))


def name_of(golden: dict[str, Any]) -> str:
    """Whose golden record it is, in a few words."""
    told = [golden.get(name) for name in ("first_name", "last_name", "name", "company_name")]
    return " ".join(str(part) for part in told if part)


def evidence_table(told: dict[str, Any], *, title: str = "") -> Table:
    """The parts of a weight, one to a line, and their sum."""
    heard = [part for part in told["evidence"] if part["agrees"] is not None]
    lines = [
        ("before anything is compared", f"same or {told['against']}?", told["prior"]),
        *((part["comparison"], part["level"], part["weight"]) for part in heard),
        ("other relations", "", told["remainder"]),
        ("together", told["relation"], told["match_weight"]),
    ]
    columns = ["comparison", "level", "bits"]
    made = [(name, level, f"{bits:+.2f}") for name, level, bits in lines]
    table = as_table(pl.DataFrame(made, schema=columns, orient="row"), title=title)
    table.columns[2].justify = "right"
    return table
