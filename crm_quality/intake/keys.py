"""What identifies a record in its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from rapidfuzz import process

from crm_quality.errors import InputError
from crm_quality.intake.contents import content_hashes
from crm_quality.intake.recognition import normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import SourceDefinition
    from crm_quality.intake.mapping import MappedField


def keys_of(
    frame: pl.DataFrame,
    values: pl.DataFrame,
    fields: Mapping[str, MappedField],
    source: SourceDefinition | None,
    key: Sequence[str] | None,
    name: str,
) -> tuple[pl.Series, list[str]]:
    """The key of every row within its source.

    Args:
        frame: The rows as they came.
        values: The same rows: canonical fields and ``source``.
        fields: Where the canonical fields come from.
        source: The definition, null = none.
        key: Columns or canonical fields given by the caller.
        name: Name of the file, for messages.

    Returns:
        Keys without null, and what to tell people. Several columns are joined by ``|``. A row
        without a key gets a hash of its mapped fields and its number among equal rows.

    Raises:
        InputError: A declared or given key column is missing.
    """
    declared = tuple(key or ()) or (source.key if source else ())
    told: list[str] = []
    if declared:
        parts = [_part(frame, values, fields, source, column, name) for column in declared]
    elif "source_key" in values.columns:
        parts = [values["source_key"]]
    else:
        parts = []
        told.append(
            "no key column: each row is known by a hash of its mapped fields, so a changed row "
            "counts as a new record; name the key with --key"
        )
    if not parts:
        return _hashed(values, fields), told
    keys = _joined(parts)
    missing = keys.null_count()
    if missing:
        told.append(f"{missing} rows have no key and are known by a hash of their mapped fields")
        keys = keys.zip_with(keys.is_not_null(), _hashed(values, fields))
    return keys, told


def _part(
    frame: pl.DataFrame,
    values: pl.DataFrame,
    fields: Mapping[str, MappedField],
    source: SourceDefinition | None,
    column: str,
    name: str,
) -> pl.Series:
    by_name = {normal(header): header for header in reversed(frame.columns) if header != "__row"}
    if column in values.columns and column in fields:
        return values[column].cast(pl.String)
    if normal(column) in by_name:
        return frame[by_name[normal(column)]].cast(pl.String)
    mapping = source.columns.get(column) if source else None
    names = mapping.names if mapping else (column,)
    best = process.extractOne(names[0], list(by_name.values()), score_cutoff=75)
    hint = f"; did you mean {best[0]!r}?" if best else ""
    wanted = " or ".join(repr(n) for n in names)
    of = f" of {source.source}" if source else ""
    raise InputError(
        f"{name}: the key column {wanted}{of} is missing{hint}. "
        "Add it to the export, or name other key columns with --key"
    )


def _joined(parts: Sequence[pl.Series]) -> pl.Series:
    cleaned = [
        pl.select(
            pl.when(part.str.strip_chars().str.len_bytes() > 0).then(part.str.strip_chars())
        ).to_series()
        for part in parts
    ]
    if len(cleaned) == 1:
        return cleaned[0]
    escaped = [
        part.str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", "\\|", literal=True)
        for part in cleaned
    ]
    filled = pl.any_horizontal(*(part.is_not_null() for part in cleaned))
    joined = pl.concat_str(*(part.fill_null("") for part in escaped), separator="|")
    return pl.select(pl.when(filled).then(joined)).to_series()


def _hashed(values: pl.DataFrame, fields: Mapping[str, MappedField]) -> pl.Series:
    """A key from what the row says, and from its number among rows that say the same."""
    hashes = content_hashes(values, sorted(set(fields) - {"source_key"}))
    numbered = pl.DataFrame({"source": values["source"], "hash": hashes}).with_columns(
        pl.int_range(1, pl.len() + 1).over("source", "hash").alias("number")
    )
    key = pl.format("row-{}", pl.col("hash"))
    again = pl.format("{}-{}", key, pl.col("number"))
    return numbered.select(pl.when(pl.col("number") > 1).then(again).otherwise(key)).to_series()
