"""Labelled pairs drawn from the truth, as a steward would have labelled them."""

from __future__ import annotations

import polars as pl

# a value that more records share is no reason to look at two of them
SHARED_BY_AT_MOST = 60


def drawn(records: pl.DataFrame, truth: pl.DataFrame, count: int, seed: int) -> pl.DataFrame:
    """Half of the pairs are the same; half are not, but share a value or stand side by side.

    Args:
        records: ``record_id`` and text fields.
        truth: ``record_id`` and ``entity_id``.
        count: How many labels.
        seed: Of the draw.

    Returns:
        ``record_id_l`` < ``record_id_r``, and ``same``.
    """
    same = _pairs(truth.rename({"entity_id": "value"}), count // 2, seed)
    hard = []
    for column in records.columns:
        if column == "record_id":
            continue
        values = records.select("record_id", value=pl.col(column)).drop_nulls()
        values = values.filter(pl.len().over("value") <= SHARED_BY_AT_MOST)
        hard += [_pairs(values, count * 4, seed), _neighbours(values)]
    entity = truth.select("record_id", "entity_id")
    pairs = pl.concat(hard).unique(maintain_order=True)
    for side in "lr":
        pairs = pairs.join(
            entity.rename({"record_id": f"record_id_{side}", "entity_id": side}),
            on=f"record_id_{side}",
        )
    apart = pairs.filter(pl.col("l") != pl.col("r")).drop("l", "r")
    apart = apart.sample(min(count - same.height, apart.height), seed=seed, shuffle=True)
    return pl.concat(
        [same.with_columns(same=pl.lit(value=True)), apart.with_columns(same=pl.lit(value=False))]
    )


def _pairs(values: pl.DataFrame, count: int, seed: int) -> pl.DataFrame:
    """At most so many of the pairs of records that share a value."""
    shared = values.filter(pl.len().over("value") > 1)
    some = shared.select("value").unique().sort("value")
    some = some.sample(min(count, some.height), seed=seed, shuffle=True)
    part = shared.join(some, on="value")
    pairs = part.join(part, on="value", suffix="_r").filter(
        pl.col("record_id") < pl.col("record_id_r")
    )
    pairs = pairs.select(record_id_l="record_id", record_id_r="record_id_r")
    pairs = pairs.unique().sort("record_id_l", "record_id_r")
    return pairs.sample(min(count, pairs.height), seed=seed, shuffle=True)


def _neighbours(values: pl.DataFrame) -> pl.DataFrame:
    """Records next to each other in the order of a value: alike at its beginning."""
    inorder = values.sort("value", "record_id")["record_id"]
    pairs = pl.DataFrame({"a": inorder.head(-1), "b": inorder.tail(-1)})
    low, high = pl.min_horizontal("a", "b"), pl.max_horizontal("a", "b")
    return pairs.select(low.alias("record_id_l"), high.alias("record_id_r"))
