"""Rules about many records at once, run over a store's golden records: they quarantine nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions.moments import shifted
from crm_quality.validate.catalogue import catalogue
from crm_quality.validate.checks import Outcome, by_segment, checks_frame, outcome
from crm_quality.validate.compile import compiled, sql_column
from crm_quality.validate.conditions import Context, expression
from crm_quality.validate.issues import ISSUES, findings, issues_of
from crm_quality.validate.predicate import refused
from crm_quality.validate.rule import Rule, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.definitions.rules import Children, Freshness, Reference


@dataclass(frozen=True)
class StoreValidation:
    """What the store rules of one entity found.

    Attributes:
        issues: One row per record and broken rule: `crm_quality.validate.ISSUES` and
            ``entity_id``. A rule about freshness has one row per segment, without a record.
        checks: One row per store rule, as `crm_quality.validate.CHECKS`.
    """

    issues: pl.DataFrame
    checks: pl.DataFrame


class _LackingError(Exception):
    """A rule needs a column or frame that is not there."""


def check_store(
    frames: Mapping[str, pl.DataFrame], definition: EntityDefinition, *, as_of: date | None = None
) -> StoreValidation:
    """Check an entity's records against its rules of scope ``store``.

    Args:
        frames: Name of an entity → its golden records (or any standardised records): canonical
            fields, and where there are such ``entity_id``, ``source``, ``source_key``. The
            entity itself must be among them; others are needed by rules that refer to them.
        definition: The entity.
        as_of: The day that ``today`` stands for; null = today in UTC.

    Returns:
        Issues and checks. A rule whose columns or entities are not there is skipped, and says so.
    """
    frame = frames.get(definition.entity, pl.DataFrame())
    day = as_of or datetime.now(UTC).date()
    context = Context(definition, frozenset(frame.columns), day)
    keyed = frame.with_columns(
        pl.lit(None, pl.String).alias(name)
        for name in ("source", "source_key")
        if name not in frame.columns
    )
    outcomes: list[Outcome] = []
    found: list[pl.DataFrame] = []
    fresh: list[pl.DataFrame] = []
    for rule in catalogue(definition):
        if rule.scope != "store":
            continue
        stated = rule.record_rule
        try:
            if stated is not None and stated.fresh is not None:
                old, segments = _not_fresh(rule, stated.fresh, frame, context)
                fresh.append(old)
                outcomes.append(outcome(rule, segments, old.height))
                continue
            spoken, fails, error = _verdict(rule, frames, frame, context)
        except _LackingError as lack:
            outcomes.append(Outcome(rule, Status.SKIPPED, 0, 0, str(lack)))
            continue
        rows = fails.arg_true()
        if len(rows):
            found.append(findings(rule, keyed, rows))
        segments_of = by_segment(rule, frame, pl.lit(spoken), pl.lit(fails))
        outcomes.append(outcome(rule, int(spoken.sum()), len(rows), error, segments_of))
    issues = issues_of(definition.entity, keyed, found)
    return StoreValidation(
        issues=pl.concat([_with_entity(issues, keyed, found), *fresh], how="diagonal"),
        checks=checks_frame(outcomes),
    )


def _with_entity(
    issues: pl.DataFrame, frame: pl.DataFrame, found: list[pl.DataFrame]
) -> pl.DataFrame:
    if "entity_id" not in frame.columns or issues.is_empty():
        return issues.with_columns(pl.lit(None, pl.Int64).alias("entity_id"))
    rows = pl.concat(part.select("row") for part in found).sort("row", maintain_order=True)["row"]
    return issues.with_columns(frame["entity_id"].gather(rows).cast(pl.Int64))


def _verdict(
    rule: Rule, frames: Mapping[str, pl.DataFrame], frame: pl.DataFrame, context: Context
) -> tuple[pl.Series, pl.Series, str]:
    """Which rows a rule speaks of, which fail, and why it could not be run."""
    stated = rule.record_rule
    said = rule.check or stated
    where = said.where if said is not None else None
    every = pl.repeat(value=True, n=pl.len(), dtype=pl.Boolean)
    condition = (
        every if where is None else every & expression(where, context).fill_null(value=False)
    )
    spoken = frame.select(condition.alias("-")).to_series()
    alone = (rule.field,) if rule.check is not None and rule.field is not None else None
    names = stated.unique if stated is not None else alone
    if names is not None:
        return *_repeated(names, frame, spoken), ""
    if stated is not None and stated.references is not None:
        return *_orphans(stated.references, frames, frame, spoken), ""
    if stated is not None and stated.children is not None:
        return *_childless(stated.children, frames, frame, spoken), ""
    return _one_by_one(rule, frame, context)


def _one_by_one(
    rule: Rule, frame: pl.DataFrame, context: Context
) -> tuple[pl.Series, pl.Series, str]:
    one = compiled(rule, context)
    if one.lacking:
        raise _LackingError(one.lacking)
    sql = rule.record_rule.sql if rule.record_rule is not None else None
    if sql is not None:
        refusals, errors = refused(frame, {rule.code: sql}, context)
        if rule.code in errors:
            nothing = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
            return nothing, nothing, errors[rule.code]
        frame = frame.with_columns(refusals[rule.code].alias(sql_column(rule.code)))
    verdict = frame.select(one.applies.alias("applies"), one.fails.alias("fails"))
    return verdict["applies"], verdict["fails"], ""


def _needs(frame: pl.DataFrame, entity: str, *names: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise _LackingError(f"the records of {entity} have no column {', '.join(missing)}")


def _frame(frames: Mapping[str, pl.DataFrame], entity: str) -> pl.DataFrame:
    if entity not in frames:
        raise _LackingError(f"there are no records of {entity} to compare with")
    return frames[entity]


def _repeated(
    names: tuple[str, ...], frame: pl.DataFrame, spoken: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Rows whose values occur in another row too; rows without any of the values are left out."""
    _needs(frame, "this entity", *names)
    filled = spoken & frame.select(pl.all_horizontal(pl.col(names).is_not_null())).to_series()
    values = frame.select(names).with_row_index("row").filter(filled)
    twice = values.filter(values.select(names).is_duplicated())["row"]
    return filled, _marked(twice, frame.height)


def _marked(rows: pl.Series, height: int) -> pl.Series:
    nothing = pl.repeat(value=False, n=height, dtype=pl.Boolean, eager=True)
    return nothing.scatter(rows, values=True)


def _keys(one: pl.DataFrame, two: pl.DataFrame) -> tuple[str, ...]:
    """Keys are a source's own: where both sides tell their source, it must be the same one."""
    return ("source",) if "source" in one.columns and "source" in two.columns else ()


def _orphans(
    stated: Reference, frames: Mapping[str, pl.DataFrame], frame: pl.DataFrame, spoken: pl.Series
) -> tuple[pl.Series, pl.Series]:
    other = _frame(frames, stated.entity)
    _needs(frame, "this entity", stated.field)
    _needs(other, stated.entity, stated.key)
    both = _keys(frame, other)
    filled = spoken & frame[stated.field].is_not_null()
    pointing = frame.with_row_index("row").filter(filled)
    lost = pointing.join(
        other, left_on=[*both, stated.field], right_on=[*both, stated.key], how="anti"
    )
    return filled, _marked(lost["row"], frame.height)


def _childless(
    stated: Children, frames: Mapping[str, pl.DataFrame], frame: pl.DataFrame, spoken: pl.Series
) -> tuple[pl.Series, pl.Series]:
    other = _frame(frames, stated.entity)
    _needs(frame, "this entity", stated.key)
    _needs(other, stated.entity, stated.field)
    both = _keys(frame, other)
    counts = other.group_by([*both, pl.col(stated.field).alias(stated.key)]).agg(
        pl.len().cast(pl.Int64).alias("number of children")
    )
    number = frame.join(counts, on=[*both, stated.key], how="left", maintain_order="left")[
        "number of children"
    ].fill_null(0)
    fails = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    if stated.min is not None:
        fails = fails | (number < stated.min)
    if stated.max is not None:
        fails = fails | (number > stated.max)
    return spoken, fails & spoken


def _not_fresh(
    rule: Rule, stated: Freshness, frame: pl.DataFrame, context: Context
) -> tuple[pl.DataFrame, int]:
    """An issue per segment whose latest day is too long ago, and the number of segments."""
    _needs(frame, "this entity", stated.field, *([stated.by] if stated.by else []))
    oldest = shifted(context.as_of, stated.within, back=True)
    segment = pl.col(stated.by).cast(pl.String) if stated.by else pl.lit(None, pl.String)
    latest = (
        frame.group_by(segment.alias("segment"))
        .agg(pl.col(stated.field).max().cast(pl.Date).alias("latest"))
        .sort("segment")
    )
    old = latest.filter(pl.col("latest").is_null() | (pl.col("latest") < oldest))
    by_source = stated.by == "source"
    issues = old.select(
        pl.lit(rule.entity).alias("entity"),
        (pl.col("segment") if by_source else pl.lit(None, pl.String)).alias("source"),
        pl.lit(None, pl.String).alias("source_key"),
        pl.lit(None, pl.Int64).alias("row_number"),
        pl.lit(stated.field).alias("field"),
        pl.lit(rule.code).alias("rule"),
        pl.lit(rule.severity.value).alias("severity"),
        pl.col("latest").cast(pl.String).alias("value"),
        pl.lit(rule.message).alias("message"),
        pl.lit(None, pl.String).alias("suggestion"),
        pl.lit(None, pl.Int64).alias("entity_id"),
    )
    return issues.select(*ISSUES, "entity_id"), latest.height
