"""``crmq rules diff``: impact before change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from crm_quality.audit.masking import mask_of, masked_issues
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, print_frame, print_object, say
from crm_quality.engine.project import Project

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.engine.rules_diff import RulesDiff

_CODE = ["rule", "severity", "change"]


def diff(
    old: Annotated[
        str,
        typer.Argument(
            help="The rules before: a folder, a git revision of the project's rules, "
            "`default`, or `last`: those of the last run."
        ),
    ] = "last",
    new: Annotated[
        str | None, typer.Argument(help="The rules after; without it the project's.")
    ] = None,
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Rows that table and json show of each kind.")
    ] = 5,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """What other rules would do to the store; nothing is written.

    Told are the rules that differ, the rows that would newly fail or newly pass, the values that
    would be rewritten, the golden records that would change, and what would be quarantined or
    released. `--format jsonl` gives every row, with the `frame` it is of; the others count them.
    """
    opened = Project.open(project, wait=wait)
    found = opened.rulebook.diff(old, new, as_of=None if as_of is None else as_of.date())
    frames = _shown(found, opened.rules, show_personal=show_personal)
    for note in found.notes:
        say(note)
    if output is Format.JSONL:
        for kind, frame in frames.items():
            for row in frame.iter_rows(named=True):
                print_object({"frame": kind, **row}, output)
    elif output is Format.JSON:
        print_object(_report(found, frames, examples), output)
    else:
        _print_tables(found, frames, examples)


def _shown(found: RulesDiff, rules: RuleSet, *, show_personal: bool) -> dict[str, pl.DataFrame]:
    """Kind → rows, masked unless asked otherwise."""
    frames = {
        "definition": found.definitions,
        "issue": found.issues,
        "value": found.values,
        "golden": found.golden,
        "quarantine": found.quarantine,
    }
    if show_personal:
        return frames
    nothing = pl.lit(None, pl.String).alias("suggestion")
    frames["issue"] = masked_issues(found.issues.with_columns(nothing), rules).drop("suggestion")
    for kind in ("value", "golden"):
        frames[kind] = _masked_values(frames[kind], rules)
    for kind in ("value", "quarantine"):
        keys = frames[kind].with_columns(
            pl.lit(None, pl.String).alias(name)
            for name in ("field", "value", "suggestion")
            if name not in frames[kind].columns
        )
        frames[kind] = masked_issues(keys, rules).select(frames[kind].columns)
    return frames


def _masked_values(frame: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    for column in ("old", "new"):
        pairs = frame.select("entity", "field", column).unique().drop_nulls(column)
        safe = [mask_of(rules, entity, field)(text) for entity, field, text in pairs.iter_rows()]
        masked = pairs.with_columns(pl.Series("safe", safe, pl.String))
        keys = ["entity", "field", column]
        frame = (
            frame.join(masked, on=keys, how="left", maintain_order="left")
            .with_columns(pl.col("safe").alias(column))
            .drop("safe")
        )
    return frame


def _report(found: RulesDiff, frames: dict[str, pl.DataFrame], examples: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        **found.summary,
        "notes": list(found.notes),
        "changes": frames["definition"].to_dicts(),
        "by_rule": _by_rule(found).to_dicts(),
        "by_value": _by_value(frames["value"]).to_dicts(),
        "by_golden_field": _by_field(frames["golden"]).to_dicts(),
        "examples": {
            kind: frames[kind].head(examples).to_dicts()
            for kind in ("issue", "value", "golden", "quarantine")
        },
    }


def _by_rule(found: RulesDiff) -> pl.DataFrame:
    return (
        found.issues.group_by(_CODE)
        .agg(pl.len().alias("rows"), pl.col("record_id").min().alias("first_record"))
        .sort("rows", "rule", "change", descending=[True, False, False])
    )


def _by_value(values: pl.DataFrame) -> pl.DataFrame:
    return (
        values.group_by("entity", "field", "old", "new")
        .agg(pl.len().alias("records"), pl.col("record_id").min().alias("first_record"))
        .sort("records", "field", "old", "new", descending=[True, False, False, False])
    )


def _by_field(golden: pl.DataFrame) -> pl.DataFrame:
    return (
        golden.group_by("entity", "field")
        .agg(pl.len().alias("golden records"))
        .sort("golden records", "field", descending=[True, False])
    )


def _print_tables(found: RulesDiff, frames: dict[str, pl.DataFrame], examples: int) -> None:
    summary = found.summary
    if found.definitions.is_empty():
        console().print("The rules are the same.")
        return
    tables = [
        ("Rules that differ", frames["definition"], 50),
        ("Rows that would newly fail or pass", _by_rule(found), 50),
        ("  such as", _links(frames["issue"]).head(examples), examples),
        ("Values that would be rewritten", _by_value(frames["value"]), 20),
        ("Values of golden records that would change", _by_field(frames["golden"]), 50),
        ("  such as", frames["golden"].head(examples), examples),
        ("Records that would be quarantined (only if asked) or released", frames["quarantine"], 20),
    ]
    for title, frame, most in tables:
        if frame.height:
            print_frame(frame, Format.TABLE, title=title, most=most)
            console().print()
    console().print(
        f"{summary['records']:,} rows judged by both: "
        f"{summary['newly_failing']['issues']:,} would newly fail, "
        f"{summary['newly_passing']['issues']:,} newly pass, "
        f"{summary['rewritten']['values']:,} values be rewritten, "
        f"{summary['golden']['entities']:,} golden records change, "
        f"{summary['quarantined']:,} be quarantined, {summary['released']:,} released. "
        "Nothing was written."
    )


def _links(issues: pl.DataFrame) -> pl.DataFrame:
    return issues.select("change", "record_id", "source", "source_key", "rule", "value")
