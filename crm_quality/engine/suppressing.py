"""What arrives of people who were erased: counted, and not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.suppression import erased_keys

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.summary import RecordCounts
    from crm_quality.engine.underway import RunUnderway

_KEY = ("source", "source_key")


def without_erased(
    run: RunUnderway, rows: pl.DataFrame, definition: EntityDefinition, counts: RecordCounts
) -> pl.DataFrame:
    """Leave out rows of erased people, and let rows that hang on them hold nothing personal.

    Args:
        run: The run under way.
        rows: RAW frame of one file.
        definition: Their entity.
        counts: The rows left out are counted as received and suppressed.

    Returns:
        The other rows, in their order.
    """
    for other, belonging in definition.belongs_to.items():
        if belonging.key in rows.columns:
            rows = _without_names(run, rows, definition, other)
    gone = erased_keys(run.store, definition.entity, rows.select(_KEY))
    if gone.is_empty():
        return rows
    kept = rows.join(gone, on=_KEY, how="anti", maintain_order="left")
    counts.received += rows.height - kept.height
    counts.suppressed += rows.height - kept.height
    return kept


def _without_names(
    run: RunUnderway, rows: pl.DataFrame, definition: EntityDefinition, other: str
) -> pl.DataFrame:
    """Rows that name an erased person by key name the digest, and hold nothing personal."""
    belonging = definition.belongs_to[other]
    named = belonging.source
    source = pl.coalesce(named, "source") if named in rows.columns else pl.col("source")
    keyed = rows.with_columns(source.alias("_whose"))
    asked = keyed.select(
        pl.col("_whose").alias("source"), pl.col(belonging.key).alias("source_key")
    ).drop_nulls()
    gone = erased_keys(run.store, other, asked)
    if gone.is_empty():
        return rows
    joined = keyed.join(
        gone.rename({"source": "_whose", "source_key": belonging.key}),
        on=["_whose", belonging.key],
        how="left",
        maintain_order="left",
    )
    is_gone = pl.col("digest").is_not_null()
    personal = [
        name
        for name in (*sorted(definition.personal_fields), "raw", "custom")
        if name in rows.columns and name not in {belonging.key, named}
    ]
    changed = joined.with_columns(
        pl.coalesce("digest", belonging.key).alias(belonging.key),
        *(pl.when(~is_gone).then(pl.col(name)).alias(name) for name in personal),
    )
    if named is not None:
        told = pl.col(named) if named in rows.columns else pl.lit(None, pl.String)
        changed = changed.with_columns(
            pl.when(is_gone).then(pl.col("_whose")).otherwise(told).alias(named)
        )
    return changed.drop("digest", "_whose")
