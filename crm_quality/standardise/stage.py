"""The stage: raw frame in, standardised frame out, same rows in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crm_quality.definitions import EntityDefinition, FieldType, SourceDefinition
from crm_quality.standardise.column import NO_NOTE, note
from crm_quality.standardise.country import standardise_countries
from crm_quality.standardise.date import standardise_dates, standardise_datetimes
from crm_quality.standardise.email import standardise_emails
from crm_quality.standardise.number import (
    standardise_booleans,
    standardise_decimals,
    standardise_integers,
)
from crm_quality.standardise.phone import standardise_phones
from crm_quality.standardise.placeholder import is_placeholder
from crm_quality.standardise.text import clean_text
from crm_quality.standardise.vocabulary import standardise_vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping


class Context(NamedTuple):
    """What a field's reading depends on besides its own text."""

    definition: EntityDefinition
    regions: pl.Series


def standardise(
    frame: pl.DataFrame | pl.LazyFrame,
    definition: EntityDefinition,
    *,
    sources: Mapping[str, SourceDefinition] | None = None,
    country: str | None = None,
) -> pl.DataFrame:
    """Bring every field of ``frame`` into its canonical form."""
    frame = frame.lazy().collect()
    names = [name for name in definition.fields if name in frame.columns]
    new: dict[str, pl.Series] = {}
    order = sorted(names, key=lambda name: definition.fields[name].type is not FieldType.COUNTRY)
    regions = _regions(frame, sources or {}, country)
    for name in order:
        raw = _as_text(frame[name])
        cleaned = clean_text(raw)
        texts = cleaned["text"]
        kind = definition.fields[name].type
        absent = (
            is_placeholder(texts, definition.placeholders)
            if kind is not FieldType.KEY
            else pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
        )
        if absent.any():
            texts = pl.select(pl.when(~absent).then(texts)).to_series()
        result = _standardised(name, texts, Context(definition, regions))
        result = result.with_columns(
            note=pl.when(absent)
            .then(note("placeholder"))
            .otherwise(pl.coalesce("note", pl.when(cleaned["repaired"]).then(note("repaired"))))
        )
        new[name] = result["value"]
        new[f"{name}__raw"] = raw
        new[f"{name}__note"] = result["note"]
        if kind is FieldType.COUNTRY:
            regions = pl.select(pl.coalesce(result["value"], regions)).to_series()
    return frame.with_columns(**new)


def _regions(
    frame: pl.DataFrame, sources: Mapping[str, SourceDefinition], country: str | None
) -> pl.Series:
    of_source = {name: source.country for name, source in sources.items() if source.country}
    fallback = pl.lit(country, dtype=pl.String)
    if not of_source or "source" not in frame.columns:
        return frame.select(pl.repeat(country, pl.len(), dtype=pl.String)).to_series()
    known = pl.col("source").cast(pl.String).replace_strict(of_source, default=None)
    return frame.select(pl.coalesce(known, fallback)).to_series()


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column
    if isinstance(column.dtype, pl.List):
        return column.list.eval(pl.element().cast(pl.String)).list.join(";")
    return column.cast(pl.String)


def _standardised(name: str, texts: pl.Series, context: Context) -> pl.DataFrame:  # noqa: PLR0911
    field = context.definition.fields[name]
    match field.type:
        case FieldType.EMAIL:
            return standardise_emails(texts)
        case FieldType.PHONE:
            return standardise_phones(texts, context.regions)
        case FieldType.EMAILS | FieldType.PHONES:
            return pl.DataFrame({"value": texts.str.split(";")}).with_columns(note=NO_NOTE)
        case FieldType.COUNTRY:
            return standardise_countries(texts)
        case FieldType.VOCABULARY:
            return standardise_vocabulary(
                texts, context.definition.vocabularies[str(field.vocabulary)]
            )
        case FieldType.DATE:
            return standardise_dates(texts)
        case FieldType.DATETIME:
            return standardise_datetimes(texts)
        case FieldType.BOOLEAN:
            return standardise_booleans(texts)
        case FieldType.INTEGER:
            return standardise_integers(texts)
        case FieldType.DECIMAL:
            return standardise_decimals(texts)
        case _:
            return pl.DataFrame({"value": texts}).with_columns(note=NO_NOTE)
