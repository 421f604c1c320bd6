"""A condition of the rule language → one Polars expression; null where it has no answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import EntityDefinition, FieldType
from crm_quality.definitions.moments import day_of, is_day
from crm_quality.validate.agreement import agreement
from crm_quality.validate.parts import domain, local_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import Condition
    from crm_quality.definitions.rules import Operand

_COMPARED = {"at_least": "ge", "at_most": "le", "above": "gt", "below": "lt"}
_LISTS = frozenset({FieldType.EMAILS, FieldType.PHONES})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True)
class Context:
    """What conditions are understood in.

    Attributes:
        definition: The entity whose fields they name.
        columns: The columns that the frame has; a field without one is missing everywhere.
        as_of: The day that ``today`` stands for.
    """

    definition: EntityDefinition
    columns: frozenset[str]
    as_of: date

    def type_of(self, name: str) -> FieldType:
        """The type of a field; ``source`` and the like are text."""
        field = self.definition.fields.get(name)
        return field.type if field is not None else FieldType.TEXT

    def column(self, name: str) -> pl.Expr:
        """The column of a field, all null when the frame does not have it."""
        if name in self.columns:
            return pl.col(name)
        return pl.lit(None, dtype=column_type(self.type_of(name)))


def column_type(kind: FieldType) -> pl.DataType:
    """The Polars type of a standardised column."""
    special: dict[FieldType, pl.DataType] = {
        FieldType.DATE: pl.Date(),
        FieldType.DATETIME: pl.Datetime("us", "UTC"),
        FieldType.BOOLEAN: pl.Boolean(),
        FieldType.INTEGER: pl.Int64(),
        FieldType.DECIMAL: pl.Decimal(18, 2),
        FieldType.EMAILS: pl.List(pl.String()),
        FieldType.PHONES: pl.List(pl.String()),
    }
    return special.get(kind, pl.String())


def fields_of(condition: Condition) -> Iterator[str]:
    """Names of all fields that a condition speaks of; a name may come twice."""
    if condition.field is not None:
        yield condition.field
    if condition.agrees_with is not None:
        yield condition.agrees_with
    for name in ("equals", *condition.comparisons):
        operand: Operand | None = getattr(condition, name)
        if operand is not None and operand.field is not None:
            yield operand.field
    for part in condition.parts:
        yield from fields_of(part)


def expression(condition: Condition, context: Context) -> pl.Expr:
    """The condition as an expression over the rows of a standardised frame.

    Args:
        condition: What is stated; its names were checked when it was loaded.
        context: Fields, columns and day.

    Returns:
        A Boolean expression: true, false, or null where a missing value leaves it open
        (three-valued logic, as in SQL).
    """
    if condition.all_of is not None:
        return reduce(and_, (expression(part, context) for part in condition.all_of))
    if condition.any_of is not None:
        return reduce(or_, (expression(part, context) for part in condition.any_of))
    if condition.not_ is not None:
        return ~expression(condition.not_, context)
    return reduce(and_, _tests(condition, context))


def answerable(condition: Condition, context: Context) -> pl.Expr | None:
    """Rows on which a single test can have an answer: all its fields have values.

    Null for a combination, which can have an answer though some of its fields have no value.
    """
    if condition.not_ is not None:
        return answerable(condition.not_, context)
    if condition.field is None or condition.present is not None:
        return None
    names = dict.fromkeys(fields_of(condition))
    return reduce(and_, (present(context.column(name), context.type_of(name)) for name in names))


def _tests(condition: Condition, context: Context) -> Iterator[pl.Expr]:
    name = condition.field or ""
    kind = context.type_of(name)
    column = context.column(name)
    if condition.present is not None:
        found = present(column, kind)
        yield found if condition.present else ~found
    value, kind = _part(condition, column, kind)
    if condition.equals is not None:
        day, other = _comparable(value, kind, condition.equals, context)
        yield day == other
    if condition.among is not None:
        yield (
            _as_text(value, kind).is_in([text.lower() for text in condition.among])
            if (kind is FieldType.BOOLEAN)
            else _as_text(value, kind).is_in(list(condition.among))
        )
    if condition.matches is not None:
        yield value.str.contains(condition.matches)
    for test in condition.comparisons:
        day, other = _comparable(value, kind, getattr(condition, test), context)
        yield getattr(day, _COMPARED[test])(other)
    if condition.agrees_with is not None:
        other_kind = context.type_of(condition.agrees_with)
        yield agreement(column, kind, context.column(condition.agrees_with), other_kind)


def present(column: pl.Expr, kind: FieldType) -> pl.Expr:
    """Whether there is a value; an empty list is none."""
    if kind in _LISTS:
        return (column.list.len() > 0).fill_null(value=False)
    return column.is_not_null()


def _part(condition: Condition, column: pl.Expr, kind: FieldType) -> tuple[pl.Expr, FieldType]:
    if condition.part == "domain":
        return domain(column, kind), FieldType.TEXT
    if condition.part == "local_part":
        return local_part(column), FieldType.TEXT
    if condition.part == "length":
        return column.str.len_chars().cast(pl.Int64), FieldType.INTEGER
    if condition.part == "year":
        return column.dt.year().cast(pl.Int64), FieldType.INTEGER
    return column, kind


def _as_text(value: pl.Expr, kind: FieldType) -> pl.Expr:
    is_text = column_type(kind) == pl.String()
    return value if is_text else value.cast(pl.String)


def _comparable(
    value: pl.Expr, kind: FieldType, operand: Operand, context: Context
) -> tuple[pl.Expr, pl.Expr]:
    """Both sides of a comparison in one type."""
    if operand.field is not None:
        other_kind = context.type_of(operand.field)
        other = context.column(operand.field)
        if operand.plus is not None:
            other = other.dt.offset_by(operand.plus.replace(" ", ""))
        times = {kind, other_kind}
        if times == {FieldType.DATE, FieldType.DATETIME}:
            return _day(value, kind), _day(other, other_kind)
        return value, other
    return bounded(value, kind, operand.value or "", context.as_of)


def bounded(value: pl.Expr, kind: FieldType, text: str, as_of: date) -> tuple[pl.Expr, pl.Expr]:
    """A value and the bound that ``text`` states for it, in one type."""
    if kind in {FieldType.DATE, FieldType.DATETIME}:
        if is_day(text):
            return _day(value, kind), pl.lit(day_of(text, as_of))
        return value, pl.lit(datetime.fromisoformat(text)).dt.replace_time_zone("UTC")
    if kind in _NUMBERS:
        return value.cast(pl.Float64), pl.lit(float(text))
    if kind is FieldType.BOOLEAN:
        return value, pl.lit(text.lower() in _TRUE)
    return value, pl.lit(text)


def _day(value: pl.Expr, kind: FieldType) -> pl.Expr:
    return value.dt.date() if kind is FieldType.DATETIME else value
