"""``crmq audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_quality.audit import render_html, render_terminal
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import InputError


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("audit")(audit)


def audit(
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page here.")
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Scorecard of the store: by field, source and owner, with history."""
    opened = Project.open(project, wait=wait)
    card = opened.audit(as_of=None if as_of is None else as_of.date(), show_personal=show_personal)
    if html is not None:
        try:
            html.write_text(render_html(card), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html} cannot be written: {error.strerror or error}") from error
        say(f"wrote {html}")
    if output is Format.TABLE:
        render_terminal(card, console())
    else:
        print_object(card.to_dict(), output)
