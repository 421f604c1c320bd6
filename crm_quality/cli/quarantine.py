"""``crmq quarantine``: what waits, and what a steward does about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.audit.masking import masked_keys
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, print_frame, print_object, progress, say
from crm_quality.cli.record_page import masked_page, print_page
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.engine.quarantine import Decided

Record = Annotated[
    str, typer.Argument(help="A record_id (12), or the source and key of a record (crm:0031).")
]
Reason = Annotated[
    str | None, typer.Option("--reason", "-r", help="Why; it is kept with the decision.")
]
EntityFilter = Annotated[str | None, typer.Option("--entity", "-e", help="Of this entity only.")]
SourceFilter = Annotated[str | None, typer.Option("--source", "-s", help="Of this source only.")]
OwnerFilter = Annotated[
    str | None, typer.Option("--owner", help="Held by a rule that this owner answers for.")
]
RuleFilter = Annotated[str | None, typer.Option("--rule", help="Held by the rule of this code.")]
DaysFilter = Annotated[
    int | None, typer.Option("--days", min=0, help="Waiting for at least so many days.")
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="Code of a rule; repeat for several. Without it, all it breaks."),
]
_WORKBOOK = ".xlsx"
_AGES = ((1, "today"), (8, "up to a week"), (31, "up to a month"), (91, "up to a quarter"))


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(
        help="Records that wait: see them, correct them, release or waive them.",
        no_args_is_help=True,
    )
    for name, command in (
        ("list", list_waiting),
        ("show", show),
        ("fix", fix),
        ("release", release),
        ("waive", waive),
        ("workbook", workbook),
    ):
        group.command(name)(command)
    app.add_typer(group, name="quarantine")


def list_waiting(
    by: Annotated[
        str | None, typer.Option("--by", help="Count by owner, source, rule or age instead.")
    ] = None,
    entity: EntityFilter = None,
    source: SourceFilter = None,
    owner: OwnerFilter = None,
    rule: RuleFilter = None,
    days: DaysFilter = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """What waits, since when, why and for whom; the oldest first."""
    counted = {"owner": "owners", "source": "source", "rule": "rules", "age": "age"}
    if by is not None and by not in counted:
        raise UsageError(f"--by {by}: choose from {', '.join(counted)}")
    opened = Project.open(project, wait=wait)
    found = opened.quarantine.waiting(
        as_of=_day(as_of), entity=entity, source=source, owner=owner, rule=rule, days=days
    )
    if by is not None:
        _print_counts(found, by, counted[by], output)
    else:
        shown = found if show_personal else masked_keys(found)
        _print_waiting(shown, output)
    if found.is_empty():
        say(
            "nothing waits"
            if _is_all(entity, source, owner, rule, days)
            else "no such record waits"
        )


def show(
    record: Record,
    entity: EntityFilter = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """One record: its values, the row as it came, what is wrong, what was done about it."""
    opened = Project.open(project, wait=wait)
    page = opened.quarantine.show(record, entity=entity)
    if not show_personal:
        page = masked_page(page, opened.rules)
    if output is Format.TABLE:
        print_page(page)
    else:
        print_object(page.to_dict(), output)


def fix(
    record: Annotated[
        str,
        typer.Argument(
            help="A record_id (12), the source and key of a record (crm:0031), or a workbook "
            "(FILE.xlsx) that `crmq quarantine workbook` wrote."
        ),
    ],
    corrections: Annotated[
        list[str] | None,
        typer.Argument(help="field=value, several if need be; field= empties the field."),
    ] = None,
    reason: Reason = None,
    entity: EntityFilter = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Correct a record, or all records of a workbook; what passes then goes the whole way.

    Exit code 1: something still fails or could not be applied.
    """
    opened = Project.open(project, wait=wait)
    if record.lower().endswith(_WORKBOOK):
        if corrections:
            raise UsageError("a workbook holds its corrections: leave out field=value")
        _fix_from(opened, record, reason, as_of, output, show_personal=show_personal)
        return
    done = opened.quarantine.fix(
        record, _corrections(corrections), reason=reason or "", entity=entity, as_of=_day(as_of)
    )
    _tell(done, output, show_personal=show_personal)


def release(
    records: Annotated[
        list[str] | None,
        typer.Argument(help="Records by record_id or source:key; without any, all that wait."),
    ] = None,
    entity: EntityFilter = None,
    source: SourceFilter = None,
    owner: OwnerFilter = None,
    rule: RuleFilter = None,
    days: DaysFilter = None,
    reason: Reason = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Check what waits by today's rules and release what passes; say what still fails.

    Exit code 1: a record that was named still fails.
    """
    opened = Project.open(project, wait=wait)
    with progress() as listener:
        done = opened.quarantine.release(
            records or None,
            reason=reason or "checked again",
            as_of=_day(as_of),
            progress=listener,
            entity=entity,
            source=source,
            owner=owner,
            rule=rule,
            days=days,
        )
    _tell(done, output, show_personal=show_personal, is_gate=bool(records))


def waive(
    record: Record,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which it holds."),
    ] = None,
    reason: Reason = None,
    rule: Rules = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take the waiver back before its day.")
    ] = False,
    entity: EntityFilter = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Accept a record in spite of errors, up to and including a day.

    Exit code 1: it still waits.
    """
    quarantine = Project.open(project, wait=wait).quarantine
    if withdraw:
        if until is not None:
            raise UsageError("--withdraw takes a waiver back at once: leave out --until")
        done = quarantine.withdraw_waiver(
            record, reason=reason or "", rules=rule, entity=entity, as_of=_day(as_of)
        )
        _tell(done, output, show_personal=show_personal, is_gate=False)
        return
    if until is None:
        raise UsageError("say how long the waiver holds: --until YYYY-MM-DD")
    done = quarantine.waive(
        record,
        until=until.date(),
        reason=reason or "",
        rules=rule,
        entity=entity,
        as_of=_day(as_of),
    )
    _tell(done, output, show_personal=show_personal)


def workbook(
    folder: Annotated[Path, typer.Argument(help="Folder for the workbooks; made if missing.")],
    entity: EntityFilter = None,
    source: SourceFilter = None,
    owner: OwnerFilter = None,
    rule: RuleFilter = None,
    days: DaysFilter = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Write a workbook (.xlsx) for each owner, to be filled in and given to `quarantine fix`.

    The workbooks show personal values as they are.
    """
    opened = Project.open(project, wait=wait)
    written = opened.quarantine.write_workbooks(
        folder,
        as_of=_day(as_of),
        entity=entity,
        source=source,
        owner=owner,
        rule=rule,
        days=days,
    )
    files = pl.DataFrame(
        [(str(book.path), book.owner, book.records, book.lines) for book in written],
        schema={"file": pl.String, "owner": pl.String, "records": pl.Int64, "lines": pl.Int64},
        orient="row",
    )
    if written or output is not Format.TABLE:
        print_frame(files, output)
    for book in written:
        if book.records < book.waiting:
            say(
                f"{book.path} has {book.records:,} of the {book.waiting:,} records that wait for "
                f"{book.owner}, the oldest; write the next one when these are done"
            )
    if written:
        say("they hold personal values; fill them in, then: crmq quarantine fix FILE.xlsx")
    else:
        say("nothing waits: no workbook was written")


def _fix_from(
    opened: Project,
    file: str,
    reason: str | None,
    as_of: datetime | None,
    output: Format,
    *,
    show_personal: bool,
) -> None:
    done = opened.quarantine.fix_from(file, reason=reason, as_of=_day(as_of))
    lines = done.lines if show_personal else masked_keys(done.lines)
    told = lines.filter(pl.col("outcome") != "unchanged")
    if output is not Format.TABLE:
        print_frame(lines, output)
    elif told.height:
        print_frame(told.with_columns(pl.col("record_id").cast(pl.String)), output)
    counts = dict(done.lines.group_by("outcome").len().iter_rows())
    say(", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "no lines")
    if set(counts) - {"applied", "unchanged"}:
        raise typer.Exit(1)


def _tell(done: Decided, output: Format, *, show_personal: bool, is_gate: bool = True) -> None:
    verdicts = done.verdicts if show_personal else masked_keys(done.verdicts)
    if output is Format.TABLE:
        rows = verdicts.filter(pl.col("outcome") == "waiting") if len(verdicts) > 1 else verdicts
        if rows.height:
            print_frame(_flat(rows).drop("rules"), output)
    else:
        print_frame(verdicts, output)
    counts = dict(done.verdicts.group_by("outcome").len().iter_rows())
    say(", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "nothing waits")
    if done.summary is not None and done.summary.golden.created:
        say(f"{done.summary.golden.created:,} new golden records")
    if is_gate and not done.waiting.is_empty():
        raise typer.Exit(1)


def _print_waiting(found: pl.DataFrame, output: Format) -> None:
    if output is not Format.TABLE:
        print_frame(found, output)
        return
    if found.is_empty():
        return
    used = pl.when("in_force").then(pl.lit("yes")).otherwise(pl.lit("")).alias("in use")
    several = found["entity"].n_unique() > 1
    columns = [
        *(["entity"] if several else []),
        pl.col("record_id").cast(pl.String).alias("record"),
        "source",
        pl.col("source_key").alias("key"),
        "days",
        used,
        pl.col("owners").list.join(", "),
        pl.col("rules").list.join("\n"),
    ]
    one = found.height == 1
    print_frame(found.select(columns), output, title=f"{found.height:,} wait{'s' * one}")
    words = (
        found.select("rules", "reasons").explode("rules", "reasons").drop_nulls().unique("rules")
    )
    console().print()
    print_frame(words.sort("rules").rename({"rules": "rule", "reasons": "says"}), output)


def _print_counts(found: pl.DataFrame, by: str, column: str, output: Format) -> None:
    frame = found
    if by == "age":
        age = pl.lit("more than a quarter")
        for below, name in reversed(_AGES):
            age = pl.when(pl.col("days") < below).then(pl.lit(name)).otherwise(age)
        frame = found.with_columns(age.alias("age"))
    elif found.schema[column] == pl.List:
        frame = found.with_columns(pl.col(column).list.unique()).explode(column)
    counts = (
        frame.group_by(pl.col(column).alias(by))
        .agg(pl.len().alias("records"), pl.col("days").max().alias("oldest_days"))
        .sort("records", by, descending=[True, False])
    )
    print_frame(counts, output)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("record_id").cast(pl.String), pl.col("reasons").list.join("\n")
    )


def _corrections(texts: list[str] | None) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in texts or []:
        field, equals, value = text.partition("=")
        if not equals or not field.strip():
            raise UsageError(f"{text!r} is no correction; write field=value, such as email=a@b.com")
        if field.strip() in found:
            raise UsageError(f"{field.strip()} is corrected twice: say what it should be once")
        found[field.strip()] = value or None
    return found


def _is_all(*filters: object) -> bool:
    return all(value is None for value in filters)


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()
