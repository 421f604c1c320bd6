"""The stage: a standardised frame → what is accepted, what is quarantined, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import InputError
from crm_quality.validate.catalogue import catalogue
from crm_quality.validate.checks import Outcome, by_segment, checks_frame, outcome
from crm_quality.validate.compile import Compiled, compiled, sql_column, suggested
from crm_quality.validate.conditions import Context, column_type
from crm_quality.validate.issues import findings, issues_of
from crm_quality.validate.notes import note_findings, problem_findings
from crm_quality.validate.predicate import refused
from crm_quality.validate.rule import Origin, Rule, Status
from crm_quality.validate.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition, SourceDefinition

_NOTED = frozenset({Origin.NOTE, Origin.PROBLEM})


@dataclass(frozen=True)
class Validation:
    """What validating a frame gave.

    Attributes:
        frame: The frame that was checked.
        is_accepted: Boolean, one per row: true where no issue has severity ``error``.
        issues: One row per record and broken rule; columns as in `crm_quality.validate.ISSUES`.
        checks: One row per rule; columns as in `crm_quality.validate.CHECKS`.
    """

    frame: pl.DataFrame
    is_accepted: pl.Series
    issues: pl.DataFrame
    checks: pl.DataFrame

    @property
    def accepted(self) -> pl.DataFrame:
        """Rows without an issue of severity ``error``, in their order; copied when asked for."""
        return self.frame if self.is_accepted.all() else self.frame.filter(self.is_accepted)

    @property
    def quarantined(self) -> pl.DataFrame:
        """The other rows, in their order."""
        return self.frame.filter(~self.is_accepted)


def validate(
    frame: pl.DataFrame,
    definition: EntityDefinition,
    *,
    as_of: date | None = None,
    sources: Mapping[str, SourceDefinition] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check each record against the rules of its entity.

    A pure function of each row: any partition of a frame gives the same issues.

    Args:
        frame: A standardised frame with ``source`` and ``source_key``; see `standardise`.
        definition: The entity, such as ``default_rules().entity("contact")``.
        as_of: The day that ``today`` stands for in rules; null = today in UTC.
        sources: Known sources; rules name a source by its name alone, so nothing is read from them.

    Returns:
        The rows without an issue of severity ``error``, and the issues: one row per record and
        broken rule, columns as in `crm_quality.validate.ISSUES`.

    Raises:
        InputError: The frame is not standardised, or lacks ``source`` or ``source_key``.
    """
    checked = check_records(frame, definition, as_of=as_of, sources=sources)
    return checked.accepted, checked.issues


def check_records(
    frame: pl.DataFrame,
    definition: EntityDefinition,
    *,
    as_of: date | None = None,
    sources: Mapping[str, SourceDefinition] | None = None,  # noqa: ARG001 - stages share one signature
) -> Validation:
    """As `validate`, with the quarantined rows and how each check ended.

    Args:
        frame: A standardised frame with ``source`` and ``source_key``.
        definition: The entity.
        as_of: The day that ``today`` stands for in rules; null = today in UTC.
        sources: Known sources; rules name a source by its name alone, so nothing is read from them.

    Returns:
        Rows in = ``accepted`` + ``quarantined``; every rule of scope ``record`` is in ``checks``.

    Raises:
        InputError: The frame is not standardised, or lacks ``source`` or ``source_key``.
    """
    _has_keys(frame)
    frame = _typed_nulls(frame, definition)
    day = as_of or datetime.now(UTC).date()
    context = Context(definition, frozenset(frame.columns), day)
    noted = {
        rule.code: (rule, found)
        for rule, found in (
            *problem_findings(frame, definition),
            *note_findings(frame, definition),
        )
    }
    rules = [rule for rule in catalogue(definition) if rule.scope == "record"]
    known = {rule.code for rule in rules}
    rules.extend(rule for code, (rule, _) in noted.items() if code not in known)
    runnable = [compiled(rule, context) for rule in rules if rule.origin not in _NOTED]
    applied = _applied(frame, context, runnable)
    outcomes: list[Outcome] = []
    found_all: list[pl.DataFrame] = []
    for rule in rules:
        if rule.origin in _NOTED:
            found = noted[rule.code][1] if rule.code in noted else None
            outcomes.append(outcome(rule, _filled(rule, frame), 0 if found is None else len(found)))
        else:
            rows, result = applied[rule.code]
            found = None
            if rows is not None:
                found = findings(rule, frame, rows, suggested(rule, frame, rows, context))
            outcomes.append(result)
        if found is not None:
            found_all.append(found)
    issues = issues_of(definition.entity, frame, found_all)
    failed = _failed_rows(found_all)
    kept = ~pl.int_range(frame.height, eager=True).is_in(failed.implode())
    return Validation(
        frame=frame,
        is_accepted=kept,
        issues=issues,
        checks=checks_frame(outcomes),
    )


def _has_keys(frame: pl.DataFrame) -> None:
    for name in ("source", "source_key"):
        if name not in frame.columns:
            raise InputError(
                f"the frame has no column {name!r}, so its issues could not be told apart; "
                "add it, or let intake make it"
            )


def _typed_nulls(frame: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """Columns without any value and type get the type of their field."""
    return frame.with_columns(
        pl.col(name).cast(column_type(field.type))
        for name, field in definition.fields.items()
        if frame.schema.get(name) == pl.Null
    )


def _with_sql(
    frame: pl.DataFrame, rules: list[Compiled], context: Context
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The frame with a column per rule that is stated in SQL, and why some could not be run."""
    predicates = {
        one.rule.code: one.rule.record_rule.sql
        for one in rules
        if one.rule.record_rule is not None and one.rule.record_rule.sql is not None
    }
    found, errors = refused(frame, predicates, context)
    columns = [column.alias(sql_column(code)) for code, column in found.items()]
    return frame.with_columns(columns), errors


def _applied(
    frame: pl.DataFrame, context: Context, rules: list[Compiled]
) -> dict[str, tuple[pl.Series | None, Outcome]]:
    """Code → positions of the rows that fail, and how the check ended."""
    able = {rule.rule.code: rule for rule in rules if not rule.lacking}
    frame, stopped = _with_sql(frame, list(able.values()), context)
    runnable = [rule for code, rule in able.items() if code not in stopped]
    found = verdicts(context.definition, runnable, frame)
    errors = {**stopped, **found.errors}
    sound = {code: rule for code, rule in able.items() if code not in errors}
    counts = frame.select(
        pl.lit(0).alias("no rule"),
        *[rule.applies.sum().alias(code) for code, rule in sound.items()],
    ).row(0, named=True)
    applied: dict[str, tuple[pl.Series | None, Outcome]] = {}
    for one in rules:
        code = one.rule.code
        if one.lacking:
            skipped = Outcome(one.rule, Status.SKIPPED, 0, 0, one.lacking)
            applied[code] = None, skipped
            continue
        rows = found.failing.get(code)
        failing = 0 if rows is None else len(rows)
        records = int(counts.get(code) or 0) if frame.height else 0
        error = errors.get(code, "")
        segments = None if error else by_segment(one.rule, frame, one.applies, one.fails)
        applied[code] = rows, outcome(one.rule, records, failing, error, segments)
    return applied


def _filled(rule: Rule, frame: pl.DataFrame) -> int:
    """Records that a rule made from notes speaks of: those where something was written."""
    if rule.field is None:
        return frame.height if "problem" in frame.columns else 0
    raw = f"{rule.field}__raw"
    return frame.height - frame[raw].null_count() if raw in frame.columns else 0


def _failed_rows(found: list[pl.DataFrame]) -> pl.Series:
    errors = [part["row"] for part in found if part.height and part["severity"][0] == "error"]
    if not errors:
        return pl.Series([], dtype=pl.UInt32)
    return pl.concat(errors).unique()
