"""A rule about single records → two expressions: which rows it speaks of, which of them fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import Check, FieldType, RecordRule, Severity, fold, folded
from crm_quality.validate.conditions import (
    Context,
    answerable,
    bounded,
    expression,
    fields_of,
    present,
)
from crm_quality.validate.rule import Origin, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

#: True in every row; a bare literal would be one row long where a frame lacks all columns.
_EVERY_ROW = pl.repeat(value=True, n=pl.len(), dtype=pl.Boolean)


@dataclass(frozen=True)
class Compiled:
    """A rule that can be applied to a frame.

    Attributes:
        rule: The rule.
        applies: Rows that it speaks of; never null.
        fails: Rows that break it; never null, and never where it does not apply.
        lacking: Why it cannot be applied to this frame; empty when it can.
    """

    rule: Rule
    applies: pl.Expr
    fails: pl.Expr
    lacking: str = ""


def compiled(rule: Rule, context: Context) -> Compiled:
    """The rule for frames with the context's columns.

    Args:
        rule: A rule of scope ``record`` that is not made from notes. A rule stated in SQL reads
            its verdict from the column `sql_column`, which `predicate.refused` gives.
        context: Fields, columns and day.

    Returns:
        Its expressions; with ``lacking`` when the frame has none of the columns it needs.
    """
    if rule.origin is Origin.REQUIRED:
        return _required(rule, context)
    if rule.origin is Origin.VOCABULARY:
        return _vocabulary(rule, context)
    if rule.check is not None:
        return _check(rule, rule.check, context)
    assert rule.record_rule is not None  # noqa: S101 - the last origin; says so to mypy
    return _record(rule, rule.record_rule, context)


def _built(
    rule: Rule, context: Context, applies: pl.Expr | None, holds: pl.Expr, lacking: str = ""
) -> Compiled:
    every = _EVERY_ROW
    if "problem" in context.columns:
        # what a row holds that could not be read is not known: one fault, one finding
        every = every & pl.col("problem").is_null()
    applies = every if applies is None else every & applies.fill_null(value=False)
    return Compiled(rule, applies, applies & ~holds.fill_null(value=True), lacking)


def _where(rule: Check | RecordRule, context: Context) -> pl.Expr | None:
    return None if rule.where is None else expression(rule.where, context)


def _absent(names: Sequence[str], context: Context) -> str:
    missing = sorted({name for name in names if name not in context.columns})
    return f"the data have no column {', '.join(missing)}" if missing else ""


def _required(rule: Rule, context: Context) -> Compiled:
    name = rule.field or ""
    field = context.definition.fields[name]
    when = field.required_when
    applies = None if when is None else expression(when, context)
    filled = present(context.column(name), field.type)
    note = f"{name}__note"
    if rule.severity is not Severity.ERROR:
        # a value that was set aside has an issue of its own: one fault, one finding
        if note in context.columns:
            filled = filled | (pl.col(note) != "placeholder").fill_null(value=False)
        return _built(rule, context, applies, filled, _absent([name], context))
    return _built(rule, context, applies, filled)


def _check(rule: Rule, check: Check, context: Context) -> Compiled:
    name = rule.field or ""
    kind = context.type_of(name)
    column = context.column(name)
    filled, where = present(column, kind), _where(check, context)
    applies = filled if where is None else filled & where
    return _built(
        rule, context, applies, _passes(check, column, kind, context), _absent([name], context)
    )


def _passes(check: Check, column: pl.Expr, kind: FieldType, context: Context) -> pl.Expr:
    if check.regex is not None:
        found = column.str.contains(check.regex)
        return found if check.check == "pattern" else ~found
    holds = pl.lit(value=True)
    if check.check == "length":
        column, kind = column.str.len_chars(), FieldType.INTEGER
    if check.min is not None:
        value, bound = bounded(column, kind, check.min, context.as_of)
        holds &= value >= bound
    if check.max is not None:
        value, bound = bounded(column, kind, check.max, context.as_of)
        holds &= value <= bound
    return holds


def _vocabulary(rule: Rule, context: Context) -> Compiled:
    name = rule.field or ""
    field = context.definition.fields[name]
    values = context.definition.vocabularies[field.vocabulary or ""].values
    column = context.column(name)
    lacking = _absent([name], context)
    if rule.note == "deprecated":
        replaced = [value for value, details in values.items() if details.replaced_by]
        uses = column.is_in(replaced)
        if (raw := f"{name}__raw") in context.columns:
            # standardising follows a deprecated value: only what was written tells of it
            words = {
                fold(word)
                for value in replaced
                for word in (value, values[value].label, *values[value].synonyms)
            } - {""}
            uses |= folded(pl.col(raw).cast(pl.String)).is_in(sorted(words))
        return _built(rule, context, column.is_not_null(), ~uses, lacking)
    day: pl.Expr = pl.lit(context.as_of)
    if "updated_at" in context.columns:
        day = pl.col("updated_at").dt.date().fill_null(context.as_of)
    timed = {v: d for v, d in values.items() if d.valid_from or d.valid_to}
    keys = list(timed)
    first = [timed[key].valid_from for key in keys]
    last = [timed[key].valid_to for key in keys]
    starts = column.replace_strict(keys, first, default=None, return_dtype=pl.Date)
    ends = column.replace_strict(keys, last, default=None, return_dtype=pl.Date)
    valid = (day >= starts).fill_null(value=True) & (day <= ends).fill_null(value=True)
    return _built(rule, context, column.is_not_null(), valid, lacking)


def suggested(
    rule: Rule, frame: pl.DataFrame, rows: pl.Series, context: Context
) -> pl.Series | None:
    """What to write instead in the failing rows; null when the rule knows nothing better."""
    if rule.note != "deprecated" or rule.field is None:
        return None
    vocabulary = context.definition.fields[rule.field].vocabulary or ""
    values = context.definition.vocabularies[vocabulary].values
    replaced = {value: of.replaced_by for value, of in values.items() if of.replaced_by}
    found = frame[rule.field].gather(rows)
    return found.replace_strict(replaced, default=found)


def sql_column(code: str) -> str:
    """Name of the column that tells which rows the rule's SQL refuses."""
    return f"{code} refuses"


def _record(rule: Rule, stated: RecordRule, context: Context) -> Compiled:
    where = _where(stated, context)
    if stated.expect is None:
        return _built(rule, context, where, ~pl.col(sql_column(rule.code)))
    names = list(fields_of(stated.expect))
    lacking = _absent(names, context)
    some_are_there = any(name in context.columns for name in names)
    if rule.severity is Severity.ERROR or (stated.expect.parts and some_are_there):
        lacking = ""
    answered = answerable(stated.expect, context)
    if answered is not None:
        where = answered if where is None else answered & where
    return _built(rule, context, where, expression(stated.expect, context), lacking)
