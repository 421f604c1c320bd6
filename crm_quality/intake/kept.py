"""Rows that a store keeps as they came → the RAW frame that intake made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions.source import ColumnMapping
from crm_quality.intake.cells import canonical_values, merges
from crm_quality.intake.contents import content_hashes
from crm_quality.intake.mapping import MappedField
from crm_quality.intake.records import BOOKKEEPING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition, SourceDefinition

_JOINED = " + "


def kept_records(
    rows: pl.DataFrame,
    definition: EntityDefinition,
    source: SourceDefinition | None,
    mapping: Mapping[str, str],
) -> tuple[pl.DataFrame, pl.Series]:
    """Read the rows of one batch again.

    Args:
        rows: ``source``, ``source_key``, ``row_number``, ``problem``, ``custom``, ``raw`` (JSON:
            column → text) and ``content_hash``, as they were stored.
        definition: The entity.
        source: The definition they were mapped by; null = by their column names alone.
        mapping: Field → the column it was read from, several joined by a plus sign.

    Returns:
        RAW frame, one row per row in their order; and Boolean, one per row: what was read is
        what was read the first time, by its content hash. A row whose ``raw`` is gone is not.
    """
    cells = _cells(rows["raw"])
    fields = {
        name: MappedField(columns, "source", mapping=_mapping(name, columns, source))
        for name, written in mapping.items()
        if name in definition.fields and (columns := _columns(written, cells.columns))
    }
    constants = source.constants if source is not None else {}
    records = canonical_values(cells, fields, definition, constants)
    merged = merges(cells, source)
    records = records.with_columns(
        rows["source"],
        rows["source_key"],
        rows["row_number"],
        rows["problem"],
        rows["custom"],
        rows["raw"],
        rows["content_hash"],
        pl.repeat(value=False, n=rows.height, eager=True).alias("is_deleted"),
        merged.set(merged == rows["source_key"], None).alias("merged_into"),
    )
    contents = [
        name for name in definition.fields if name in records.columns and name != "source_key"
    ]
    hashed = content_hashes(records, [*contents, "custom", "is_deleted", "merged_into"])
    same = (hashed == rows["content_hash"]).fill_null(value=False) & rows["raw"].is_not_null()
    return records.select(*contents, *BOOKKEEPING), same


def _cells(raw: pl.Series) -> pl.DataFrame:
    """One column per member of the JSON objects: text, or lists where any row has a list."""
    objects = [json.loads(text) if text is not None else {} for text in raw]
    names = dict.fromkeys(name for members in objects for name in members if name != "(row)")
    columns = {"": pl.repeat(None, len(objects), dtype=pl.String, eager=True)}
    for name in names:
        values = [members.get(name) for members in objects]
        if any(isinstance(value, list) for value in values):
            columns[name] = pl.Series(values, dtype=pl.List(pl.String))
        else:
            columns[name] = pl.Series(values, dtype=pl.String)
    return pl.DataFrame(columns)


def _columns(written: str, headers: list[str]) -> tuple[str, ...]:
    """The columns that a mapping of a batch names, of those that there are."""
    if written in headers:
        return (written,)
    parts = tuple(written.split(_JOINED))
    return parts if set(parts) <= set(headers) else ()


def _mapping(name: str, columns: tuple[str, ...], source: SourceDefinition | None) -> ColumnMapping:
    if source is not None and name in source.columns:
        return source.columns[name]
    if len(columns) == 1:
        return ColumnMapping(any_of=columns)
    return ColumnMapping(join=columns, separator=" ")
