"""Corrections laid over what a source gave, and what it gave kept so that this can be done."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.intake.contents import json_objects
from crm_quality.standardise.date import leans_on_other_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition

#: The row of a source that a correction speaks of.
ROW = ("source", "source_key", "content_hash")
_READ_AS = {FieldType.DATE: "%Y-%m-%d", FieldType.DATETIME: "%Y-%m-%dT%H:%M:%S%.fZ"}
APPLIED = pl.Schema({"version_id": pl.Int64, "field": pl.String, "correction_id": pl.Int64})


def with_corrections(
    rows: pl.DataFrame, corrections: pl.DataFrame, definition: EntityDefinition
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put stewards' words in place of the texts that a source gave.

    A row that could not be read counts as read once somebody has corrected it.

    Args:
        rows: RAW frame with ``version_id``; ``absent`` (List of text, may be missing) names the
            fields that a row's file had no column for.
        corrections: ``source``, ``source_key``, ``content_hash``, ``field``, ``new_value`` (null =
            to be empty), ``correction_id``; one per row and field.
        definition: The entity; fields that it has no longer are left out.

    Returns:
        The rows in their order, and which correction gave which value: frame of `APPLIED`. A field
        that a row has from a correction alone stays absent from the others.
    """
    known = corrections.filter(pl.col("field").is_in(list(definition.fields)))
    hits = rows.select(*ROW, "version_id").join(known, on=ROW)
    if hits.is_empty():
        return rows, APPLIED.to_frame()
    for (field,), of_field in hits.group_by("field", maintain_order=True):
        name = str(field)
        new = of_field.select("version_id", "new_value", pl.lit(value=True).alias("corrected"))
        joined = rows.select("version_id").join(
            new, on="version_id", how="left", maintain_order="left"
        )
        rows = _present_where(rows, name, joined["corrected"].is_not_null())
        own = _texts(rows, name)
        said = pl.when(joined["corrected"].is_not_null()).then(joined["new_value"])
        rows = rows.with_columns(said.otherwise(own).alias(name))
    mended = rows["version_id"].is_in(hits["version_id"].implode())
    rows = rows.with_columns(pl.when(~mended).then("problem").alias("problem"))
    return rows, hits.select(APPLIED.names())


def given_by_source(rows: pl.DataFrame, definition: EntityDefinition) -> pl.Series:
    """What a source gave, as JSON: field → text or list of texts, without empty ones."""
    fields = [n for n in definition.fields if n in rows.columns and n != "source_key"]
    return json_objects(rows, fields, only_filled=True)


def rows_of(versions: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """What a source gave, from the texts that quarantine kept: of rows that are kept no longer.

    Which columns their file had is not known then, so what is empty counts as absent. Dates whose
    reading leans on the other rows of their file are given as they were read then.

    Args:
        versions: As `crm_quality.store.quarantine.last_versions` gives them.
        definition: The entity.

    Returns:
        RAW frame in the same order: canonical fields as text, ``absent``, ``record_id``,
        ``source``, ``source_key``, ``row_number``, ``problem``, ``custom``, ``raw``,
        ``content_hash``.
    """
    fields = [name for name in definition.fields if name != "source_key"]
    dates = [n for n in definition.fields_of_type(*_READ_AS) if n in versions.columns]
    told = [_given(row, fields) for row in versions.iter_rows(named=True)]
    rows = pl.DataFrame(told, schema=dict.fromkeys(fields, pl.String)).with_columns(
        pl.when(leans_on_other_rows(pl.col(name)))
        .then(pl.coalesce(versions[name].dt.strftime(_READ_AS[definition.fields[name].type]), name))
        .otherwise(name)
        .alias(name)
        for name in dates
    )
    empty = pl.concat_list(pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in fields)
    kept = ("record_id", "source", "source_key", "row_number", "problem", "custom", "raw")
    rows = rows.with_columns(empty.list.drop_nulls().alias("absent"))
    return rows.with_columns(versions.select(*kept, "content_hash"))


def _given(version: Mapping[str, Any], fields: list[str]) -> dict[str, str | None]:
    """Field → text; of stores that did not keep it yet, what was read and what was set aside."""
    if version["given"] is not None:
        told = json.loads(version["given"])
    else:
        read = {name: version[name] for name in fields if version.get(name) is not None}
        told = {**json.loads(version["set_aside_values"] or "{}"), **read}
    return {name: _text(told.get(name)) for name in fields}


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return ";".join(str(item) for item in value) or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    return None if value is None else str(value)


def _present_where(rows: pl.DataFrame, name: str, corrected: pl.Series) -> pl.DataFrame:
    """Rows whose field ``name`` is absent, but where somebody has said what it is."""
    if "absent" in rows.columns:
        without = pl.col("absent").list.set_difference(pl.lit([name]))
        rows = rows.with_columns(
            pl.when(corrected).then(without).otherwise("absent").alias("absent")
        )
    if name in rows.columns or corrected.all():
        return rows
    before = pl.col("absent") if "absent" in rows.columns else pl.lit([], pl.List(pl.String))
    more = before.list.set_union(pl.lit([name]))
    return rows.with_columns(pl.when(corrected).then(before).otherwise(more).alias("absent"))


def _texts(rows: pl.DataFrame, name: str) -> pl.Series:
    """A column of a RAW frame as text, null where the frame has none."""
    if name not in rows.columns:
        return pl.Series(name, [None] * rows.height, dtype=pl.String)
    column = rows[name]
    return column.list.join(";") if isinstance(column.dtype, pl.List) else column.cast(pl.String)
