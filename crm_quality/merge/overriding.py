"""Values that somebody put in the place of what the records say, as they are kept: as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

    from crm_quality.definitions import EntityDefinition, Survivorship

#: What survivorship reads of overrides; one row per entity and field.
OVERRIDES = pl.Schema(
    {
        "entity_id": pl.Int64(),
        "field": pl.String(),
        "value": pl.String(),
        "record_id": pl.Int64(),
        "rule": pl.String(),
        "override_id": pl.Int64(),
    }
)
#: Strategies by which what restricts most survives.
RESTRICTING = frozenset({"any_true", "most_restrictive"})
_BETWEEN = ";"
_TIME = "%Y-%m-%dT%H:%M:%S%.6f"


def kept_text(column: pl.Series) -> pl.Series:
    """A canonical column as text that `typed` turns back; an empty list is nothing."""
    if isinstance(column.dtype, pl.List):
        text = column.list.join(_BETWEEN)
        return pl.select(pl.when(pl.lit(text).str.len_bytes() > 0).then(pl.lit(text))).to_series()
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.dt.strftime(_TIME)
    return column.cast(pl.String)


def typed(text: pl.Series, dtype: PolarsDataType) -> pl.Series:
    """Kept texts as values of a column; what has no reading in it is null."""
    if isinstance(dtype, pl.List):
        return text.str.split(_BETWEEN).cast(dtype)
    if isinstance(dtype, pl.Datetime):
        moment = text.str.to_datetime(_TIME, strict=False, time_unit=dtype.time_unit)
        return moment if dtype.time_zone is None else moment.dt.replace_time_zone("UTC")
    if dtype == pl.Date:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Boolean:
        return text.replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return text.cast(dtype, strict=False)


def restrictiveness(value: pl.Expr, rule: Survivorship) -> pl.Expr:
    """Place of a value from the most restrictive on; of a missing one it is the last."""
    order = ("true", "false") if rule.strategy == "any_true" else rule.order
    places = {word: place for place, word in enumerate(order)}
    place = value.cast(pl.String).replace_strict(places, default=len(order), return_dtype=pl.Int64)
    return place.fill_null(len(order))


def not_loosening(
    said: pl.DataFrame, golden: pl.DataFrame, definition: EntityDefinition
) -> pl.DataFrame:
    """Overrides without those that are less restrictive than what the records say.

    An opt-out that any record tells stands, whatever was pinned: a pin can restrict, never widen.
    """
    for name in said["field"].unique():
        rule = definition.fields[name].survivorship
        if rule.strategy not in RESTRICTING:
            continue
        both = said.filter(pl.col("field") == name).join(
            golden.select("entity_id", pl.col(name).cast(pl.String).alias("own")), on="entity_id"
        )
        looser = both.filter(
            restrictiveness(pl.col("value"), rule) > restrictiveness(pl.col("own"), rule)
        )
        said = said.join(looser.select("entity_id", "field"), on=["entity_id", "field"], how="anti")
    return said


def overridden(golden: pl.DataFrame, overrides: pl.DataFrame, name: str) -> pl.DataFrame:
    """Golden records with what overrides say of field ``name``; a null value makes it empty."""
    of_field = overrides.filter(pl.col("field") == name)
    if of_field.is_empty():
        return golden
    said = of_field.select(
        "entity_id",
        typed(of_field["value"], golden.schema[name]).alias("_said"),
        pl.lit(value=True).alias("_is_said"),
    )
    joined = golden.select("entity_id").join(
        said, on="entity_id", how="left", maintain_order="left"
    )
    value = pl.when(pl.lit(joined["_is_said"])).then(pl.lit(joined["_said"])).otherwise(name)
    return golden.with_columns(value.alias(name))
