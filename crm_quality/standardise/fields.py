"""Field type → its standardiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise.address import (
    standardise_cities,
    standardise_postcodes,
    standardise_states,
    standardise_streets,
)
from crm_quality.standardise.column import NO_NOTE
from crm_quality.standardise.company_name import standardise_company_names
from crm_quality.standardise.country import standardise_countries
from crm_quality.standardise.date import Order, standardise_dates, standardise_datetimes
from crm_quality.standardise.email import standardise_emails
from crm_quality.standardise.identifier import standardise_identifiers
from crm_quality.standardise.number import (
    standardise_booleans,
    standardise_decimals,
    standardise_integers,
)
from crm_quality.standardise.person import standardise_full_names
from crm_quality.standardise.person_name import (
    standardise_given_names,
    standardise_suffixes,
    standardise_surnames,
)
from crm_quality.standardise.phone import standardise_phones
from crm_quality.standardise.vocabulary import standardise_vocabulary
from crm_quality.standardise.web import standardise_domains, standardise_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crm_quality.definitions import Vocabulary


class Context(NamedTuple):
    """What the reading of a text depends on besides itself.

    Attributes:
        countries: ISO 3166-1 alpha-2 country of each record, or else of its source.
        country: The project's country, null if it has none.
        sources: Name of each record's source; null = there is but one.
        orders: Source → order of day and month in its dates.
        zones: Source → IANA zone of its times without one.
        vocabulary: The field's vocabulary, null if it has none.
    """

    countries: pl.Series
    country: str | None
    sources: pl.Series | None
    orders: Mapping[str, Order]
    zones: Mapping[str, str]
    vocabulary: Vocabulary | None


#: Cleaned text and its context → ``value``, ``note`` and the type's further columns.
Standardiser: TypeAlias = "Callable[[pl.Series, Context], pl.DataFrame]"


def _as_written(texts: pl.Series, _: Context) -> pl.DataFrame:
    return texts.alias("value").to_frame().with_columns(note=NO_NOTE)


def _emails(texts: pl.Series, _: Context) -> pl.DataFrame:
    return _listed(standardise_emails(texts))


def _phones(texts: pl.Series, context: Context) -> pl.DataFrame:
    read = standardise_phones(texts, context.countries, fallback=context.country)
    return _listed(read)


def _listed(read: pl.DataFrame) -> pl.DataFrame:
    """Several values of one cell as a list, which is no repair where a list is meant."""
    every = pl.concat_list("value", pl.col("others").fill_null([])).list.drop_nulls()
    return read.select(
        value=pl.when(pl.col("value").is_not_null()).then(every.list.unique(maintain_order=True)),
        note=pl.when(pl.col("others").is_null()).then("note"),
    )


def _vocabulary(texts: pl.Series, context: Context) -> pl.DataFrame:
    if context.vocabulary is None:
        return _as_written(texts, context)
    return standardise_vocabulary(texts, context.vocabulary)


STANDARDISERS: Mapping[FieldType, Standardiser] = {
    FieldType.TEXT: _as_written,
    FieldType.KEY: _as_written,
    FieldType.FULL_NAME: lambda texts, _: standardise_full_names(texts),
    FieldType.GIVEN_NAME: lambda texts, _: standardise_given_names(texts),
    FieldType.SURNAME: lambda texts, _: standardise_surnames(texts),
    FieldType.NAME_SUFFIX: lambda texts, _: standardise_suffixes(texts),
    FieldType.COMPANY_NAME: lambda texts, _: standardise_company_names(texts),
    FieldType.EMAIL: lambda texts, _: standardise_emails(texts),
    FieldType.EMAILS: _emails,
    FieldType.PHONE: lambda texts, context: standardise_phones(
        texts, context.countries, fallback=context.country
    ),
    FieldType.PHONES: _phones,
    FieldType.STREET: lambda texts, _: standardise_streets(texts),
    FieldType.CITY: lambda texts, _: standardise_cities(texts),
    FieldType.STATE: lambda texts, context: standardise_states(texts, context.countries),
    FieldType.POSTCODE: lambda texts, context: standardise_postcodes(texts, context.countries),
    FieldType.COUNTRY: lambda texts, context: standardise_countries(texts, context.vocabulary),
    FieldType.URL: lambda texts, _: standardise_urls(texts),
    FieldType.DOMAIN: lambda texts, _: standardise_domains(texts),
    FieldType.IDENTIFIER: lambda texts, _: standardise_identifiers(texts),
    FieldType.VOCABULARY: _vocabulary,
    FieldType.DATE: lambda texts, context: standardise_dates(
        texts, context.sources, orders=context.orders
    ),
    FieldType.DATETIME: lambda texts, context: standardise_datetimes(
        texts, context.sources, orders=context.orders, zones=context.zones
    ),
    FieldType.BOOLEAN: lambda texts, _: standardise_booleans(texts),
    FieldType.INTEGER: lambda texts, _: standardise_integers(texts),
    FieldType.DECIMAL: lambda texts, _: standardise_decimals(texts),
}

#: Columns that standardisers give beside ``value``, kept as ``<field>_<name>``.
DERIVED = {
    FieldType.COMPANY_NAME: ("core", "legal_form"),
    FieldType.PHONE: ("extension",),
}
