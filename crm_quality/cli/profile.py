"""``crmq profile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_quality.audit.file_profile import profile_table
from crm_quality.audit.profile_html import render_profile_html
from crm_quality.audit.profile_terminal import render_profile
from crm_quality.cli.options import (
    AsOf,
    DelimiterOption,
    EncodingOption,
    Format,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
)
from crm_quality.cli.output import console, print_frame, print_object, say
from crm_quality.definitions import default_rules
from crm_quality.engine.config import CONFIG_FILE
from crm_quality.engine.profiling import suggest as suggest_rules
from crm_quality.engine.profiling import write_definitions
from crm_quality.engine.project import Project
from crm_quality.errors import InputError
from crm_quality.intake import read


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("profile")(profile)


def profile(
    file: Annotated[
        str,
        typer.Argument(help="A .csv .tsv .parquet .xlsx .json .jsonl, or - for standard input."),
    ],
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="What a row is, where no header tells.")
    ] = None,
    suggest: Annotated[
        Path | None,
        typer.Option("--suggest", help="Write a first definition, with rules, into this folder."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the suggested entity.")
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(
            "--confidence", min=0.5, max=0.9999, help="Of the intervals that limits come from."
        ),
    ] = 0.95,
    next_rows: Annotated[
        int | None,
        typer.Option("--next-rows", min=1, help="Rows of the files to come; else as many as here."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page here.")
    ] = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
) -> None:
    """Show what is in a file: types, fill, values, keys, probable fields; suggest rules."""
    in_project = (project / CONFIG_FILE).exists()
    rules = Project.open(project).rules if in_project else default_rules()
    table = read(file, encoding=encoding, delimiter=delimiter)
    found = profile_table(table, rules, entity=entity)
    for note in found.notes:
        say(f"{found.name}: {note}")
    shown = found if show_personal else found.masked(rules)
    if output is Format.TABLE:
        render_profile(shown, console())
    elif output is Format.JSON:
        print_object(shown.to_dict(), output)
    else:
        print_frame(shown.seen.columns.join(shown.mapping, on="column", how="left"), output)
    if html is not None:
        try:
            html.write_text(render_profile_html(shown), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html} cannot be written: {error.strerror or error}") from error
        say(f"wrote {html}")
    if suggest is not None:
        files = suggest_rules(
            table,
            found,
            rules,
            name=name,
            as_of=None if as_of is None else as_of.date(),
            confidence=confidence,
            coming=next_rows,
        )
        for path in write_definitions(files, suggest):
            say(f"wrote {path}")
