"""Countries: ISO 3166-1 alpha-2, from codes, names and what people call them."""

from __future__ import annotations

from functools import cache

import polars as pl
import pycountry

from crm_quality.definitions import AcceptedValue, Vocabulary, fold
from crm_quality.standardise.column import note
from crm_quality.standardise.vocabulary import standardise_vocabulary

#: Namibia's code, and what statistics programs write for a missing value.
_NAMIBIA_OR_NONE = "NA"


@cache
def iso_countries() -> Vocabulary:
    """ISO 3166-1 as a vocabulary: alpha-2 → alpha-3, short, common and official name."""
    taken = {fold(country.alpha_2) for country in pycountry.countries}
    values = {}
    for country in pycountry.countries:
        synonyms = []
        for key in ("alpha_3", "common_name", "official_name"):
            name = getattr(country, key, None)
            if name and fold(name) not in taken:
                taken.add(fold(name))
                synonyms.append(name)
        values[country.alpha_2] = AcceptedValue(label=country.name, synonyms=tuple(synonyms))
    return Vocabulary(vocabulary="country", values=values)


def standardise_countries(texts: pl.Series, vocabulary: Vocabulary | None = None) -> pl.DataFrame:
    """Countries as ISO 3166-1 alpha-2 codes.

    Args:
        texts: Cleaned text.
        vocabulary: Codes and the words for them; ISO's own names if null.

    Returns:
        ``value`` String and ``note``: ``synonym``, ``unknown``; ``ambiguous`` for ``NA``, which is
        Namibia and "not available" (``na`` and ``n/a`` in other spellings are the latter).
    """
    result = standardise_vocabulary(texts, vocabulary or iso_countries())
    unclear = texts == _NAMIBIA_OR_NONE
    if not unclear.any():
        return result
    return result.with_columns(
        value=pl.when(~unclear).then("value"),
        note=pl.when(unclear).then(note("ambiguous")).otherwise("note"),
    )
