"""``crmq enrich``: what others say of customers, as proposals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer
from typer.core import TyperGroup

from crm_quality.audit.masking import masked_cells
from crm_quality.cli.options import (
    AsOf,
    EntityOption,
    Format,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
    Wait,
)
from crm_quality.cli.output import as_table, console, counted, print_frame, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from crm_quality.engine.enrichment import Decided

_MOST_TOLD = 20


class _FileFirst(TyperGroup):
    """``crmq enrich FILE`` stands for ``crmq enrich read FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's context
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["read", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(
    cls=_FileFirst,
    help="What others say of customers: read a FILE, then accept or reject what it proposes.",
    no_args_is_help=True,
)

Ids = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Proposals, see crmq enrich list.")
]
Everything = Annotated[bool, typer.Option("--all", help="All that are open.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the decision.")]
OfField = Annotated[str | None, typer.Option("--field", help="Of this field only.")]
OfSource = Annotated[str | None, typer.Option("--source", "-s", help="Of this source only.")]
OfEntity = Annotated[str | None, typer.Option("--entity", "-e", help="Of this entity only.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(group, name="enrich")


@group.command("read")
def read_file(
    file: Annotated[str, typer.Argument(help="Rows that name a customer: .csv .xlsx .json …")],
    source: Annotated[
        str | None, typer.Option("--source", "-s", help="Who says so; else the file's name.")
    ] = None,
    entity: EntityOption = "contact",
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Read a file whose rows name customers; what is new in it becomes proposals."""
    opened = Project.open(project, wait=wait)
    done = opened.enrichment.propose(
        file, source=source, entity=entity, as_of=None if as_of is None else as_of.date()
    )
    for note in done.notes:
        say(note)
    lines = done.lines.with_columns(pl.lit(entity).alias("entity"))
    if not show_personal:
        lines = masked_cells(lines, opened.rules, "given", "value", "old_value")
    left = lines.filter(~pl.col("outcome").is_in(["proposed", "known"]))
    if output is Format.TABLE:
        if left.height:
            shown = left.head(_MOST_TOLD).select(
                pl.col("row_number").cast(pl.String).alias("row"),
                pl.col("entity_id").cast(pl.String).alias("customer"),
                "field",
                "given",
                "outcome",
                "reason",
            )
            console().print(as_table(shown))
        if left.height > _MOST_TOLD:
            say(f"… and {left.height - _MOST_TOLD:,} more; use --format jsonl for all of them")
    elif output is Format.JSON:
        told = {
            "schema_version": 1,
            "rows": done.rows,
            "counts": done.counts,
            "proposals": list(done.proposal_ids),
            "lines": lines.to_dicts(),
        }
        print_object(told, output)
    else:
        print_frame(lines, output)
    counts = ", ".join(f"{count:,} {what}" for what, count in done.counts.items())
    say(f"{counted(done.rows, 'row')}: {counts or 'nothing in them'}")
    if done.proposal_ids:
        say("see crmq enrich list; decide with crmq enrich accept or reject")


@group.command("list")
def list_proposals(
    status: Annotated[
        str, typer.Option("--status", help="open, accepted, rejected, superseded or all.")
    ] = "open",
    field: OfField = None,
    source: OfSource = None,
    entity: OfEntity = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Proposals and what became of them."""
    opened = Project.open(project, wait=wait)
    found = opened.enrichment.proposals(
        None if status == "all" else status, field=field, source=source, entity=entity
    )
    if not show_personal:
        found = masked_cells(found, opened.rules, "old_value", "new_value")
    if output is not Format.TABLE:
        print_frame(found, output)
    elif found.is_empty():
        say("no such proposal")
    else:
        shown = found.select(
            pl.col("proposal_id").cast(pl.String).alias("id"),
            pl.concat_str("entity", pl.lit(" "), "entity_id").alias("customer"),
            "field",
            pl.col("old_value").fill_null("(empty)").alias("golden value"),
            pl.col("new_value").alias("proposed"),
            "source",
            pl.col("updated_at").dt.date().alias("as of"),
            "status",
        )
        print_frame(shown, output)


@group.command("accept")
def accept(
    ids: Ids = None,
    everything: Everything = False,
    field: OfField = None,
    source: OfSource = None,
    entity: OfEntity = None,
    reason: Reason = "",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Put proposed values into golden records; what is pinned or newer there stands."""
    wanted = _wanted(ids, everything=everything)
    done = Project.open(project, wait=wait).enrichment.accept(
        wanted, reason=reason, field=field, source=source, entity=entity
    )
    _tell(done, "accepted", output)


@group.command("reject")
def reject(
    ids: Ids = None,
    everything: Everything = False,
    field: OfField = None,
    source: OfSource = None,
    entity: OfEntity = None,
    reason: Reason = "",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Turn proposals down; one that was accepted is taken out of the golden record again."""
    wanted = _wanted(ids, everything=everything)
    done = Project.open(project, wait=wait).enrichment.reject(
        wanted, reason=reason, field=field, source=source, entity=entity
    )
    _tell(done, "rejected", output)


def _wanted(ids: list[int] | None, *, everything: bool) -> list[int] | None:
    if bool(ids) == everything:
        raise UsageError("name proposals by their id, or --all (of a --field, of a --source)")
    return ids or None


def _tell(done: Decided, what: str, output: Format) -> None:
    if output is not Format.TABLE:
        told = {
            "schema_version": 1,
            what: list(done.decided),
            "left": done.left.to_dicts(),
            "run": None if done.summary is None else done.summary.model_dump(),
        }
        print_object(told, output)
        return
    if done.left.height:
        texts = done.left.with_columns(pl.col("proposal_id", "entity_id").cast(pl.String))
        print_frame(texts, output)
        say(f"{counted(done.left.height, 'proposal')} left open")
    changed = 0 if done.summary is None else done.summary.golden.changed
    changes = f"; {counted(changed, 'golden record')} changed" if done.summary else ""
    say(f"{counted(len(done.decided), 'proposal')} {what}{changes}")
