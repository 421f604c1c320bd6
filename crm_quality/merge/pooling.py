"""Golden values that several records give together: lists, and sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Lists of addresses → the type of the fields whose losing values they take.
LISTS = {FieldType.EMAILS: FieldType.EMAIL, FieldType.PHONES: FieldType.PHONE}


def pooled(
    records: pl.DataFrame, golden: pl.DataFrame, name: str, primaries: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every address of every record that is not among the golden record's primary ones.

    Args:
        records: Of whole entities, with ``entity_id``, ``record_id``, the primary fields, and
            ``updated_at`` where there is one.
        golden: ``entity_id`` and the golden values of ``primaries``.
        name: The list field.
        primaries: Fields of one address each.

    Returns:
        ``entity_id`` and the list, of entities that have one; and its origins.
    """
    updated = "updated_at" if "updated_at" in records.columns else pl.lit(None).alias("updated_at")
    keys = ("entity_id", "record_id", updated)
    lists = records.select(*keys, pl.col(name).alias("value")).filter(
        pl.col("value").list.len() > 0
    )
    pool = pl.concat(
        [
            *(
                records.select(*keys, pl.col(column).alias("value")).drop_nulls("value")
                for column in primaries
            ),
            lists.explode("value").drop_nulls("value"),
        ]
    )
    taken = pl.concat(
        [
            pool.select("entity_id", "value").clear(),
            *(
                golden.select("entity_id", pl.col(column).alias("value")).drop_nulls("value")
                for column in primaries
            ),
        ]
    )
    left = pool.join(taken, on=["entity_id", "value"], how="anti").sort(
        "entity_id",
        "updated_at",
        "record_id",
        "value",
        descending=[False, True, False, False],
        nulls_last=True,
    )
    values = (
        left.select("entity_id", "value")
        .unique(maintain_order=True)
        .group_by("entity_id", maintain_order=True)
        .agg(pl.col("value").alias(name))
    )
    return values, _origins(left.select("entity_id", "record_id").unique(), name, "union")


def summed(records: pl.DataFrame, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sum over the records of each entity that has a value, and its origins."""
    there = records.select("entity_id", "record_id", name).drop_nulls(name)
    values = there.group_by("entity_id").agg(pl.col(name).sum())
    values = values.cast({name: records.schema[name]})
    return values, _origins(there.select("entity_id", "record_id"), name, "sum")


def _origins(givers: pl.DataFrame, name: str, rule: str) -> pl.DataFrame:
    return givers.select(
        "entity_id", pl.lit(name).alias("field"), "record_id", pl.lit(rule).alias("rule")
    )
