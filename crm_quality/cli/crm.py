"""``crmq crm``: the CRM model as a business works with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.audit.masking import masked_rows
from crm_quality.cli import crm_insight, crm_segment, crm_work
from crm_quality.cli.crm_tables import (
    COLUMNS,
    day,
    in_hours,
    print_report,
    what_is_told,
    with_bar,
    write_text,
)
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, counted, print_frame, print_object, say
from crm_quality.engine.project import Project

group = typer.Typer(
    help="The CRM on top of the customers: pipeline, tickets, tasks, campaigns, leads.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add this module's commands, and those of other modules that belong to the group."""
    for module in (crm_work, crm_insight, crm_segment):
        module.register(group)
    app.add_typer(group, name="crm")


@group.command("pipeline")
def pipeline(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help="stage, owner, month (of closing), deal, conversion (time in stage and what "
            "became of deals), move (from stage to stage), history (each stay) or double (pairs "
            "that look like one deal).",
        ),
    ] = "stage",
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Deals: where they stand and what they are worth; currencies are never added up."""
    opened = Project.open(project, wait=wait)
    found = opened.crm.pipeline(by, as_of=day(as_of))
    if by in {"deal", "double"} and not show_personal:
        found = masked_rows(found, opened.rules, "deal")
        if "other_name" in found.columns:
            others = found.select(name="other_name")
            other = masked_rows(others, opened.rules, "deal")["name"].alias("other_name")
            found = found.with_columns(other)
    if by == "stage":
        # years of closed deals would make the bars of open ones invisible
        found = with_bar(found, "amount", output, "currency", pl.col("outcome") == "open")
    elif by in {"owner", "month"}:
        found = with_bar(found, "open_amount", output, "currency")
    elif by == "conversion":
        found = with_bar(found, "conversion", output)
    print_report(found, output, "no deals", COLUMNS.get(by))


@group.command("forecast")
def forecast(
    past: Annotated[
        bool,
        typer.Option("--past", help="The forecasts of the last twelve months beside what came."),
    ] = False,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """What open deals will bring by stage, by history and plainly, and how far off each was."""
    crm = Project.open(project, wait=wait).crm
    told = crm.forecast_past(as_of=day(as_of)) if past else crm.forecast(as_of=day(as_of))
    if output is Format.JSONL:
        print_frame(told, output)
        return
    error = crm.forecast_error(as_of=day(as_of))
    if output is Format.JSON:
        print_object({("past" if past else "forecast"): told.to_dicts(), "error": error.to_dicts()},
                     output)  # fmt: skip
        return
    shown = with_bar(told, "won" if past else "stage", output, "currency")
    print_report(shown, output, "nothing to forecast: no deal is open, and none was won of late")
    if error.height:
        console().print()
        print_frame(error.drop("says"), output, title="off by, per month on average")
        for sentence in error["says"]:
            console().print(sentence)


@group.command("tickets")
def tickets(
    by: Annotated[
        str, typer.Option("--by", help="priority, customer (open tickets of each) or ticket.")
    ] = "priority",
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Tickets: how long customers wait, in working hours as crmq.yml declares them."""
    opened = Project.open(project, wait=wait)
    found = opened.crm.tickets(by, as_of=day(as_of))
    if by == "ticket" and not show_personal:
        found = masked_rows(found, opened.rules, "ticket")
    if output is Format.TABLE and by == "ticket":
        found = in_hours(found)
    elif output is Format.TABLE and by == "priority":
        found = what_is_told(found)
    elif by == "customer":
        found = with_bar(found, "tickets", output)
    print_report(found, output, "no tickets", COLUMNS.get(by))


@group.command("tasks")
def tasks(
    by: Annotated[str, typer.Option("--by", help="task or owner.")] = "task",
    owner: Annotated[str | None, typer.Option("--owner", help="Only this person's.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only late ones.")] = False,
    ics: Annotated[
        Path | None,
        typer.Option("--ics", help="Write them to this file for a calendar; subjects are shown."),
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Open tasks; a task is late when it is late where its owner is."""
    opened = Project.open(project, wait=wait)
    if ics is not None:
        text = opened.crm.calendar(owner=owner, overdue=overdue, as_of=day(as_of))
        write_text(ics, text)
        say(f"wrote {counted(text.count('BEGIN:VTODO'), 'task')} to {ics}")
        return
    found = opened.crm.tasks(by, owner=owner, overdue=overdue, as_of=day(as_of))
    if not show_personal and by == "task":
        found = masked_rows(found, opened.rules, "task")
    if by == "owner":
        found = with_bar(found, "overdue", output)
    print_report(found, output, "no open tasks", COLUMNS.get(by))


@group.command("campaign")
def campaign(
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Campaigns: people reached and responding, cost, and revenue of those who responded."""
    found = Project.open(project, wait=wait).crm.campaigns(as_of=day(as_of))
    shown = with_bar(found, "response_rate", output)
    print_report(shown, output, "no campaigns", COLUMNS["campaign"])


@group.command("renewals")
def renewals(
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Contracts to be renewed within 90 days, and active ones whose renewal has passed."""
    found = Project.open(project, wait=wait).crm.renewals(as_of=day(as_of))
    print_report(found, output, "nothing is to be renewed within 90 days", COLUMNS["renewal"])
    if late := found.filter("is_overdue").height:
        say(f"{late:,} of them are past their renewal and still count as active")


@group.command("leads")
def leads(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help="stage, customer, role (what each is to us), history (every step), fault (steps "
            "that the rules do not allow), handover, or reason (why leads were returned).",
        ),
    ] = "stage",
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Contacts on their way to being customers: where they stand and how they came there."""
    found = Project.open(project, wait=wait).crm.leads(by, as_of=day(as_of))
    if by in {"stage", "reason"}:
        found = with_bar(found, "customers" if by == "stage" else "returned", output)
    columns = COLUMNS["step"] if by in {"history", "fault"} else COLUMNS.get(by)
    print_report(found, output, "nothing of that kind", columns if by != "customer" else None)


@group.command("attention")
def attention(
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help="no_next_step, stale, slow_deal, past_close, double_deal, renewal_passed, "
            "owner_inactive, owner_unknown or unknown_caller.",
        ),
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """What somebody should look at: deals without a next step, stale records, passed renewals."""
    found = Project.open(project, wait=wait).crm.attention(kind, as_of=day(as_of))
    print_report(found, output, "nothing of that kind")
