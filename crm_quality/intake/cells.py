"""What the cells of a row say: canonical values, deletion, merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.intake.contents import filled
from crm_quality.intake.mapping import present
from crm_quality.intake.recognition import normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, SourceDefinition
    from crm_quality.definitions.source import ColumnMapping
    from crm_quality.intake.mapping import MappedField

_LISTS = (FieldType.EMAILS, FieldType.PHONES)
_TRUE = ("true", "1", "yes", "t", "y")


def canonical_values(
    frame: pl.DataFrame,
    fields: Mapping[str, MappedField],
    definition: EntityDefinition,
    constants: Mapping[str, str],
) -> pl.DataFrame:
    """The canonical fields of each row, as text exactly as it came.

    Args:
        frame: The rows as they came.
        fields: Where each field comes from.
        definition: The entity.
        constants: Field → text where the file gives none.

    Returns:
        One column per field, in the order of the definition; blank = null. Lists stay lists in
        fields that hold lists; elsewhere their items are joined.
    """
    columns = []
    for name, field in definition.fields.items():
        if name in fields:
            mapped = fields[name]
            value = cells(
                frame,
                mapped.columns,
                mapped.mapping,
                is_list=field.type in _LISTS,
                keep_unlisted=field.vocabulary is not None,
            )
            if name in constants:
                value = value.fill_null(pl.lit(constants[name]))
            columns.append(value.alias(name))
        elif name in constants:
            columns.append(pl.repeat(constants[name], pl.len(), dtype=pl.String).alias(name))
    return frame.select(columns)


def cells(
    frame: pl.DataFrame,
    columns: Sequence[str],
    mapping: ColumnMapping,
    *,
    is_list: bool = False,
    keep_unlisted: bool = False,
) -> pl.Expr:
    """The cells of one field: blanks are null, then as the mapping says.

    Args:
        frame: The rows as they came.
        columns: The columns of the field that the file has, best first.
        mapping: What is done to the cells.
        is_list: Whether the field holds several values.
        keep_unlisted: Leave a text as it came that the mapping's ``values`` do not list: the field
            has a vocabulary, which knows it or reports it.
    """
    parts = []
    for column in columns:
        part = filled(frame, column)
        if isinstance(frame.schema[column], pl.List):
            if is_list and len(columns) == 1:
                return part
            part = part.list.join("; ", ignore_nulls=True)
        for prefix in mapping.strip_prefix:
            part = part.str.strip_prefix(prefix)
        if mapping.first_of:
            part = part.str.split(mapping.first_of).list.first()
        if mapping.split:
            part = part.str.replace_all(mapping.split, ";", literal=True)
        parts.append(part)
    if mapping.join:
        separator = "; " if is_list else mapping.separator
        value = pl.concat_str(parts, separator=separator, ignore_nulls=True)
    else:
        value = pl.coalesce(parts)
    if mapping.blank:
        nothing = value.str.strip_chars().is_in(list(mapping.blank))
        value = pl.when(~nothing).then(value)
    if mapping.values is not None:
        texts = {text.lower(): meant for text, meant in mapping.values.items()}
        compared = value.str.strip_chars().str.to_lowercase()
        meant = compared.replace_strict(texts, default=None, return_dtype=pl.String)
        value = pl.coalesce(meant, value) if keep_unlisted else meant
    return pl.when(value.str.len_bytes() > 0).then(value)


def says(frame: pl.DataFrame, marks: Mapping[str, Sequence[str]]) -> pl.Expr:
    """True where one of the columns holds one of its texts; never null."""
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
    return pl.any_horizontal(tests) if tests else pl.repeat(value=False, n=pl.len())


def deletions(frame: pl.DataFrame, source: SourceDefinition | None) -> pl.Series:
    """``is_deleted`` Boolean, never null; without a source by a column of that very name."""
    marks = source.deleted_when if source else {"is_deleted": _TRUE}
    return frame.select(says(frame, marks).alias("is_deleted")).to_series()


def merges(frame: pl.DataFrame, source: SourceDefinition | None) -> pl.Series:
    """``merged_into`` String; without a source from a column of that very name."""
    by_name = {normal(header): header for header in frame.columns}
    columns: tuple[str, ...] = ()
    if source is None:
        column = by_name.get("merged_into")
        value = filled(frame, column) if column else None
    elif source.merged_into is not None:
        columns = present(source.merged_into, by_name)
        value = cells(frame, columns, source.merged_into) if columns else None
    else:
        value = None
    if value is None:
        return pl.Series("merged_into", [None] * frame.height, dtype=pl.String)
    return frame.select(value.cast(pl.String).str.strip_chars().alias("merged_into")).to_series()
