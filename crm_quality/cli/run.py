"""``crmq run`` and ``crmq check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from crm_quality.audit.masking import masked_issues
from crm_quality.cli.options import (
    AsOf,
    DelimiterOption,
    EncodingOption,
    EntityOption,
    FailOn,
    Format,
    KeyOption,
    OutputFormat,
    ProjectDir,
    ShowPersonal,
    SourceOption,
    Wait,
)
from crm_quality.cli.output import (
    as_table,
    console,
    counted,
    print_frame,
    print_object,
    progress,
    say,
)
from crm_quality.definitions import default_rules
from crm_quality.engine.attended import note_failure
from crm_quality.engine.check import Reading
from crm_quality.engine.check import check as check_files
from crm_quality.engine.config import CONFIG_FILE
from crm_quality.engine.project import Project
from crm_quality.errors import DefinitionError, UsageError

if TYPE_CHECKING:
    from datetime import date, datetime

    from crm_quality.engine.check import Run
    from crm_quality.engine.plan import Plan
    from crm_quality.engine.summary import IssueCounts, Summary

_FILES = "Files: .csv .tsv .parquet .xlsx .json .jsonl, or - for standard input."
Files = Annotated[list[str], typer.Argument(help=_FILES)]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("run")(run)
    app.command("check")(check)


def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(help=_FILES, show_default=False),
    ] = None,
    source: SourceOption = None,
    entity: EntityOption = "contact",
    key: KeyOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    as_of: AsOf = None,
    run_key: Annotated[
        str | None,
        typer.Option(
            "--run-key",
            help="Name of this run, such as a date; the same name again does nothing and tells "
            "what the run did.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit 1 from this severity on.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what it would do; write nothing.")
    ] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Take files the whole way: standardise, validate, match, merge, store."""
    files = files or []
    if not files:
        raise UsageError("name the files to take in, or - for standard input")
    _once(files)
    opened = _opened(project, wait)
    reading: dict[str, Any] = {
        "source": source,
        "entity": entity,
        "key": key,
        "encoding": encoding,
        "delimiter": delimiter,
        "as_of": _day(as_of),
    }
    if plan:
        with progress() as listener:
            found = opened.plan(*files, **reading, progress=listener)
        print_plan(found, output)
        return
    with progress() as listener:
        done = opened.run(*files, **reading, run_key=run_key, command="crmq run", progress=listener)
    for note in done.summary.notes:
        say(note)
    if output is Format.TABLE:
        print_summary(done.summary)
        print_rules(done)
    else:
        print_object(done.summary.model_dump(), output)
    _gate(done.summary, fail_on or FailOn(opened.config.fail_on))


def check(
    files: Files,
    source: SourceOption = None,
    entity: EntityOption = "contact",
    key: KeyOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    as_of: AsOf = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit 1 from this severity on.")
    ] = FailOn.ERROR,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
) -> None:
    """Validate files and write nothing; outside a project the default rules apply."""
    _once(files)
    with progress() as listener:
        if (project / CONFIG_FILE).exists():
            opened = Project.open(project)
            rules = opened.rules
            done = opened.check(
                *files,
                source=source,
                entity=entity,
                key=key,
                encoding=encoding,
                delimiter=delimiter,
                as_of=_day(as_of),
                progress=listener,
            )
        else:
            rules = default_rules()
            reading = Reading(source, entity, key, encoding, delimiter)
            done = check_files(rules, files, reading, as_of=_day(as_of), progress=listener)
    for note in done.summary.notes:
        say(note)
    issues = done.issues if show_personal else masked_issues(done.issues, rules)
    if output is Format.TABLE:
        print_rules(done)
        columns = ["source", "source_key", "row_number", "severity", "rule", "value", "message"]
        order = pl.col("severity").replace_strict({"error": 0, "warning": 1}, default=2)
        print_frame(
            issues.sort(order, "rule", "row_number").select(columns), output, title="Issues"
        )
        counts = done.summary.records
        say(
            f"{counted(counts.received, 'row')}: {counts.accepted:,} would be accepted, "
            f"{counts.quarantined:,} quarantined"
        )
    elif output is Format.JSON:
        print_object({**done.summary.model_dump(), "findings": issues.to_dicts()}, output)
    else:
        print_frame(issues, output)
    _gate(done.summary, fail_on)


def _opened(project: Path, wait: float) -> Project:
    """The project; where its settings or rules are wrong, its last_run.json says so."""
    try:
        return Project.open(project, wait=wait)
    except DefinitionError as error:
        note_failure(project, "crmq run", error)
        raise


def _once(files: list[str]) -> None:
    if files.count("-") > 1:
        raise UsageError("standard input (-) can be read once only")


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()


def _gate(summary: Summary, fail_on: FailOn) -> None:
    errors = summary.issues.error or summary.records.quarantined
    failed = {
        FailOn.NEVER: False,
        FailOn.ERROR: bool(errors),
        FailOn.WARNING: bool(errors or summary.issues.warning),
    }[fail_on]
    if failed:
        say(f"the gate failed: there are issues of severity {fail_on} or worse")
        raise typer.Exit(1)


def print_summary(summary: Summary, *, judged_again: bool = False) -> None:
    """What a run did, as a table; ``judged_again``: it took nothing in."""
    records, golden, match = summary.records, summary.golden, summary.match
    wait = summary.waiting or 0
    waiting = f"{wait:,} wait{'s' * (wait == 1)} in all: crmq quarantine list" if wait else ""
    rows = [
        ("judged again" if judged_again else "received", records.received, ""),
        ("  accepted", records.accepted, f"{records.unchanged:,} of them unchanged"),
        ("  quarantined", records.quarantined, waiting),
        ("  suppressed", records.suppressed, ""),
        ("golden records", golden.total, _what_became(summary)),
        *(
            (f"{name} rows", of.total, f"{of.created:,} new, {of.changed:,} changed")
            for name, of in summary.rows.items()
        ),
        ("largest cluster", match.largest_cluster, "source records of one customer"),
        ("store issues", _all(summary.store_issues), "of rules about many records, in force now"),
        ("pairs compared", match.scored_pairs, f"{match.review_pairs:,} worth a look"),
        ("seconds", round(sum(summary.seconds.values()), 1), _slowest(summary)),
    ]
    left_out = set() if records.suppressed else {"  suppressed"}
    if summary.rows and not match.clusters:
        # nothing but rows that hang on customers: golden records were not looked at
        left_out |= {"golden records", "largest cluster", "pairs compared"}
    rows = [row for row in rows if row[0] not in left_out]
    frame = pl.DataFrame(
        {
            "plan" if summary.run_id is None else f"run {summary.run_id}": [
                label for label, _, _ in rows
            ],
            "count": [f"{number:,}" for _, number, _ in rows],
            "remark": [remark for _, _, remark in rows],
        }
    )
    table = as_table(frame)
    table.columns[1].justify = "right"
    console().print(table)
    hanging = any(of.created or of.changed for of in summary.rows.values())
    if not hanging and not any((golden.created, golden.changed, golden.merged, golden.split)):
        say("nothing changed")


def print_plan(found: Plan, output: Format) -> None:
    """What a run would do; exit 1 where a limit would stop it."""
    summary = found.outcome.summary
    for note in summary.notes:
        say(note)
    if output is not Format.TABLE:
        print_object(found.to_dict(), output)
    else:
        print_summary(summary)
        console().print()
        print_frame(found.records, output, title="Records of the store")
        for title, frame in (
            ("Customers that would be merged", found.merges),
            ("Customers that would be split off", found.splits),
        ):
            if frame.height:
                console().print()
                named = frame.with_columns(pl.col("entity_id", "former_id").cast(pl.String))
                print_frame(named, output, title=title, most=20)
        say("nothing was written; leave out --plan to do it")
    for message in found.exceeded:
        say(f"limit: {message}")
    if found.exceeded:
        raise typer.Exit(1)


def _all(issues: IssueCounts) -> int:
    return issues.error + issues.warning + issues.info


def _what_became(summary: Summary) -> str:
    golden = summary.golden
    parts = {"new": golden.created, "changed": golden.changed, "merged": golden.merged}
    parts["split"] = golden.split
    said = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
    return said or "as before"


def _slowest(summary: Summary) -> str:
    if not summary.seconds:
        return ""
    stage = max(summary.seconds, key=lambda name: summary.seconds[name])
    return f"most of them in {stage}; peak memory {summary.peak_memory_mb:,.0f} MB"


def print_rules(done: Run) -> None:
    """The issues of a run, counted by rule; nothing where there are none."""
    if done.issues.is_empty():
        return
    by_rule = (
        done.issues.group_by("rule", "severity")
        .agg(pl.len().alias("issues"))
        .sort("issues", "rule", descending=[True, False])
    )
    console().print()
    print_frame(by_rule, Format.TABLE, title="Issues by rule", most=20)
