"""``crmq crm segment`` and ``audience``: who is in one, who came and went, whom to write to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.audit.masking import masked, masked_rows
from crm_quality.cli.bars import with_days
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import counted, print_frame, say
from crm_quality.crm.segments import WHYS
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from datetime import date, datetime

Name = Annotated[str, typer.Argument(help="A segment of rules/segments.")]


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    group.command("segment")(segment)
    group.command("audience")(audience)


def segment(
    name: Annotated[
        str | None, typer.Argument(help="A segment of rules/segments; without it they are listed.")
    ] = None,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="Keep who is in it now.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="The snapshots that were kept.")
    ] = False,
    changes: Annotated[
        bool, typer.Option("--changes", help="Who came and went between two snapshots, and why.")
    ] = False,
    since: Annotated[
        int | None, typer.Option("--since", help="The earlier snapshot; else the one before.")
    ] = None,
    until: Annotated[
        int | None, typer.Option("--until", help="The later snapshot; else the last.")
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Customers by a declared condition: members, snapshots, and why somebody came or went."""
    opened = Project.open(project, wait=wait)
    insight = opened.insight
    if sum((snapshot, history, changes)) > 1:
        raise UsageError("choose one of --snapshot, --history and --changes")
    if name is None:
        listed = [(s.segment, s.meaning, s.condition) for s in insight.rules.segments.values()]
        print_frame(
            pl.DataFrame(listed, schema=["segment", "meaning", "condition"], orient="row"), output
        )
    elif snapshot:
        taken = insight.snapshot(name, as_of=_day(as_of))
        print_frame(pl.DataFrame([vars(taken)]), output)
        say(f"who came and went: crmq crm segment {name} --changes")
    elif history:
        kept = insight.snapshots(name)
        print_frame(with_days(kept) if output is Format.TABLE else kept, output)
    elif changes:
        found = insight.segment_changes(name, since, until)
        words = found.with_columns(pl.col("why").replace_strict(WHYS, default=pl.col("why")))
        print_frame(words if output is Format.TABLE else found, output)
        say(counted(found.height, "change"))
    else:
        found = insight.segment(name, as_of=_day(as_of))
        if not show_personal:
            found = masked_rows(found, opened.rules, "contact")
        print_frame(found, output, most=20)
        say(counted(found.height, "customer"))


def audience(
    name: Name,
    channel: Annotated[
        str, typer.Option("--channel", help="email, phone, sms or whatsapp.")
    ] = "email",
    purpose: Annotated[
        str, typer.Option("--purpose", help="What consents were given for.")
    ] = "marketing",
    topic: Annotated[
        str | None, typer.Option("--topic", help="Leave out who does not want to hear of it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the addresses to this .csv file.")
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Whom of a segment a message may go to: only granted, no bounced address, none twice.

    A file written with --out holds personal values as they are.
    """
    opened = Project.open(project, wait=wait)
    found = opened.insight.audience(
        name, channel=channel, purpose=purpose, topic=topic, as_of=_day(as_of)
    )
    if out is not None:
        if out.suffix.lower() != ".csv":
            raise UsageError(f"{out}: the addresses are written as .csv")
        try:
            _harmless(found.people).write_csv(out)
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror or error}") from error
        say(f"{counted(found.people.height, 'address').replace('addresss', 'addresses')} in {out}")
    else:
        people = found.people
        if not show_personal:
            people = masked_rows(people, opened.rules, "contact").with_columns(
                pl.col("address").map_elements(
                    lambda text: masked(text, "email" if "@" in text else "phone"),
                    return_dtype=pl.String,
                ),
                pl.col("greeting").map_elements(
                    lambda text: masked(text, "text"), return_dtype=pl.String
                ),
            )
        if output is Format.TABLE:
            people = people.drop("salutation", "first_name", "last_name")
        print_frame(people, output, most=20)
    why = found.left_out.group_by("why").len().sort("len", "why", descending=[True, False])
    told = ", ".join(f"{many:,} {reason}" for reason, many in why.iter_rows())
    say(f"{found.people.height:,} may be sent to; left out: {told or 'nobody'}")


def _harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would take for a formula get an apostrophe before them."""
    texts = [n for n, kind in frame.schema.items() if kind == pl.String and n != "address"]
    return frame.with_columns(pl.col(n).str.replace(r"^([=+\-@\t\r])", "'${1}") for n in texts)


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()
