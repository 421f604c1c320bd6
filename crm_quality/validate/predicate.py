"""SQL predicates of rules, run by DuckDB over a frame: which rows they refuse."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from crm_quality.definitions.entity import COLUMN_TYPES
from crm_quality.definitions.predicate import AS_OF, predicate_fields
from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.validate.conditions import Context


def refused(
    frame: pl.DataFrame, predicates: Mapping[str, str], context: Context
) -> tuple[dict[str, pl.Series], dict[str, str]]:
    """Which rows each predicate refuses.

    Args:
        frame: A standardised frame.
        predicates: Code of a rule → its SQL, checked when it was loaded.
        context: Fields, columns and day.

    Returns:
        Code → Boolean, one per row, true where the predicate is false (null passes, as a missing
        value does elsewhere); and code → reason, for those that stopped on some value.
    """
    refusals: dict[str, pl.Series] = {}
    errors: dict[str, str] = {}
    if not predicates:
        return refusals, errors
    types = {
        name: COLUMN_TYPES.get(context.type_of(name), "VARCHAR")
        for name in (*context.definition.fields, "source")
    }
    with connect(closed=True) as connection:
        for code, sql in predicates.items():
            names = _fields(sql, tuple(types.items()))
            needed = frame.select(
                pl.int_range(pl.len()).alias("position of the row"),
                *[_naive(context.column(name), frame, name) for name in names],
            ).with_columns(pl.lit(context.as_of).alias(AS_OF))
            connection.register("records", needed)
            query = f'SELECT NOT ({sql}\n) AS refused FROM records ORDER BY "position of the row"'  # noqa: S608 - a checked expression
            try:
                table = connection.sql(query).to_arrow_table()
            except duckdb.Error as error:
                errors[code] = _without_values(str(error).splitlines()[0])
            else:
                refusals[code] = pl.DataFrame(table).to_series().fill_null(value=False)
            connection.unregister("records")
    return refusals, errors


@cache
def _fields(sql: str, types: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(sorted(predicate_fields(sql, dict(types))))


def _naive(column: pl.Expr, frame: pl.DataFrame, name: str) -> pl.Expr:
    """Times as UTC without a zone: DuckDB then needs no zone data."""
    if isinstance(frame.schema.get(name), pl.Datetime):
        column = column.dt.replace_time_zone(None)
    return column.alias(name)


def _without_values(message: str) -> str:
    """DuckDB quotes the value that it stopped on, which may be personal."""
    return re.sub(r"(['\"]).*?\1", "…", message)
