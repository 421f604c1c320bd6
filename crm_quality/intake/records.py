"""A table → source records: canonical fields, keys, deletions, and the row as it came."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType, SourceDefinition
from crm_quality.errors import InputError
from crm_quality.intake.contents import content_hashes, filled, json_objects
from crm_quality.intake.keys import keys_of
from crm_quality.intake.mapping import (
    Drift,
    MappedField,
    drift_of,
    is_ignored,
    map_fields,
    present,
)
from crm_quality.intake.recognition import normal, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.definitions.source import ColumnMapping
    from crm_quality.intake.table import Table

#: Columns of a RAW frame besides the canonical fields.
BOOKKEEPING = pl.Schema(
    {
        "source": pl.String,
        "source_key": pl.String,
        "row_number": pl.Int64,
        "is_deleted": pl.Boolean,
        "merged_into": pl.String,
        "problem": pl.String,
        "custom": pl.String,
        "raw": pl.String,
        "content_hash": pl.String,
    }
)
_LISTS = (FieldType.EMAILS, FieldType.PHONES)
_LEAST_CANONICAL = 3


@dataclass(frozen=True)
class Intake:
    """One file or frame as source records.

    Attributes:
        records: Entity → RAW frame: canonical fields as text exactly as it came (blank = null),
            and the columns of `BOOKKEEPING`.
        source: Name of the source; of the rows without one of their own, where a column names it.
        origin: Name of the file.
        file_hash: SHA-256 of the file's bytes; of a frame, of its records.
        mapping: Canonical field → the columns it comes from and how that was found.
        unmapped: Columns kept as custom fields.
        drift: How the file differs from what its source declares.
        skipped: Rows that the source declares to be no records.
        recognised: Name of the definition that was used; null = none fits.
        warnings: What people should know.
    """

    records: dict[str, pl.DataFrame]
    source: str
    origin: str
    file_hash: str
    mapping: dict[str, MappedField]
    unmapped: tuple[str, ...] = ()
    drift: Drift = Drift()
    skipped: int = 0
    recognised: str | None = None
    warnings: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """What to tell people, one sentence each, beginning with the file's name."""
        return [f"{self.origin}: {warning}" for warning in self.warnings]

    def mapping_columns(self) -> dict[str, str]:
        """Canonical field → the file's column, several joined by a plus sign."""
        return {name: " + ".join(mapped.columns) for name, mapped in self.mapping.items()}


def take_in(  # noqa: PLR0913 - each says one thing about the file
    table: Table,
    rules: RuleSet,
    *,
    entity: str = "contact",
    source: str | SourceDefinition | None = None,
    key: Sequence[str] | None = None,
    mapping: Mapping[str, str | Sequence[str]] | None = None,
) -> Intake:
    """Turn a table into source records.

    Args:
        table: As `read` gives it.
        rules: The project's definitions.
        entity: What a row stands for where no source says it.
        source: Name of a source, which need not be defined, or a definition; null = recognised
            from the header, or named in a column ``source`` of a file with canonical names.
        key: Columns that together identify a record; null = as the source declares, else
            ``source_key``, else a hash of the row.
        mapping: Canonical field → column or columns, for what is not found by itself.

    Returns:
        The records; every row of the table is one, except those the source declares to be none.

    Raises:
        InputError: A declared key column is missing, a given column does not exist, or the file
            differs from a source that says ``on_drift: fail``.
        NotFoundError: There is no such entity.
    """
    found, told = _source(table, rules, source)
    definition = rules.entity(found.entity if found else entity)
    warnings = [*table.warnings, *told]
    fields = map_fields(table.headers, definition, found, mapping)
    names = _source_column(table.headers, fields, definition, found)
    default = source.source if isinstance(source, SourceDefinition) else source
    name = default or (found.source if found else _name_of(table.name))
    if names is not None:
        fields.pop("lead_source", None) if _is(fields, "lead_source", names) else None
        warnings.append("the column 'source' names the source of each row")
    elif default is None and found is None:
        warnings.append(f"no known source: the records are kept under the name {name!r}")
    frame = table.frame.with_row_index("__row").with_columns(pl.col("__row").cast(pl.Int64))
    frame, skipped = _kept(frame, found)
    if skipped:
        warnings.append(f"{skipped} rows are no records by the rules of {name} and were skipped")
    custom = _custom_columns(table.headers, fields, found, names)
    drift = _drift(table, found, custom, warnings)
    fields = _checked_guesses(frame, fields, warnings)
    values = _values(frame, fields, definition, found, name, names)
    values = values.with_columns(_deletions(frame, found), _merges(frame, found))
    values = values.with_columns(
        json_objects(frame, sorted(custom), only_filled=True).alias("custom")
    )
    source_key, key_told = keys_of(frame, values, fields, found, key, table.name)
    warnings += key_told
    contents = [n for n in definition.fields if n in values.columns and n != "source_key"]
    hashed = content_hashes(values, [*contents, "custom", "is_deleted", "merged_into"])
    records = values.select(
        *(field for field in definition.fields if field in contents),
        "source",
        source_key.alias("source_key"),
        (frame["__row"] + table.first_row).alias("row_number"),
        "is_deleted",
        pl.when(pl.col("merged_into") != source_key).then("merged_into").alias("merged_into"),
        pl.Series("problem", [None] * values.height, dtype=pl.String),
        "custom",
        json_objects(frame, table.headers).alias("raw"),
        hashed.alias("content_hash"),
    )
    records = _with_problems(records, table, warnings)
    _tell_of_guesses(fields, warnings)
    file_hash = table.file_hash or hashlib.sha256("".join(hashed).encode()).hexdigest()
    return Intake(
        {definition.entity: records},
        name,
        table.name,
        file_hash,
        fields,
        tuple(custom),
        drift,
        skipped,
        found.source if found else None,
        tuple(warnings),
    )


def _source(
    table: Table, rules: RuleSet, source: str | SourceDefinition | None
) -> tuple[SourceDefinition | None, list[str]]:
    if isinstance(source, SourceDefinition):
        return source, []
    if source is not None and source in rules.sources:
        return rules.sources[source], []
    found = recognise(table.headers, rules.sources)
    if found is None:
        return None, []
    told = f"recognised as {found.source}" + (f" ({found.title})" if found.title else "")
    return found, [told]


def _name_of(file: str) -> str:
    """A name for an unknown source that next month's export has too: without date and number."""
    stem = PurePath(file).stem
    return re.sub(r"[-_ .(]*\d[\d\-_ .:T()]*$", "", stem).strip() or "file"


def _source_column(
    headers: Sequence[str],
    fields: Mapping[str, MappedField],
    definition: EntityDefinition,
    found: SourceDefinition | None,
) -> str | None:
    if found is not None or "source" in definition.fields or "source" not in headers:
        return None
    canonical = sum(header in definition.fields for header in headers)
    if _is(fields, "lead_source", "source") and fields["lead_source"].how == "given":
        return None
    return "source" if "source_key" in headers or canonical >= _LEAST_CANONICAL else None


def _is(fields: Mapping[str, MappedField], name: str, column: str) -> bool:
    return name in fields and column in fields[name].columns


def _kept(
    frame: pl.DataFrame, source: SourceDefinition | None
) -> tuple[pl.DataFrame, int]:
    if source is None or not source.skip_when:
        return frame, 0
    kept = frame.filter(~_any_says(frame, source.skip_when))
    return kept, frame.height - kept.height


def _any_says(frame: pl.DataFrame, marks: Mapping[str, Sequence[str]]) -> pl.Expr:
    """True where one of the columns holds one of its texts."""
    by_name = {normal(header): header for header in frame.columns}
    tests = [
        pl.col(by_name[normal(column)])
        .cast(pl.String)
        .str.strip_chars()
        .str.to_lowercase()
        .is_in([text.lower() for text in texts])
        .fill_null(value=False)
        for column, texts in marks.items()
        if normal(column) in by_name
    ]
    return pl.any_horizontal(tests) if tests else pl.lit(value=False)


def _custom_columns(
    headers: Sequence[str],
    fields: Mapping[str, MappedField],
    source: SourceDefinition | None,
    names: str | None,
) -> list[str]:
    used = {column for mapped in fields.values() for column in mapped.columns}
    used |= {names} if names else set()
    taken: set[str] = set()
    if source is not None:
        taken = {normal(column) for column in (*source.deleted_when, *source.skip_when)}
        taken |= {normal(n) for n in (source.merged_into.names if source.merged_into else ())}
    return [
        header
        for header in headers
        if header not in used and normal(header) not in taken and not is_ignored(source, header)
    ]


def _drift(
    table: Table, source: SourceDefinition | None, custom: Sequence[str], warnings: list[str]
) -> Drift:
    if source is None:
        return Drift()
    drift = drift_of(table.headers, source, custom)
    told = []
    if drift.missing:
        told.append(f"columns of {source.source} that are missing: {', '.join(drift.missing)}")
    if drift.unknown:
        told.append(
            f"columns that {source.source} does not know, kept as custom fields: "
            f"{', '.join(drift.unknown)}"
        )
    if told and source.on_drift == "fail":
        raise InputError(
            f"{table.name}: {'; '.join(told)}. The source says on_drift: fail; correct the export, "
            f"or add the columns to the source's definition"
        )
    warnings += told
    return drift


def _checked_guesses(
    frame: pl.DataFrame, fields: dict[str, MappedField], warnings: list[str]
) -> dict[str, MappedField]:
    """Drop a guessed key whose values do not tell the rows apart."""
    guessed = fields.get("source_key")
    if guessed is None or guessed.how != "guess":
        return fields
    column = frame[guessed.columns[0]].cast(pl.String)
    if column.null_count() == 0 and column.n_unique() == frame.height:
        return fields
    warnings.append(f"the column {guessed.columns[0]!r} does not tell the rows apart: no key")
    return {name: mapped for name, mapped in fields.items() if name != "source_key"}


def _values(  # noqa: PLR0913 - what the values of one file depend on
    frame: pl.DataFrame,
    fields: Mapping[str, MappedField],
    definition: EntityDefinition,
    source: SourceDefinition | None,
    name: str,
    names: str | None,
) -> pl.DataFrame:
    """Canonical fields and ``source``, one row per row of ``frame``."""
    columns = [
        _cells(frame, mapped.columns, mapped.mapping,
               is_list=definition.fields[field].type in _LISTS).alias(field)
        for field, mapped in fields.items()
    ]
    own = filled(frame, names).str.strip_chars() if names else pl.lit(None, pl.String)
    columns.append(own.fill_null(name).alias("source"))
    values = frame.select(columns) if fields or names else frame.select(
        pl.repeat(name, frame.height, dtype=pl.String).alias("source")
    )
    for field, text in (source.constants if source else {}).items():
        constant = pl.lit(text)
        if field in values.columns:
            constant = pl.col(field).fill_null(constant)
        values = values.with_columns(constant.alias(field))
    return values


def _cells(
    frame: pl.DataFrame, columns: Sequence[str], mapping: ColumnMapping, *, is_list: bool
) -> pl.Expr:
    """The cells of a field: blanks are null, then as the mapping says."""
    parts = []
    for column in columns:
        part = filled(frame, column)
        if isinstance(frame.schema[column], pl.List):
            if is_list and len(columns) == 1:
                return part
            part = part.list.join("; ", ignore_nulls=True)
        for prefix in mapping.strip_prefix:
            part = part.str.strip_prefix(prefix)
        if mapping.split:
            part = part.str.replace_all(mapping.split, ";", literal=True)
        parts.append(part)
    separator = "; " if is_list else mapping.separator
    cells = (
        pl.concat_str(parts, separator=separator, ignore_nulls=True)
        if mapping.join
        else pl.coalesce(parts)
    )
    if mapping.blank:
        cells = pl.when(~cells.str.strip_chars().is_in(list(mapping.blank))).then(cells)
    if mapping.values is not None:
        texts = {text.lower(): value for text, value in mapping.values.items()}
        cells = cells.str.strip_chars().str.to_lowercase().replace_strict(
            texts, default=None, return_dtype=pl.String
        )
    return pl.when(cells.str.len_bytes() > 0).then(cells)


def _deletions(frame: pl.DataFrame, source: SourceDefinition | None) -> pl.Series:
    says = _any_says(frame, source.deleted_when) if source else pl.lit(value=False)
    return frame.select(
        pl.when(says).then(pl.lit(value=True)).otherwise(pl.repeat(False, pl.len()))
        .alias("is_deleted")
    ).to_series()


def _merges(frame: pl.DataFrame, source: SourceDefinition | None) -> pl.Series:
    nothing = pl.Series("merged_into", [None] * frame.height, dtype=pl.String)
    if source is None or source.merged_into is None:
        return nothing
    by_name = {normal(header): header for header in frame.columns}
    columns = present(source.merged_into, by_name)
    if not columns:
        return nothing
    cells = _cells(frame, columns, source.merged_into, is_list=False)
    return frame.select(cells.str.strip_chars().alias("merged_into")).to_series()


def _with_problems(records: pl.DataFrame, table: Table, warnings: list[str]) -> pl.DataFrame:
    if table.problems.is_empty():
        return records
    counts = table.problems["problem"].value_counts(sort=True)
    for problem, count in counts.iter_rows():
        warnings.append(f"{count} rows with the problem {problem}")
    odd = table.problems.select(
        (pl.col("row") + table.first_row).alias("row_number"),
        pl.col("problem").alias("__problem"),
        pl.col("text").map_elements(json.dumps, return_dtype=pl.String).alias("__text"),
    )
    joined = records.join(odd, on="row_number", how="left", maintain_order="left")
    with_text = pl.col("raw").str.strip_suffix("}") + ',"(row)":' + pl.col("__text") + "}"
    return joined.with_columns(
        pl.col("__problem").alias("problem"),
        pl.when(pl.col("__text").is_not_null()).then(with_text).otherwise("raw").alias("raw"),
    ).drop("__problem", "__text")


def _tell_of_guesses(fields: Mapping[str, MappedField], warnings: list[str]) -> None:
    guessed = [
        f"{mapped.columns[0]} → {name} ({mapped.confidence:.0%})"
        for name, mapped in fields.items()
        if mapped.how == "guess"
    ]
    if guessed:
        warnings.append(f"guessed from the header: {', '.join(guessed)}")


__all__ = ["BOOKKEEPING", "Intake", "take_in"]
