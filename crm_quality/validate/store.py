"""Rules about many records at once, run over a store: they quarantine nothing.

Most speak of golden records. Rules about keys and sources (``references``, ``children``, ``fresh``
by source, and whatever names ``source`` or ``source_key``) speak of the records behind them, since
a key is its source's own and a golden record has several.
"""

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
from crm_quality.validate.links import disagreeing, needed_there, orphans
from crm_quality.validate.predicate import refused
from crm_quality.validate.rule import Rule, Status
from crm_quality.validate.store_columns import speaks_of_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.definitions.rules import Children, Freshness, Reference


@dataclass(frozen=True)
class StoreValidation:
    """What the store rules of one entity found.

    Attributes:
        issues: One row per record and broken rule: `crm_quality.validate.ISSUES`, ``entity_id``,
            ``record_id`` (null where the frames have none) and ``segment``: a rule about
            freshness has one row per value of the field it counts by, and no record.
        checks: One row per store rule, as `crm_quality.validate.CHECKS`.
    """

    issues: pl.DataFrame
    checks: pl.DataFrame


class _LackingError(Exception):
    """A rule needs a column or frame that is not there."""


def check_store(
    frames: Mapping[str, pl.DataFrame],
    definition: EntityDefinition,
    *,
    as_of: date | None = None,
    records: Mapping[str, pl.DataFrame] | None = None,
    entities: Mapping[str, EntityDefinition] | None = None,
) -> StoreValidation:
    """Check an entity's records against its rules of scope ``store``.

    Args:
        frames: Name of an entity → its golden records (or any standardised records): canonical
            fields, and where there are such ``entity_id``, ``source``, ``source_key``. The
            entity itself must be among them; others are needed by rules that refer to them.
        definition: The entity.
        as_of: The day that ``today`` stands for; null = today in UTC.
        records: Name of an entity → its live records with ``source`` and ``source_key``, for the
            rules that speak of those; null = ``frames``.
        entities: Name → definition of other entities, for rules that compare with their fields.

    Returns:
        Issues and checks. A rule whose columns or entities are not there is skipped, and says so.
    """
    day = as_of or datetime.now(UTC).date()
    known = {definition.entity: definition, **(entities or {})}
    golden = _Subject.of(frames, definition, day, known)
    kept = golden if records is None else _Subject.of(records, definition, day, known)
    outcomes: list[Outcome] = []
    issues: list[pl.DataFrame] = []
    for rule in catalogue(definition):
        if rule.scope != "store":
            continue
        subject = kept if speaks_of_sources(rule, definition) else golden
        try:
            ended, found = _checked(rule, subject)
        except _LackingError as lack:
            ended, found = Outcome(rule, Status.SKIPPED, 0, 0, str(lack)), None
        outcomes.append(ended)
        if found is not None:
            issues.append(found)
    return StoreValidation(
        issues=pl.concat([STORE_ISSUES.to_frame(), *issues]),
        checks=checks_frame(outcomes),
    )


#: Columns of the issues of store rules.
STORE_ISSUES = pl.Schema(
    {**ISSUES, "entity_id": pl.Int64(), "record_id": pl.Int64(), "segment": pl.String()}
)


@dataclass(frozen=True)
class _Subject:
    """What rules are applied to: the entity's frame, those of others, fields, columns and day."""

    entities: Mapping[str, EntityDefinition]
    frames: Mapping[str, pl.DataFrame]
    frame: pl.DataFrame
    context: Context

    @classmethod
    def of(
        cls,
        frames: Mapping[str, pl.DataFrame],
        definition: EntityDefinition,
        day: date,
        entities: Mapping[str, EntityDefinition],
    ) -> _Subject:
        frame = frames.get(definition.entity, pl.DataFrame())
        return cls(entities, frames, frame, Context(definition, frozenset(frame.columns), day))


def _checked(rule: Rule, subject: _Subject) -> tuple[Outcome, pl.DataFrame | None]:
    frame, stated = subject.frame, rule.record_rule
    if stated is not None and stated.fresh is not None:
        old, segments = _not_fresh(rule, stated.fresh, frame, subject.context)
        return outcome(rule, segments, old.height), old
    spoken, fails, error = _verdict(rule, subject)
    rows = fails.arg_true()
    segments_of = by_segment(rule, frame, pl.lit(spoken), pl.lit(fails))
    ended = outcome(rule, int(spoken.sum()), len(rows), error, segments_of)
    return ended, _issues(rule, frame, rows) if len(rows) else None


def _issues(rule: Rule, frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    keyed = frame.with_columns(
        pl.lit(None, pl.String).alias(name)
        for name in ("source", "source_key")
        if name not in frame.columns
    )
    issues = issues_of(rule.entity, keyed, [findings(rule, keyed, rows)])
    nothing = pl.lit(None, pl.Int64)
    ids = [
        (
            pl.lit(frame[name].gather(rows)).cast(pl.Int64) if name in frame.columns else nothing
        ).alias(name)
        for name in ("entity_id", "record_id")
    ]
    return issues.with_columns(*ids, pl.lit(None, pl.String).alias("segment"))


def _verdict(rule: Rule, subject: _Subject) -> tuple[pl.Series, pl.Series, str]:
    """Which rows a rule speaks of, which fail, and why it could not be run."""
    frame, context = subject.frame, subject.context
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
        return *_linked(stated.references, subject, spoken), ""
    if stated is not None and stated.children is not None:
        return *_childless(stated.children, subject, spoken), ""
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


def _linked(stated: Reference, subject: _Subject, spoken: pl.Series) -> tuple[pl.Series, pl.Series]:
    frame = subject.frame
    other = _frame(subject.frames, stated.entity)
    _needs(frame, "this entity", stated.field, *stated.agrees)
    _needs(other, stated.entity, *needed_there(stated))
    if not stated.agrees:
        return orphans(stated, subject.context.type_of(stated.field), frame, other, spoken)
    if stated.entity not in subject.entities:
        raise _LackingError(f"the definition of {stated.entity} was not given")
    definitions = subject.context.definition, subject.entities[stated.entity]
    return disagreeing(stated, definitions, frame, other, spoken)


def _childless(
    stated: Children, subject: _Subject, spoken: pl.Series
) -> tuple[pl.Series, pl.Series]:
    frame, other = subject.frame, _frame(subject.frames, stated.entity)
    if stated.where is not None:
        if stated.entity not in subject.entities:
            raise _LackingError(f"the definition of {stated.entity} was not given")
        definition, day = subject.entities[stated.entity], subject.context.as_of
        context = Context(definition, frozenset(other.columns), day)
        other = other.filter(expression(stated.where, context))
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
        pl.lit(stated.field).alias("field"),
        pl.lit(rule.code).alias("rule"),
        pl.lit(rule.severity.value).alias("severity"),
        pl.col("latest").cast(pl.String).alias("value"),
        pl.lit(rule.message).alias("message"),
        "segment",
    )
    nothing = [
        pl.lit(None, kind).alias(name)
        for name, kind in STORE_ISSUES.items()
        if name not in issues.columns
    ]
    return issues.with_columns(nothing).select(STORE_ISSUES.names()), latest.height
