"""``crmq merge``, ``unmerge``, ``split`` and ``history``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from crm_quality.audit.masking import screened
from crm_quality.cli.options import Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import as_table, console, print_frame, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from crm_quality.engine.entities import Acted
    from crm_quality.engine.entity_history import EntityHistory

Customer = Annotated[
    str,
    typer.Argument(
        help="A customer: its number, or one of its records as SOURCE:KEY.", show_default=False
    ),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the act.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Only say what it would do; write nothing.")
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--expect-version",
        help="Version that the customer must still have: N, or CUSTOMER=N for one of several.",
    ),
]
KindOption = Annotated[
    str | None,
    typer.Option("--entity", "-e", help="What they are, where a key stands for several."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("merge")(merge)
    app.command("unmerge")(unmerge)
    app.command("split")(split)
    app.command("history")(history)


def merge(
    customers: Annotated[
        list[str],
        typer.Argument(
            help="Two customers or more: their numbers, or records as SOURCE:KEY.",
            show_default=False,
        ),
    ],
    reason: Reason = "",
    dry_run: DryRun = False,
    expect_version: Expect = None,
    entity: KindOption = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Join customers into one, whatever the evidence weighs; the first one's number stays."""
    opened = Project.open(project, wait=wait)
    done = opened.entities.merge(
        *customers,
        reason=reason,
        entity=entity,
        expected=expected(expect_version, customers),
        dry_run=dry_run,
    )
    _tell(opened, done, output, show_personal=show_personal)


def unmerge(
    customer: Annotated[
        str,
        typer.Argument(
            help="A customer whose last merge is to be taken back, or a merge as act:NUMBER.",
            show_default=False,
        ),
    ],
    reason: Reason = "",
    dry_run: DryRun = False,
    expect_version: Expect = None,
    entity: KindOption = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Take a merge back exactly: what was edited since is kept, and nothing joins them again."""
    opened = Project.open(project, wait=wait)
    done = opened.entities.unmerge(
        customer,
        reason=reason,
        entity=entity,
        expected=expected(expect_version, [customer]),
        dry_run=dry_run,
    )
    _tell(opened, done, output, show_personal=show_personal)


def split(
    customer: Customer,
    records: Annotated[
        list[str],
        typer.Argument(
            help="Records that leave it together: numbers or SOURCE:KEY.", show_default=False
        ),
    ],
    reason: Reason = "",
    dry_run: DryRun = False,
    expect_version: Expect = None,
    entity: KindOption = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Let records leave their customer together, whoever or whatever joined them."""
    opened = Project.open(project, wait=wait)
    done = opened.entities.split(
        customer,
        *records,
        reason=reason,
        entity=entity,
        expected=expected(expect_version, [customer]),
        dry_run=dry_run,
    )
    _tell(opened, done, output, show_personal=show_personal)


def history(
    customer: Customer,
    entity: KindOption = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """What became of a customer, by whom, when and why, also under numbers that it had before."""
    told = Project.open(project, wait=wait).entities.history(customer, entity=entity)
    if not show_personal:
        told = _masked(told)
    if output is Format.TABLE:
        _print_history(told)
    elif output is Format.JSON:
        print_object(told.to_dict(), output)
    else:
        print_frame(told.events, output)


def expected(texts: list[str] | None, customers: list[str]) -> dict[int, int]:
    """``N`` or ``CUSTOMER=N`` → customer → version.

    Raises:
        UsageError: It is neither, or N could mean any of several customers.
    """
    found = {}
    for text in texts or []:
        name, sign, version = text.rpartition("=")
        if not sign and len(customers) == 1:
            name = customers[0]
        if not name.removeprefix("entity:").isdecimal() or not version.isdecimal():
            raise UsageError(
                f"--expect-version {text}: write CUSTOMER=N with the numbers of both, such as 12=3"
            )
        found[int(name.removeprefix("entity:"))] = int(version)
    return found


def _tell(project: Project, done: Acted, output: Format, *, show_personal: bool) -> None:
    told = done.to_dict(project.rules, show_personal=show_personal)
    if output is not Format.TABLE:
        print_object(told, output)
        return
    print_preview(told)
    if done.act_id is None:
        say("nothing was written; leave out --dry-run and give a --reason to do it")
    else:
        back = (
            f"crmq unmerge act:{done.act_id}"
            if done.kind == "merge"
            else (f"crmq undo {told['run_id']}")
        )
        say(f"act:{done.act_id}, run {told['run_id']}; take it back with: {back} --reason TEXT")


def print_preview(told: dict[str, Any]) -> None:
    """Ids, golden values and figures of an act, before and after."""
    ids = told["ids"]
    words = {"stay": "stays", "go": "goes, and resolves to the other", "come": "is there now"}
    if told["act"] not in {"merge", "same"}:
        words["go"] = "goes, and resolves to another"
    for what, said in words.items():
        if ids[what]:
            console().print(f"customer {', '.join(map(str, ids[what]))} {said}")
    before, after = told["golden"]["before"], told["golden"]["after"]
    heads = [f"before: {one['entity_id']}" for one in before] + [
        f"after: {one['entity_id']}" for one in after
    ]
    columns = [*before, *after]
    sizes = {one["records"] for one in columns}
    names = [*(["records"] if len(sizes) > 1 else ()), *told["fields"]]
    values = [(name, *(_text(one[name]) for one in columns)) for name in names]
    if values:
        console().print()
        console().print(as_table(pl.DataFrame(values, schema=["field", *heads], orient="row")))
    figures = [
        (
            one["title"] + (f", {one['currency']}" if one["currency"] else ""),
            _number(one["before"]),
            _number(one["after"]),
        )
        for one in told["figures"]
        if one["before"] or one["after"]
    ]
    if figures:
        table = as_table(pl.DataFrame(figures, schema=["figure", "before", "after"], orient="row"))
        for column in table.columns[1:]:
            column.justify = "right"
        console().print()
        console().print(table)
    for one in told["lost"]:
        say(
            f"{one['field']} of {one['entity_id']} gives way: {_text(one['value'])}"
            + (f" → {_text(one['now'])}" if one["now"] is not None else "")
        )
    if told["others_changed"]:
        listed = ", ".join(map(str, told["others_changed"][:10]))
        say(f"other customers that change with it: {listed}")


def _print_history(told: EntityHistory) -> None:
    state = {
        "accepted": "",
        "quarantined": ", which waits in quarantine",
        "ended": ", which its source has deleted",
        "erased": ", whose content was erased,",
    }[told.status]
    version = "" if told.version is None else f", version {told.version}"
    console().print(
        f"Record {told.asked}{state} is of {told.entity} [bold]{told.entity_id}[/]{version}."
    )
    if told.ids.height > 1:
        console().print()
        others = told.ids.filter(pl.col("kind") != "this").with_columns(
            pl.col("entity_id", "became", "run_id").cast(pl.String),
            pl.col("occurred_at").dt.strftime("%Y-%m-%d %H:%M"),
        )
        named = {"entity_id": "number", "became": "is now of", "kind": "by being"}
        console().print(as_table(others.rename(named)))
    console().print()
    whose = pl.coalesce(
        pl.lit("customer ") + pl.col("entity_id").cast(pl.String),
        pl.lit("record ") + pl.col("record_id").cast(pl.String),
    )
    what = pl.concat_str("detail", "reason", separator=": ", ignore_nulls=True)
    events = told.events.select(
        pl.col("occurred_at").dt.strftime("%Y-%m-%d %H:%M").alias("when"),
        pl.col("run_id").cast(pl.String).alias("run"),
        whose.alias("whose"),
        "event",
        "actor",
        what.alias("what"),
    )
    print_frame(events, Format.TABLE, most=200)


def _masked(told: EntityHistory) -> EntityHistory:
    hidden = [
        pl.Series(
            name,
            [None if text is None else screened(text) for text in told.events[name]],
            pl.String,
        )
        for name in ("detail", "reason")
    ]
    return replace(told, events=told.events.with_columns(hidden))


def _text(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _number(value: float) -> str:
    return f"{value:,.2f}" if value != int(value) else f"{int(value):,}"
