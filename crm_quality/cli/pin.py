"""``crmq pin``, ``crmq unpin`` and ``crmq pins``: values that stewards put in golden records."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from crm_quality.audit.masking import mask_of, masked_cells
from crm_quality.cli.lookup import parsed
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import as_table, console, counted, print_frame, print_object, say
from crm_quality.engine.project import Project

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.engine.overrides import Pinned

Customer = Annotated[
    str,
    typer.Argument(help="A customer: entity:12, or any of its records (12, or crm:0031)."),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the pin.")]
ExpectVersion = Annotated[
    int | None,
    typer.Option("--expect-version", help="Refuse if the golden record has another by now."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would change.")]
OfEntity = Annotated[str | None, typer.Option("--entity", "-e", help="Of this entity only.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("pin")(pin)
    app.command("unpin")(unpin)
    app.command("pins")(pins)


def pin(
    customer: Customer,
    values: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE...", help="FIELD= makes it empty.")
    ],
    reason: Reason = "",
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which it holds."),
    ] = None,
    expect_version: ExpectVersion = None,
    dry_run: DryRun = False,
    entity: OfEntity = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Put values in a golden record that beat what its records say, whatever arrives."""
    opened = Project.open(project, wait=wait)
    done = opened.overrides.pin(
        customer,
        dict(parsed(values)),
        reason=reason,
        until=_day(until),
        expect_version=expect_version,
        dry_run=dry_run,
        entity=entity,
        as_of=_day(as_of),
    )
    _tell(done, opened.rules, output, dry_run=dry_run, show_personal=show_personal)


def unpin(
    customer: Customer,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD]...", help="Without any, all its pins.")
    ] = None,
    reason: Reason = "",
    expect_version: ExpectVersion = None,
    dry_run: DryRun = False,
    entity: OfEntity = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Withdraw pins; what the customer's records say counts again."""
    opened = Project.open(project, wait=wait)
    done = opened.overrides.unpin(
        customer,
        fields or (),
        reason=reason,
        expect_version=expect_version,
        dry_run=dry_run,
        entity=entity,
        as_of=_day(as_of),
    )
    _tell(done, opened.rules, output, dry_run=dry_run, show_personal=show_personal)


def pins(
    everything: Annotated[bool, typer.Option("--all", help="Withdrawn ones, too.")] = False,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Pins: which values, of whom, by whom, why, until when, and whether they are in force."""
    opened = Project.open(project, wait=wait)
    found = opened.overrides.pins(everything=everything, as_of=_day(as_of))
    shown = found if show_personal else masked_cells(found, opened.rules, "value")
    if output is not Format.TABLE:
        print_frame(shown, output)
        return
    if found.is_empty():
        say("nothing is pinned")
        return
    empty = pl.col("value").fill_null("(empty)")
    print_frame(
        shown.select(
            pl.col("override_id").cast(pl.String).alias("pin"),
            pl.concat_str("entity", pl.lit(" "), "entity_id").alias("customer"),
            "field",
            empty,
            "state",
            pl.col("expires_on").alias("until"),
            "actor",
            "reason",
        ),
        output,
    )


def _tell(
    done: Pinned, rules: RuleSet, output: Format, *, dry_run: bool, show_personal: bool
) -> None:
    told = _told(done, rules, dry_run=dry_run, show_personal=show_personal)
    if output is not Format.TABLE:
        print_object(told, output)
        return
    for hint in done.hints:
        say(f"note: {hint}")
    if told["changes"]:
        rows = [
            {"field": name, "before": _shown(one["before"]), "after": _shown(one["after"])}
            for name, one in told["changes"].items()
        ]
        console().print(as_table(pl.DataFrame(rows)))
    else:
        say("no golden value changes")
    if dry_run:
        say("nothing was written")
    elif done.summary is None:
        say("it was pinned so before; nothing was written")
    else:
        what = [
            f"{counted(len(done.made), 'value')} pinned" if done.made else "",
            f"{counted(len(done.withdrawn), 'pin')} withdrawn" if done.withdrawn else "",
        ]
        version = done.after.get("version")
        say(f"run {done.summary.run_id}: {', '.join(filter(None, what))}; "
            f"{done.entity} {done.entity_id} is at version {version}")  # fmt: skip


def _told(done: Pinned, rules: RuleSet, *, dry_run: bool, show_personal: bool) -> dict[str, Any]:
    """What happened as plain data, personal values masked unless asked for."""

    def safe(name: str, value: Any) -> Any:  # noqa: ANN401 - a cell
        if value is None or show_personal:
            return value
        mask = mask_of(rules, done.entity, name)
        return [mask(str(one)) for one in value] if isinstance(value, list) else mask(str(value))

    return {
        "schema_version": 1,
        "entity": done.entity,
        "entity_id": done.entity_id,
        "dry_run": dry_run,
        "pins": list(done.made),
        "withdrawn": list(done.withdrawn),
        "version": {"before": done.before.get("version"), "after": done.after.get("version")},
        "changes": {
            name: {"before": safe(name, before), "after": safe(name, after)}
            for name, (before, after) in done.changes.items()
            if name not in {"records", "sources"}
        },
        "hints": list(done.hints),
        "run_id": None if done.summary is None else done.summary.run_id,
    }


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell
    if value is None:
        return "(empty)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
