"""Two fields that say one thing in two ways: whether they agree."""

from __future__ import annotations

from functools import cache

import phonenumbers
import polars as pl

from crm_quality.definitions import FieldType, folded
from crm_quality.validate.parts import domain

_HOSTED = frozenset({FieldType.EMAIL, FieldType.URL, FieldType.DOMAIN})


def agreement(left: pl.Expr, kind: FieldType, right: pl.Expr, other: FieldType) -> pl.Expr:
    """Whether two columns agree, by what they hold.

    Args:
        left: Standardised column.
        kind: Its type.
        right: The other one.
        other: Its type.

    Returns:
        A Boolean expression; null where either is missing or nothing can be said.
    """
    if other is not FieldType.COUNTRY and kind is FieldType.COUNTRY:
        return agreement(right, other, left, kind)
    if other is FieldType.COUNTRY and kind is FieldType.PHONE:
        return phone_of_country(left, right)
    if kind in _HOSTED and other in _HOSTED:
        return same_domain(domain(left, kind), domain(right, other))
    if kind in {FieldType.DATE, FieldType.DATETIME, FieldType.INTEGER, FieldType.DECIMAL}:
        return left == right
    return folded(left) == folded(right)


@cache
def _calling_codes() -> dict[str, str]:
    """Region → its calling code, from the metadata of the phonenumbers library."""
    regions = {
        region: f"+{code}"
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for region in regions
    }
    return {region: code for region, code in regions.items() if region != "001"}


def phone_of_country(phone: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Whether an E.164 number begins with the calling code of an ISO 3166-1 alpha-2 country.

    Countries that share a code (``+1``, ``+44``) are not told apart.
    """
    codes = _calling_codes()
    code = country.replace_strict(
        list(codes), list(codes.values()), default=None, return_dtype=pl.String
    )
    return phone.str.starts_with(code)


def same_domain(one: pl.Expr, two: pl.Expr) -> pl.Expr:
    """Whether two hosts are of one domain: the same, or one a part of the other."""
    return (
        (one == two) | one.str.ends_with(pl.lit(".") + two) | two.str.ends_with(pl.lit(".") + one)
    )
