"""Countries: ISO 3166-1 alpha-2, from codes, names and what people call them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pycountry

from crm_quality.definitions import AcceptedValue, Vocabulary, fold
from crm_quality.standardise.vocabulary import standardise_vocabulary

if TYPE_CHECKING:
    import polars as pl


@cache
def iso_countries() -> Vocabulary:
    """ISO 3166-1 as a vocabulary: alpha-2 → alpha-3, name, official and common name."""
    taken: set[str] = set()
    values = {}
    for country in pycountry.countries:
        names = [country.alpha_3, country.name]
        names += [
            getattr(country, key)
            for key in ("official_name", "common_name")
            if hasattr(country, key)
        ]
        fresh = [name for name in names if fold(name) not in taken]
        taken |= {fold(name) for name in fresh}
        values[country.alpha_2] = AcceptedValue(label=country.name, synonyms=tuple(fresh))
    return Vocabulary(vocabulary="country", values=values)


def standardise_countries(texts: pl.Series, vocabulary: Vocabulary | None = None) -> pl.DataFrame:
    """Countries as ISO 3166-1 alpha-2 codes.

    Args:
        texts: Cleaned text.
        vocabulary: Further words for countries; they win over ISO's.

    Returns:
        ``value`` String and ``note``.
    """
    return standardise_vocabulary(texts, vocabulary or iso_countries())
