"""``crmq audit`` and ``crmq audit rows``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.table import Table

from crm_quality.audit import Choice, Figure, figure_index, render_html, render_terminal
from crm_quality.cli.export import KINDS, check_kind, flat, write
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, print_frame, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import InputError, UsageError

_SHOWN = 50
_COLUMNS = 4
_IDS = ("entity_id", "record_id", "source", "source_key")
_BOOKKEEPING = {
    "accepted_no", "batch_id", "content_hash", "entity", "first_run", "message", "row_number",
    "rows", "rules_hash", "run_id", "status", "version", "version_id",
}  # fmt: skip


class RowsFormat(StrEnum):
    """How rows are listed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help=audit.__doc__, invoke_without_command=True)
    group.callback()(audit)
    group.command("rows")(rows)
    app.add_typer(group, name="audit")


def audit(
    context: typer.Context,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page here.")
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under", min=0, max=100, help="Exit 1 when an overall score is lower than this."
        ),
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate/--no-gate", help="Exit 1 when a target is missed.")
    ] = True,
    business: Annotated[
        bool,
        typer.Option("--business/--no-business", help="Tell of the business on the page, too."),
    ] = True,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Scorecard of the store: by field, source, owner and team, with history and targets."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    opened = Project.open(project, wait=wait)
    day = None if as_of is None else as_of.date()
    card = opened.audit(
        as_of=day,
        show_personal=show_personal,
        fail_under=fail_under,
    )
    if html is not None:
        page = render_html(card, opened.crm.business(as_of=day) if business else None)
        try:
            html.write_text(page, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html} cannot be written: {error.strerror or error}") from error
        say(f"wrote {html}")
    if output is Format.TABLE:
        render_terminal(card, console())
    else:
        print_object(card.to_dict(), output)
    if gate and not card.passed:
        missed = [target.figure for target in card.gates if not target.met]
        say(f"the gate failed: {', '.join(missed)} missed the target; see `crmq audit rows FIGURE`")
        raise typer.Exit(1)


def rows(
    figure: Annotated[
        str | None,
        typer.Argument(help="Name of a figure or code of a rule; without it all are listed."),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Of this source only.")] = None,
    keeper: Annotated[
        str | None,
        typer.Option("--keeper", help="Of records that this colleague looks after; '' = nobody."),
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", help="Of records that this team looks after.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Issues of rules that this owner answers for.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=f"Write all rows to this file instead: {' '.join(KINDS)}"),
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: Annotated[
        RowsFormat, typer.Option("--format", "-f", help="A table has the first 50; others all.")
    ] = RowsFormat.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """List the rows behind a figure of the scorecard; they are as many as the figure counts."""
    if out is not None:
        check_kind(out)
    opened = Project.open(project, wait=wait)
    day = None if as_of is None else as_of.date()
    if figure is None:
        card = opened.audit(as_of=day)
        _print_figures(list(figure_index(card).values()), output)
        return
    found = opened.audit_rows(
        figure,
        Choice(source=source, keeper=keeper, team=team, owner=owner),
        as_of=day,
        show_personal=show_personal,
        limit=_SHOWN if output is RowsFormat.TABLE and out is None else None,
    )
    if out is not None:
        write(found.rows, out)
        return
    _print(found.rows, output)
    more = found.total - found.rows.height
    say(
        f"{found.figure.figure}: {found.total:,} {found.figure.rows_are}"
        + (f"; the first {found.rows.height}, all with --format jsonl or --out FILE" * bool(more))
    )


def _print_figures(figures: list[Figure], output: RowsFormat) -> None:
    if output is not RowsFormat.TABLE:
        _print(pl.DataFrame([figure.to_dict() for figure in figures]), output)
        return
    table = Table("figure", box=None, pad_edge=False)
    table.add_column("is", justify="right")
    table.add_column("rows", justify="right")
    table.add_column("they are")
    for figure in figures:
        table.add_row(figure.figure, _said(figure), f"{figure.count:,}", figure.rows_are)
    console().print(table)


def _said(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    if figure.unit == "count":
        return f"{figure.value:,.0f}"
    return f"{figure.value:.1f}" + "%" * (figure.unit == "percent")


def _print(frame: pl.DataFrame, output: RowsFormat) -> None:
    if output is RowsFormat.CSV:
        sys.stdout.write(flat(frame).write_csv())
        return
    if output is RowsFormat.TABLE:
        frame = _narrow(frame)
    print_frame(frame, Format(output.value), most=max(frame.height, 1))


def _narrow(frame: pl.DataFrame) -> pl.DataFrame:
    """What a terminal has room for: who it is, and the best filled of the other columns."""
    left_out = {*_BOOKKEEPING, *(("field",) if "rule" in frame.columns else ())}
    others = [name for name in frame.columns if name not in {*_IDS, *left_out}]
    filled = sorted(others, key=lambda name: frame[name].null_count())[:_COLUMNS]
    return frame.select(
        name
        for name in (*_IDS, *others)
        if name in frame.columns
        and (name in _IDS or name in filled)
        and frame[name].null_count() < frame.height
    )


def _refuse_options(context: typer.Context) -> None:
    given = [
        name
        for name in context.params
        if context.get_parameter_source(name).name == "COMMANDLINE"  # type: ignore[union-attr]
    ]
    if given:
        raise UsageError(f"write --{given[0].replace('_', '-')} after 'rows', not before it")
