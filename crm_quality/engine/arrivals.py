"""What arrived, against what is known: new, changed or unchanged, with the ids it gets."""

from __future__ import annotations

import polars as pl

_KEY = ("source", "source_key")


def arrivals(
    incoming: pl.DataFrame,
    known: pl.DataFrame,
    *,
    rules_hash: pl.Expr,
    next_record: int,
    withdrawn: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Find each row's record and whether it says anything new.

    A row is unchanged when its content and its being deleted or not are what was last heard of the
    record, read and checked by the same rules; several rows of one key are versions, in order.
    Where the last of them is what was last heard, none says anything new: the file came before.

    Args:
        incoming: RAW frame with ``source``, ``source_key``, ``content_hash``, ``is_deleted``.
        known: As `crm_quality.store.landing.known_records` gives it.
        rules_hash: What would read and check the rows, see `crm_quality.engine.rules_hash`.
        next_record: The first free record id.
        withdrawn: ``source``, ``source_key``, ``former_id`` of records that an undone run had
            brought, which have their number again; null = none.

    Returns:
        ``incoming`` in its order with ``record_id``, ``is_new`` (first row of a new record),
        ``unchanged`` and ``last_status`` (null for new records).
    """
    rows = incoming.with_row_index("_order").with_columns(
        pl.col("is_deleted").fill_null(value=False)
    )
    joined = rows.join(known, on=_KEY, how="left", maintain_order="left")
    same_rules = pl.col("last_rules") == rules_hash
    hash_before = pl.coalesce(
        pl.col("content_hash").shift(1).over(_KEY, order_by="_order"),
        pl.when(same_rules).then(pl.col("last_hash")),
    )
    deleted_before = pl.coalesce(
        pl.col("is_deleted").shift(1).over(_KEY, order_by="_order"), pl.col("ended")
    )
    ends_as_known = (
        (
            (pl.col("content_hash") == pl.col("last_hash"))
            & same_rules
            & (pl.col("is_deleted") == pl.col("ended"))
        )
        .last()
        .over(_KEY, order_by="_order")
    )
    if withdrawn is None or withdrawn.is_empty():
        again = joined.select(*_KEY).clear().with_columns(pl.lit(None, pl.Int64).alias("former_id"))
    else:
        again = withdrawn.select(*_KEY, "former_id")
    fresh = (
        joined.filter(pl.col("record_id").is_null())
        .unique(_KEY, keep="first", maintain_order=True)
        .select(*_KEY, "_order")
        .join(again, on=_KEY, how="left", maintain_order="left")
        .with_columns(
            (pl.col("former_id").is_null().cum_sum().cast(pl.Int64) - 1 + next_record).alias(
                "_free"
            )
        )
        .select(
            *_KEY,
            pl.coalesce("former_id", "_free").alias("new_id"),
            pl.col("_order").alias("_first_order"),
        )
    )
    return (
        joined.with_columns(
            (
                ((pl.col("content_hash") == hash_before) & (pl.col("is_deleted") == deleted_before))
                | ends_as_known
            )
            .fill_null(value=False)
            .alias("unchanged")
        )
        .join(fresh, on=_KEY, how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("record_id", "new_id").alias("record_id"),
            (pl.col("_order") == pl.col("_first_order")).fill_null(value=False).alias("is_new"),
        )
        .drop("new_id", "_first_order", "last_hash", "last_rules", "ended", "_order")
    )
