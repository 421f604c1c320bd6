"""The stage: raw frame in, standardised frame out, same rows in the same order."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import EntityDefinition, FieldType, SourceDefinition
from crm_quality.standardise.column import NO_NOTE, Note, note, on_distinct
from crm_quality.standardise.fields import DERIVED, STANDARDISERS, Context
from crm_quality.standardise.number import currency_words
from crm_quality.standardise.person import NAME_FIELDS, standardise_person
from crm_quality.standardise.placeholder import is_placeholder
from crm_quality.standardise.text import clean_text
from crm_quality.standardise.vocabulary import standardise_vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.standardise.date import Order

RAW, NOTE = "__raw", "__note"
#: Types of fields that hold one value → type of the field that takes further ones.
_OVERFLOW = {FieldType.EMAIL: FieldType.EMAILS, FieldType.PHONE: FieldType.PHONES}
_LISTS = frozenset(_OVERFLOW.values())
#: Rows from which on fields are read side by side.
_WORTH_A_THREAD = 20_000
_DATES = frozenset({FieldType.DATE, FieldType.DATETIME})
#: Types whose reading depends on the record's country.
_BY_COUNTRY = frozenset({FieldType.PHONE, FieldType.PHONES, FieldType.STATE, FieldType.POSTCODE})
#: What "nothing" in a country field must not be mistaken for.
_NAMIBIA = "NA"


def standardise(
    frame: pl.DataFrame | pl.LazyFrame,
    definition: EntityDefinition,
    *,
    sources: Mapping[str, SourceDefinition] | None = None,
    country: str | None = None,
) -> pl.DataFrame:
    """Bring every field into its canonical form and say what was done to it.

    The text as it came is never lost: it stays in ``<field>__raw``. Standardising a frame that is
    standardised already starts again from there. Every row is read by itself, so the function is
    safe on any partition; only dates whose day and month could be exchanged, of a source that
    declares no order, are read by the evidence of the other rows of that source.

    Args:
        frame: Records of one entity, one per row. Any of the definition's fields may be
            columns, as text or typed (dates, numbers, lists); other columns pass through, of
            which ``source`` is read.
        definition: The entity.
        sources: Source name → its definition, for country, order of dates and time zone.
        country: ISO 3166-1 alpha-2 country of phone numbers that nothing else tells.

    Returns:
        The same rows in the same order. Fields have the type of their column (text, Date,
        Datetime UTC, Boolean, Int64, Decimal(18, 2), List(String)); beside each stand
        ``<field>__raw`` String and ``<field>__note`` (see `NOTES`; null = nothing to say).
        Company names get ``<field>_core`` and ``<field>_legal_form``, phones ``<field>_extension``.
        What a field held for another one goes there: titles to ``salutation``, suffixes to
        ``name_suffix``, the currency of an amount to an empty ``currency``, parts of ``full_name``
        to theirs, further addresses and numbers of a cell to the first list field of their kind.
    """
    frame = _as_it_came(frame.lazy().collect(), definition)
    stage = _Stage(frame, definition, sources or {}, country)
    return stage.result()


class _Stage:
    """The columns of one frame while they are worked on."""

    def __init__(
        self,
        frame: pl.DataFrame,
        definition: EntityDefinition,
        sources: Mapping[str, SourceDefinition],
        country: str | None,
    ) -> None:
        self.frame = frame
        self.definition = definition
        self.fields = {n: f for n, f in definition.fields.items() if n in frame.columns}
        self.raw = {name: _as_text(frame[name]) for name in self.fields}
        self.results: dict[str, pl.DataFrame] = {}
        self.context = _context(frame, sources, country)

    def result(self) -> pl.DataFrame:
        self._read_countries()
        others = [name for name in self.fields if name not in self.results]
        if self.frame.height < _WORTH_A_THREAD:
            for name in others:
                self._read(name)
        else:
            # Polars' text functions use one core each, and let go of the interpreter's lock
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                list(pool.map(self._read, others))
        self._join_names()
        self._derive_currency()
        for kind, lists in _OVERFLOW.items():
            self._collect_others(kind, lists)
        return self._assembled()

    def _read(self, name: str) -> None:
        field = self.fields[name]
        vocabulary = self.definition.vocabularies.get(field.vocabulary or "")
        context = self.context._replace(vocabulary=vocabulary)
        frame = self.raw[name].alias("text").to_frame()
        if field.type in _BY_COUNTRY:
            frame = frame.select(context.countries.alias("country"), "text")

        def read(rows: pl.DataFrame) -> pl.DataFrame:
            cleaned = self._cleaned(rows["text"], field.type)
            texts = cleaned["text"]
            if field.type is not FieldType.VOCABULARY:
                texts = cleaned.select(pl.when(~pl.col("absent")).then("text")).to_series()
            own = context
            if field.type in _BY_COUNTRY:
                own = context._replace(countries=rows["country"])
            return _noted(cleaned, STANDARDISERS[field.type](texts, own))

        # the order of a source's dates shows in all of its rows
        self.results[name] = read(frame) if field.type in _DATES else on_distinct(frame, read)

    def _cleaned(self, raw: pl.Series, kind: FieldType) -> pl.DataFrame:
        """``text``, ``repaired`` and ``absent``: it stands for "nothing"."""
        cleaned = clean_text(raw)
        if kind is FieldType.KEY:
            return cleaned.with_columns(absent=pl.lit(value=False))
        absent = is_placeholder(cleaned["text"], self.definition.placeholders)
        if kind is FieldType.COUNTRY:
            absent &= (cleaned["text"] != _NAMIBIA).fill_null(value=True)
        return cleaned.with_columns(absent=absent)

    def _read_countries(self) -> None:
        for name, field in self.fields.items():
            if field.type is not FieldType.COUNTRY:
                continue
            self._read(name)
            country = self.results[name]["value"]
            self.context = self.context._replace(
                countries=_first_of(country, self.context.countries),
            )

    def _join_names(self) -> None:
        names = [
            name
            for name, kind in NAME_FIELDS.items()
            if name in self.results and self.fields[name].type is kind
        ]
        if not names:
            return
        read = standardise_person({name: self.results[name] for name in names})
        titles = read.pop("title")["value"]
        self.results |= {n: result for n, result in read.items() if n in self.definition.fields}
        self._derive_salutation(titles)

    def _derive_salutation(self, titles: pl.Series) -> None:
        field = self.definition.fields.get("salutation")
        vocabulary = self.definition.vocabularies.get((field and field.vocabulary) or "")
        if vocabulary is None:
            return
        value = _first_of(
            standardise_vocabulary(titles, vocabulary)["value"],
            standardise_vocabulary(titles.str.extract(r"^(\S+)"), vocabulary)["value"],
        )
        own = self.results.get("salutation", _nothing(self.frame.height))
        fills = own["value"].is_null() & value.is_not_null()
        # what was written there and is no salutation stays to be reported
        silent = fills & (own["note"].is_null() | (own["note"] == "placeholder"))
        self.results["salutation"] = own.with_columns(
            value=pl.when(fills).then(value).otherwise("value"),
            note=pl.when(silent).then(note("derived")).otherwise("note"),
        )

    def _derive_currency(self) -> None:
        """An amount that names its currency says so where the record does not."""
        field = self.definition.fields.get("currency")
        vocabulary = self.definition.vocabularies.get((field and field.vocabulary) or "")
        amounts = [n for n in self.fields if self.fields[n].type is FieldType.DECIMAL]
        if vocabulary is None or not amounts:
            return
        words = _first_of(*(currency_words(self.raw[name]) for name in amounts))
        value = standardise_vocabulary(words, vocabulary)["value"]
        own = self.results.get("currency", _nothing(self.frame.height))
        # a currency that was written and could not be read stays to be reported
        fills = (
            own["value"].is_null()
            & value.is_not_null()
            & (own["note"].is_null() | (own["note"] == "placeholder"))
        )
        self.results["currency"] = own.with_columns(
            value=pl.when(fills).then(value).otherwise("value"),
            note=pl.when(fills).then(note("derived")).otherwise("note"),
        )

    def _collect_others(self, kind: FieldType, lists: FieldType) -> None:
        target = next(iter(self.definition.fields_of_type(lists)), None)
        names = [name for name in self.results if self.definition.fields[name].type is kind]
        if target is None or not names:
            return
        empty = pl.DataFrame(schema={"value": pl.List(pl.String), "note": Note}).clear(
            self.frame.height
        )
        own = self.results.get(target, empty)
        found = [self.results[name]["others"] for name in names]
        more = [others for others in found if others.null_count() < len(others)]
        if more:
            every = pl.concat_list(
                *(pl.lit(part).fill_null([]) for part in (own["value"], *more))
            ).list.unique(maintain_order=True)
            grown = pl.any_horizontal(*(pl.lit(part).is_not_null() for part in more))
            derived = own["value"].is_null() & grown
            own = own.with_columns(
                value=pl.when(grown).then(every).otherwise("value"),
                note=pl.when(derived).then(note("derived")).otherwise("note"),
            )
        self.results[target] = own

    def _assembled(self) -> pl.DataFrame:
        columns: dict[str, pl.Series] = {}
        beside: dict[str, pl.Series] = {}
        nothing = pl.repeat(None, self.frame.height, dtype=pl.String, eager=True)
        for name, field in self.definition.fields.items():
            if name not in self.results:
                continue
            result = self.results[name]
            columns[name] = result["value"]
            for part in DERIVED.get(field.type, ()):
                beside[f"{name}_{part}"] = result[part]
            beside[f"{name}{RAW}"] = self.raw.get(name, nothing)
            beside[f"{name}{NOTE}"] = result["note"]
        return self.frame.with_columns(**columns, **beside)


def _noted(cleaned: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    # a word of the vocabulary is a word, even where others write it for "nothing"
    absent = cleaned["absent"] & read["value"].is_null()
    if absent.any():
        read = read.with_columns(note=pl.when(absent).then(note("placeholder")).otherwise("note"))
    if cleaned["repaired"].any():
        fixed = pl.when(cleaned["repaired"] & pl.col("value").is_not_null())
        read = read.with_columns(note=pl.coalesce("note", fixed.then(note("repaired"))))
    return read


def _as_it_came(frame: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """The frame before it was standardised, if it has been."""
    done = [name for name in definition.fields if f"{name}{RAW}" in frame.columns]
    if not done:
        return frame
    own = {f"{name}{ending}" for name in done for ending in (RAW, NOTE)}
    for name in done:
        own |= {f"{name}_{part}" for part in DERIVED.get(definition.fields[name].type, ())}
    raw = frame.select(pl.col(f"{name}{RAW}").alias(name) for name in done)
    return frame.with_columns(raw).drop(own, strict=False)


def _context(
    frame: pl.DataFrame, sources: Mapping[str, SourceDefinition], country: str | None
) -> Context:
    names = frame["source"].cast(pl.String) if "source" in frame.columns else None
    homes = {name: source.country for name, source in sources.items() if source.country}
    orders: dict[str, Order] = {
        name: source.date_order for name, source in sources.items() if source.date_order
    }
    nowhere = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    countries = nowhere
    if names is not None and homes:
        countries = names.replace_strict(homes, default=None, return_dtype=pl.String)
    return Context(
        countries=countries,
        country=country,
        sources=names,
        orders=orders,
        zones={name: source.time_zone for name, source in sources.items()},
        vocabulary=None,
    )


def _as_text(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if dtype == pl.String:
        return column
    if isinstance(dtype, pl.List):
        return column.list.eval(pl.element().cast(pl.String)).list.join(";")
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return column.cast(pl.String)


def _first_of(*columns: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(*(pl.lit(column) for column in columns))).to_series()


def _nothing(height: int) -> pl.DataFrame:
    value = pl.repeat(None, height, dtype=pl.String, eager=True)
    return pl.DataFrame({"value": value}).with_columns(note=NO_NOTE)
