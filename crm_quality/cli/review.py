"""``crmq review``: the steward's queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from crm_quality.cli.entities import DryRun, print_preview
from crm_quality.cli.explain import Reference, print_explanation
from crm_quality.cli.options import (
    EntityOption,
    Format,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
    Wait,
)
from crm_quality.cli.output import as_table, console, print_frame, print_object, say
from crm_quality.cli.workbook import write_questions
from crm_quality.engine.project import Project
from crm_quality.engine.side_by_side import masked_pairs
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from crm_quality.engine.decide import Made
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.engine.sample import Signed

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the decision.")]
Later = Annotated[
    bool,
    typer.Option("--later", help="Only keep it; `crmq review apply` or the next run applies it."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write a workbook or table to decide in: .xlsx or .csv."),
]

group = typer.Typer(
    help="Decide which records are the same: the steward's queue.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(group, name="review")


@group.command("list")
def list_questions(
    entity: EntityOption = "contact",
    size: Annotated[int, typer.Option("--size", "-n", min=1, help="So many at most.")] = 20,
    out: Out = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Pairs to decide on, those that a decision would change most first."""
    opened = Project.open(project, wait=wait)
    questions = opened.review.queue(entity, most=size)
    if not show_personal:
        questions = masked_pairs(questions, opened.rules, entity)
    if questions.is_empty():
        say("nothing to decide")
    if out is not None:
        write_questions(questions, out)
        say(f"wrote {questions.height:,} pairs to {out}; fill the column decision with same or")
        say(f"different, then: crmq review decide --file {out}")
        if not show_personal and questions.height:
            say("personal values are masked; add --show-personal to see them")
    elif output is Format.TABLE:
        if questions.height:
            console().print(as_table(_shown(questions)))
            say("decide with: crmq review decide A B same|different --reason TEXT")
    else:
        print_frame(questions, output)


@group.command("show")
def show(
    left: Reference,
    right: Reference,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """One pair in full: both records, the evidence, what decisions say."""
    told = Project.open(project, wait=wait).explain(left, right)
    plain = told.to_dict(show_personal=show_personal)
    if output is Format.TABLE:
        print_explanation(plain)
    else:
        print_object(plain, output)


@group.command("decide")
def decide(
    left: Annotated[str | None, typer.Argument(help="A record: its number or SOURCE:KEY.")] = None,
    right: Annotated[str | None, typer.Argument(help="The other record.")] = None,
    verdict: Annotated[str | None, typer.Argument(help="same or different")] = None,
    reason: Reason = "",
    file: Annotated[
        str | None,
        typer.Option("--file", help="Decide what a workbook or table says, all of it or nothing."),
    ] = None,
    later: Later = False,
    dry_run: DryRun = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Decide that two records are the same or different; one that contradicts others is refused."""
    opened = Project.open(project, wait=wait)
    review = opened.review
    if dry_run:
        if left is None or right is None or verdict is None:
            raise UsageError("--dry-run looks at one decision: name two records, same or different")
        told = review.preview(left, right, verdict).to_dict(
            opened.rules, show_personal=show_personal
        )
        if output is not Format.TABLE:
            print_object({"schema_version": 1, "applied": False, **told}, output)
            return
        print_preview({"act": verdict, **told})
        say("nothing was written; leave out --dry-run and give a --reason to decide it")
        return
    if file is not None:
        if left is not None:
            raise UsageError("name two records, or a --file, not both")
        made = review.decide_all(file, reason, apply=not later)
    elif left is None or right is None or verdict is None:
        raise UsageError("name two records and same or different, or a --file")
    else:
        made = review.decide(left, right, verdict, reason, apply=not later)
    _tell(made, output)


@group.command("decisions")
def decisions(
    entity: EntityOption = "contact",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Decisions in force: who decided what, when and why."""
    made = Project.open(project, wait=wait).review.decisions(entity)
    if output is not Format.TABLE:
        print_frame(made, output)
        return
    columns = ["decision_id", "record_id_l", "verdict", "record_id_r", "actor", "reason"]
    numbers = (
        pl.col(name).cast(pl.String) for name in columns if name.endswith(("_id", "_l", "_r"))
    )
    table = made.select(columns).with_columns(*numbers, made["decided_at"].dt.date())
    print_frame(table, output)


@group.command("withdraw")
def withdraw(
    decision_ids: Annotated[list[int], typer.Argument(help="Numbers, see crmq review decisions.")],
    reason: Reason = "",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Take decisions back."""
    made = Project.open(project, wait=wait).review.withdraw(decision_ids, reason)
    _tell(made, output, what="withdrawn")


@group.command("apply")
def apply(
    again: Annotated[
        list[str] | None,
        typer.Option(
            "--again",
            help="Match this entity wholly again, as after a change of merging: in crmq.yml.",
        ),
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Apply decisions that no run has applied yet."""
    outcome = Project.open(project, wait=wait).review.apply(again=again or ())
    if output is Format.TABLE:
        say(f"run {outcome.summary.run_id}: {_changes(outcome)}")
    else:
        print_object(outcome.summary.model_dump(), output)


@group.command("sample")
def sample(
    size: Annotated[int, typer.Option("--size", "-n", min=1, help="How many pairs to draw.")] = 200,
    out: Out = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="The sample, labelled: read it back.")
    ] = None,
    sample_id: Annotated[
        int | None, typer.Option("--sample", help="Which sample; else the newest.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the labels as decisions, too.")
    ] = True,
    reason: Reason = "estimate of precision",
    entity: EntityOption = "contact",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Draw pairs to label; read the labels back for a signed estimate of precision and recall."""
    opened = Project.open(project, wait=wait)
    if labels is not None:
        signed = opened.review.label(labels, sample_id=sample_id, entity=entity, keep=keep)
        print_estimate(signed, output)
        if signed.made is not None and signed.made.outcome is not None:
            say(f"{len(signed.made.decision_ids):,} decisions: {_changes(signed.made.outcome)}")
        return
    drawn = opened.review.sample(size, reason, entity=entity)
    pairs = drawn.pairs if show_personal else masked_pairs(drawn.pairs, opened.rules, entity)
    if out is None:
        print_frame(pairs, output)
    else:
        write_questions(pairs, out)
        say(f"wrote {pairs.height:,} pairs, sample {drawn.sample_id}, to {out}; label them, then:")
        say(f"crmq review sample --labels {out}")
        if not show_personal:
            say("personal values are masked; add --show-personal to see them")


def print_estimate(signed: Signed, output: Format) -> None:
    """An estimate with its limits and strata."""
    told = signed.to_dict()
    if output is not Format.TABLE:
        print_object(told, output)
        return
    rows = [
        (name, *(_share(told[name][part]) for part in ("estimate", "low", "high")))
        for name in ("precision", "recall")
    ]
    columns = [f"sample {signed.sample_id}", "estimate", "95 % from", "to"]
    table = as_table(pl.DataFrame(rows, schema=columns, orient="row"))
    for column in table.columns[1:]:
        column.justify = "right"
    console().print(table)
    console().print()
    console().print(as_table(pl.DataFrame([_stratum(one) for one in told["strata"]])))
    say(f"{told['labelled']:,} of {told['drawn']:,} drawn pairs are labelled")
    if any(not one["labelled"] for one in told["strata"]):
        say("strata without a label are left out of the estimate and widen its limits")


def _stratum(one: dict[str, Any]) -> dict[str, Any]:
    low, high = one["at_least"], one["below"]
    if low is None and high is None:
        weight = "never compared"
    else:
        weight = (
            f"{'' if low is None else f'{low:+.0f}'} … {'' if high is None else f'{high:+.0f}'}"
        )
    return {
        "pairs are": "joined" if one["joined"] else "apart",
        "weight": weight,
        "pairs": one["pairs"],
        "labelled": one["labelled"],
        "the same": one["same"],
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _tell(made: Made, output: Format, *, what: str = "decided") -> None:
    if output is not Format.TABLE:
        summary = None if made.outcome is None else made.outcome.summary.model_dump()
        told = {
            "schema_version": 1,
            "decisions": list(made.decision_ids),
            "known": made.known,
            "applied": made.outcome is not None,
            "run": summary,
        }
        print_object(told, output)
        return
    if made.decision_ids:
        numbers = ", ".join(map(str, made.decision_ids[:10]))
        more = f" and {len(made.decision_ids) - 10} more" if len(made.decision_ids) > 10 else ""  # noqa: PLR2004
        say(f"{what}: {numbers}{more}")
    if made.known:
        say(f"{made.known:,} had been decided so before")
    if made.outcome is not None:
        say(f"run {made.outcome.summary.run_id}: {_changes(made.outcome)}")
    elif made.decision_ids:
        say("the next run applies it, or crmq review apply")


def _changes(outcome: RunOutcome) -> str:
    golden = outcome.summary.golden
    parts = {"merged": golden.merged, "split": golden.split, "changed": golden.changed}
    told = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
    return told or "no golden record changed"


def _shown(questions: pl.DataFrame) -> pl.DataFrame:
    return questions.select(
        pl.col("record_id_l").cast(pl.String).alias("A"),
        pl.col("record_id_r").cast(pl.String).alias("B"),
        "question",
        pl.col("match_weight").map_elements(lambda x: f"{x:+.1f}", pl.String).alias("weight"),
        pl.col("chance").map_elements(lambda x: f"{x:.2f}", pl.String),
        pl.col("changes").alias("pairs"),
        "relation",
        _name(questions, "l").alias("who A is"),
        _name(questions, "r").alias("who B is"),
    )


def _name(questions: pl.DataFrame, side: str) -> pl.Expr:
    named = ("first_name", "last_name", "name")
    parts = [f"{one}_{side}" for one in named if f"{one}_{side}" in questions.columns]
    return pl.concat_str(parts, separator=" ", ignore_nulls=True)
