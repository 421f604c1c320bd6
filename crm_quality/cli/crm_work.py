"""``crmq crm lead`` and ``crmq crm workflows``: what is done in the CRM itself."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.audit.masking import masked
from crm_quality.cli.crm_tables import day, print_report
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import counted, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError

Contact = Annotated[
    str, typer.Argument(help="A contact: one of its records, by number or SOURCE:KEY.")
]
Handover = Annotated[int, typer.Argument(help="Number, see crmq crm leads --by handover.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the step.")]

lead = typer.Typer(
    help="Act on a lead: a step in its life, a deal, the handover to sales.", no_args_is_help=True
)


def register(group: typer.Typer) -> None:
    """Add this module's commands to ``crmq crm``."""
    group.add_typer(lead, name="lead")
    group.command("workflows")(workflows)
    group.command("notifications")(notifications)


@lead.command("move")
def move(
    contact: Contact,
    stage: Annotated[str, typer.Argument(help="Where it goes: lead, mql, sql, customer …")],
    reason: Reason = "",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Move a contact to another stage of its life, where rules/lifecycles allows it."""
    step = Project.open(project, wait=wait).crm.move(contact, stage, reason=reason)
    if output is not Format.TABLE:
        print_object({"contact_id": step.contact_id, "from_stage": step.from_stage,
                      "to_stage": step.to_stage}, output)  # fmt: skip
    say(f"contact {step.contact_id}: {step.from_stage or 'no stage'} → {step.to_stage}")


@lead.command("convert")
def convert(
    contact: Contact,
    name: Annotated[
        str | None, typer.Argument(help="What its deal is called; without it no deal is opened.")
    ] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="What it would bring.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of the amount: EUR.")] = None,
    stage: Annotated[str, typer.Option("--stage", help="Where the deal begins.")] = "qualification",
    company: Annotated[
        str | None,
        typer.Option("--company", help="A company, as SOURCE:KEY; else as the contact says."),
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Make a lead an opportunity at its company, and open a deal; what is there is left alone."""
    done = Project.open(project, wait=wait).crm.convert(
        contact, name, amount=_money(amount), currency=currency, stage=stage, company=company
    )
    if output is not Format.TABLE:
        print_object(asdict(done), output)
    if done.company_is_new:
        say(f"company {done.company_id} was made of what contact {done.contact_id} says")
    if not done.is_new:
        told = "" if done.deal_id is None else f": deal {done.deal_id}"
        say(f"contact {done.contact_id} was converted before{told}")
    elif done.deal_id is not None:
        say(f"contact {done.contact_id} has deal {done.deal_id} now")
    else:
        say(f"contact {done.contact_id} is an opportunity now; no deal was asked for")


@lead.command("hand-over")
def hand_over(
    contact: Contact,
    to: Annotated[str, typer.Argument(help="Who gets it.")],
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Give a lead to somebody in sales, who accepts or returns it."""
    number = Project.open(project, wait=wait).crm.hand_over(contact, to)
    if output is not Format.TABLE:
        print_object({"handover_id": number}, output)
    say(
        f"handover {number}; answer with: crmq crm lead accept {number}, or return {number} -r TEXT"
    )


@lead.command("accept")
def accept(handover: Handover, project: ProjectDir = Path(), wait: Wait = 0.0) -> None:
    """Take a lead that was handed over."""
    Project.open(project, wait=wait).crm.answer(handover, "accepted")
    say(f"handover {handover} is accepted")


@lead.command("return")
def give_back(
    handover: Handover, reason: Reason = "", project: ProjectDir = Path(), wait: Wait = 0.0
) -> None:
    """Return a lead with a reason; `crmq crm leads --by reason` counts them."""
    Project.open(project, wait=wait).crm.answer(handover, "returned", reason=reason)
    say(f"handover {handover} is returned")


def workflows(
    name: Annotated[str | None, typer.Argument(help="Only this one; else all.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else it is only shown.")] = False,
    skip: Annotated[
        bool,
        typer.Option("--skip", help="Note it as seen and do nothing, as when a workflow is new."),
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="What was done so far, instead.")] = False,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """What the workflows of rules/workflows have to do; each event is answered once."""
    crm = Project.open(project, wait=wait).crm
    if log:
        found = crm.workflow_log()
    else:
        found = crm.workflows(name, apply=apply, skip=skip, as_of=day(as_of))
    found = _masked(found, "value", show_personal=show_personal)
    columns = ["workflow", "entity", "record_id", "event", "kind", "name", "value"]
    print_report(found, output, "nothing to do" if not log else "nothing was done yet", columns)
    if log or found.is_empty():
        return
    events = counted(found.select("workflow", "record_id", "event").n_unique(), "event")
    if apply:
        say(f"{counted(found.height, 'action')} done for {events}")
    elif skip:
        say(f"{events} noted as seen; nothing was done")
    else:
        say(f"{counted(found.height, 'action')} to do for {events}; do it with --apply")


def notifications(
    send: Annotated[
        Path | None,
        typer.Option(
            "--send", help="Add what waits to this file as JSON lines, and note it as sent: once."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What was sent, too.")] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """What workflows tell people: listed, or handed over to whatever sends it."""
    crm = Project.open(project, wait=wait).crm
    if send is not None:
        say(f"{counted(crm.send_notifications(send), 'notification')} added to {send}")
        return
    found = _masked(crm.notifications(everything=everything), "text", show_personal=show_personal)
    columns = ["notification_id", "workflow", "recipient", "text", "noted_at", "sent_at"]
    print_report(found, output, "nothing waits to be sent", columns)
    if waiting := found["sent_at"].null_count():
        say(f"{counted(waiting, 'notification')} to be sent; hand over with --send FILE")


def _masked(found: pl.DataFrame, column: str, *, show_personal: bool) -> pl.DataFrame:
    """Subjects and texts may name people by {first_name}."""
    if show_personal or found.is_empty():
        return found
    return found.with_columns(
        found[column].map_elements(
            lambda text: masked(text, "text"), return_dtype=found.schema[column]
        )
    )


def _money(amount: str | None) -> Decimal | None:
    if amount is None:
        return None
    try:
        return Decimal(amount)
    except InvalidOperation as error:
        raise UsageError(f"{amount!r} is no amount; write it like 1200.50") from error
