"""Rows that a store keeps as they came → canonical fields again, under other definitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions.source import ColumnMapping
from crm_quality.intake.cells import canonical_values
from crm_quality.intake.mapping import MappedField, map_fields, present
from crm_quality.intake.recognition import normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, SourceDefinition

_JOINED = " + "


def headers_of(raw: str) -> tuple[str, ...]:
    """The columns of a row as it came (a JSON object), without what reading added to it."""
    return tuple(name for name in json.loads(raw) if name != "(row)")


def reread(
    raw: pl.Series,
    definition: EntityDefinition,
    source: SourceDefinition | None,
    mapping: Mapping[str, str],
    *,
    follow: bool,
) -> pl.DataFrame:
    """Map rows of one header to canonical fields again.

    Args:
        raw: Rows as they came: JSON objects, column → text or list of texts; none is null.
        definition: The entity, as it is to be read.
        source: The source, as it is to be read; null = none is known.
        mapping: Field → the columns it was read from then, several joined by a plus sign.
        follow: Columns are found as `take_in` would find them today; else as they were then, and
            only a field that was not there is looked for, by its name.

    Returns:
        One column per field found, as text or lists exactly as they came (blank = null); rows
        in their order.
    """
    headers = headers_of(raw[0]) if len(raw) else ()
    if follow:
        fields = map_fields(headers, definition, source, None)
    else:
        fields = _as_then(headers, definition, source, mapping)
    fields.pop("source_key", None)
    needed = dict.fromkeys(column for mapped in fields.values() for column in mapped.columns)
    frame = _cells(raw, tuple(needed))
    constants = source.constants if source is not None else {}
    return canonical_values(frame, fields, definition, constants)


def _as_then(
    headers: Sequence[str],
    definition: EntityDefinition,
    source: SourceDefinition | None,
    mapping: Mapping[str, str],
) -> dict[str, MappedField]:
    fields = {}
    for name, written in mapping.items():
        columns = _columns(written, headers)
        if name in definition.fields and columns:
            fields[name] = MappedField(columns, "source", mapping=_cell_rule(name, columns, source))
    used = {column for mapped in fields.values() for column in mapped.columns}
    for header in headers:
        name = header.strip()
        if name in definition.fields and name not in fields and header not in used:
            fields[name] = MappedField((header,), "canonical")
    by_name = {normal(header): header for header in headers}
    for name, rule in (source.columns if source is not None else {}).items():
        if name in definition.fields and name not in fields and (found := present(rule, by_name)):
            fields[name] = MappedField(found, "source", mapping=rule)
    return {name: fields[name] for name in definition.fields if name in fields}


def _columns(written: str, headers: Sequence[str]) -> tuple[str, ...]:
    """The columns that a batch's mapping names, of those that there are."""
    if written in headers:
        return (written,)
    parts = tuple(written.split(_JOINED))
    return parts if set(parts) <= set(headers) else ()


def _cell_rule(
    name: str, columns: tuple[str, ...], source: SourceDefinition | None
) -> ColumnMapping:
    if source is not None and name in source.columns:
        return source.columns[name]
    if len(columns) == 1:
        return ColumnMapping(any_of=columns)
    return ColumnMapping(join=columns, separator=" ")


def _cells(raw: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    """The columns of the rows: text, or lists where any row has a list."""
    if not columns:
        return pl.DataFrame({"": pl.repeat(None, len(raw), dtype=pl.String, eager=True)})
    kinds = {
        name: pl.List(pl.String) if _holds_lists(raw, name) else pl.String() for name in columns
    }
    rows = raw.alias("raw").to_frame()
    return rows.select(pl.col("raw").str.json_decode(pl.Struct(kinds))).unnest("raw")


def _holds_lists(raw: pl.Series, column: str) -> bool:
    opening = f"{json.dumps(column, ensure_ascii=False)}:["
    return bool(raw.str.contains(opening, literal=True).any())
