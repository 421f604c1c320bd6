"""Deduplication of one frame, with no store at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match import match_records
from crm_quality.standardise import standardise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition, SourceDefinition


def dedupe(
    frame: pl.DataFrame,
    definition: EntityDefinition,
    *,
    sources: Mapping[str, SourceDefinition] | None = None,
    country: str | None = None,
) -> pl.DataFrame:
    """Find the rows of ``frame`` that are one customer.

    Args:
        frame: One row per record, with columns named after the fields of ``definition``; text or
            typed values; other columns are left alone. Null and blank = missing.
        definition: The entity, such as ``default_rules().entity("contact")``.
        sources: Date orders and regions of the sources named in a ``source`` column.
        country: ISO 3166-1 alpha-2 region of phone numbers that nothing else tells.

    Returns:
        ``frame`` in its order with ``entity_id`` in front: the 0-based position of the first row
        of the same customer.

    Raises:
        MatchError: ``frame`` has no column to match by.
    """
    rows = frame.drop("entity_id", strict=False)
    numbered = rows.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("record_id"))
    defaults = {"source": pl.lit("frame"), "source_key": pl.col("record_id").cast(pl.String)}
    keyed = numbered.with_columns(
        value.alias(name) for name, value in defaults.items() if name not in numbered.columns
    )
    standardised = standardise(keyed, definition, sources=sources or {}, country=country)
    clusters = match_records(standardised, definition).clusters
    ids = clusters.sort("record_id").get_column("cluster_id")
    return rows.insert_column(0, ids.alias("entity_id"))
