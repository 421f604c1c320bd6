"""The part of the world that a record points to: country, else phone prefix, else mailbox."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import phonenumbers
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Endings of domains that are no country's ISO code.
_ENDINGS = {"uk": "GB", "eu": None, "tv": None, "me": None, "io": None, "co": None, "ai": None}


@cache
def _calling_codes() -> dict[str, str]:
    """ISO 3166-1 alpha-2 → calling code; countries that share one are one region."""
    codes = {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        codes[region] = str(phonenumbers.country_code_for_region(region))
    codes["UK"] = codes["GB"]  # what people write
    return codes


def region(
    frame: pl.DataFrame, countries: Sequence[str], phones: Sequence[str], emails: Sequence[str]
) -> pl.Series:
    """The calling code of each record's country, as text; null where nothing tells it.

    Args:
        frame: Standardised records.
        countries: Fields with ISO codes.
        phones: Fields with E.164 numbers.
        emails: Fields with addresses.
    """
    codes = _calling_codes()
    told: list[pl.Expr] = []
    for name in countries:
        iso = pl.col(name).str.to_uppercase()
        told.append(iso.replace_strict(list(codes), list(codes.values()), default=None))
    prefixes = sorted(set(codes.values()), key=lambda code: (-len(code), code))
    pattern = rf"^\+({'|'.join(prefixes)})"
    told += [pl.col(n).str.extract(pattern) for n in phones if frame.schema[n] == pl.String]
    endings = {code.lower(): number for code, number in codes.items()}
    for ending, iso_code in _ENDINGS.items():
        endings.pop(ending, None)
        if iso_code is not None:
            endings[ending] = codes[iso_code]
    for name in emails:
        if frame.schema[name] == pl.String:
            last = pl.col(name).str.extract(r"\.([A-Za-z]{2})$").str.to_lowercase()
            told.append(last.replace_strict(list(endings), list(endings.values()), default=None))
    if not told:
        return pl.Series("region", [None] * frame.height, dtype=pl.String)
    return frame.select(pl.coalesce(told).alias("region"))["region"]
