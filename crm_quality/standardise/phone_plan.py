"""Numbering plans as expressions: what the phonenumbers library does, for many numbers at once.

Patterns, lengths and rules are read from the library's own metadata, so they cannot drift from
it. The steps are those of ``phonenumbers.parse``, ``is_possible_number_with_reason`` and
``is_valid_number`` (libphonenumber, Google) for numbers of ASCII digits.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    country_code_for_region,
    region_code_for_country_code,
)

from crm_quality.standardise.column import on_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewest and most digits of a national number that the library reads.
_LEAST, _MOST = 2, 17

_TYPES = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)


#: All country calling codes, as alternatives of a pattern; none begins another.
CALLING_CODES = "|".join(str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE))


def read_international(rest: pl.Series, code: int) -> pl.DataFrame:
    """Numbers whose country calling code is known.

    Args:
        rest: Digits after the calling code.
        code: The calling code.

    Returns:
        ``number`` String: E.164 where the length is possible, else null; ``valid`` Boolean.
    """
    return _finished(rest, code, _metadata(code, region_code_for_country_code(code)))


def read_national(digits: pl.Series, region: str) -> pl.DataFrame:
    """Numbers without a country calling code, as dialled in ``region``.

    Args:
        digits: All digits of the number. Numbers that begin with the region's international
            prefix (``00``, ``011``) are not read: see `without_international_prefix`.
        region: ISO 3166-1 alpha-2 code, known to the library.

    Returns:
        As `read_international`.
    """
    code = country_code_for_region(region)
    metadata = _metadata(code, region)
    frame = _finished(digits, code, metadata)
    # dialled with the country code, but without the plus sign?
    suspects = digits.str.starts_with(str(code))
    if not suspects.any():
        return frame
    return on_rows(
        frame.with_columns(digits=digits),
        suspects,
        lambda rows: _with_or_without_code(rows, code, metadata),
    ).drop("digits")


def _with_or_without_code(
    frame: pl.DataFrame,
    code: int,
    metadata: Any,  # noqa: ANN401
) -> pl.DataFrame:
    after = frame["digits"].str.slice(len(str(code)))
    frame = frame.with_columns(bare=_without_national_prefix(after, metadata))
    better = _is_general(pl.col("bare"), metadata) & ~_is_general(pl.col("digits"), metadata)
    too_long = pl.col("digits").str.len_bytes() > max(metadata.general_desc.possible_length)
    main = _metadata(code, region_code_for_country_code(code))
    return on_rows(
        frame.select("number", "valid", "bare"),
        frame.select(better | too_long).to_series(),
        lambda rows: _finished(rows["bare"], code, main),
    ).select("number", "valid")


def without_international_prefix(digits: pl.Series, region: str) -> pl.Series:
    """Digits after the region's international prefix; null where a number has none."""
    prefix = _metadata(country_code_for_region(region), region).international_prefix
    if not prefix:
        return pl.Series([None] * len(digits), dtype=pl.String)
    rest = pl.col("digits").str.replace(f"^(?:{prefix})", "")
    return (
        digits.alias("digits")
        .to_frame()
        .select(
            pl.when(
                pl.col("digits").str.contains(f"^(?:{prefix})"), ~rest.str.starts_with("0")
            ).then(rest)
        )
        .to_series()
    )


def fits_plan(numbers: pl.Series) -> pl.Series:
    """Whether E.164 numbers fit their country's general pattern, be the range in use or not.

    Args:
        numbers: E.164; null gives false.

    Returns:
        Boolean, never null.
    """
    pattern = f"^\\+({CALLING_CODES})([0-9]+)$"
    parts = numbers.str.extract_groups(pattern).struct
    frame = pl.DataFrame({"code": parts.field("1"), "nsn": parts.field("2")})
    frame = frame.with_columns(fits=pl.lit(value=False))
    for code in frame["code"].unique().drop_nulls().to_list():
        regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
        patterns = [_metadata(int(code), r).general_desc.national_number_pattern for r in regions]
        frame = frame.with_columns(
            fits=pl.when(pl.col("code") == code)
            .then(pl.col("nsn").str.contains(_whole("|".join(filter(None, patterns)))))
            .otherwise("fits")
        )
    return frame["fits"]


@cache
def _metadata(code: int, region: str) -> Any:  # noqa: ANN401 - the library has no type for it
    return PhoneMetadata.metadata_for_region_or_calling_code(code, region)


def _is_general(number: pl.Expr, metadata: Any) -> pl.Expr:  # noqa: ANN401
    return number.str.contains(_whole(metadata.general_desc.national_number_pattern))


def _whole(pattern: str | None) -> str:
    return rf"^(?:{pattern})$" if pattern else r"\A\z\d"


def _without_national_prefix(numbers: pl.Series, metadata: Any) -> pl.Series:  # noqa: ANN401
    """Numbers without trunk prefix and carrier code, where what is left can be dialled."""
    prefix = metadata.national_prefix_for_parsing
    if not prefix:
        return numbers
    start = f"^(?:{prefix})"
    number = pl.col("number")

    def strip(frame: pl.DataFrame) -> pl.DataFrame:
        stripped = number.str.replace(start, "")
        if rule := metadata.national_prefix_transform_rule:
            last = number.str.extract(start, re.compile(prefix).groups)
            transformed = number.str.replace(start, re.sub(r"\\(\d)", r"${\1}", rule))
            stripped = pl.when(last.is_not_null()).then(transformed).otherwise(stripped)
        frame = frame.with_columns(stripped=stripped)
        loses = _is_general(number, metadata) & ~_is_general(pl.col("stripped"), metadata)
        return frame.select(number=pl.when(loses).then("number").otherwise("stripped"))

    begins = numbers.str.contains(start)
    return on_rows(numbers.alias("number").to_frame(), begins, strip)["number"]


def _finished(numbers: pl.Series, code: int, metadata: Any) -> pl.DataFrame:  # noqa: ANN401
    """Strip the trunk prefix, then judge length and range."""
    frame = numbers.alias("given").to_frame()
    frame = frame.with_columns(bare=_without_national_prefix(numbers, metadata))
    lengths = metadata.general_desc.possible_length
    local = metadata.general_desc.possible_length_local_only
    size = pl.col("bare").str.len_bytes().cast(pl.Int64)
    # a possible length, or too long for any: then the prefix was one
    long_enough = (size > max(lengths)) | size.is_in(lengths)
    frame = frame.with_columns(
        nsn=pl.when(long_enough & ~size.is_in(local)).then("bare").otherwise("given")
    )
    main = _metadata(code, region_code_for_country_code(code))
    size = pl.col("nsn").str.len_bytes().cast(pl.Int64)
    readable = (
        (pl.col("given").str.len_bytes() >= _LEAST)
        & size.is_between(_LEAST, _MOST)
        & size.is_in(main.general_desc.possible_length)
        & ~size.is_in(main.general_desc.possible_length_local_only)
    )
    return frame.select(
        number=pl.when(readable).then(pl.concat_str(pl.lit(f"+{code}"), "nsn")),
        valid=readable & _is_valid(frame["nsn"], code),
    )


def _is_valid(numbers: pl.Series, code: int) -> pl.Series:
    """Whether each number lies in a range in use, in the first region of its code that it fits."""
    frame = numbers.alias("n").to_frame().with_row_index()
    open_rows = frame
    valid = [frame["index"].clear()]
    regions: Sequence[str] = COUNTRY_CODE_TO_REGION_CODE[code]
    for region in regions:
        metadata = _metadata(code, region)
        if metadata.leading_digits is not None and len(regions) > 1:
            # such a region takes its numbers, whether they are in use or not
            taken = open_rows["n"].str.contains(f"^(?:{metadata.leading_digits})")
            if taken.any():
                valid.append(open_rows.filter(taken, _fits_a_type(pl.col("n"), metadata))["index"])
                open_rows = open_rows.filter(~taken)
        else:
            taken = open_rows.select(_fits_a_type(pl.col("n"), metadata)).to_series()
            valid.append(open_rows["index"].filter(taken))
            open_rows = open_rows.filter(~taken)
        if open_rows.is_empty():
            break
    return frame["index"].is_in(pl.concat(valid).implode())


def _fits_a_type(number: pl.Expr, metadata: Any) -> pl.Expr:  # noqa: ANN401
    # types of the same lengths share one pattern: looking at a million numbers once is enough
    by_lengths: dict[tuple[int, ...], list[str]] = {}
    for kind in _TYPES:
        desc = getattr(metadata, kind)
        if desc is not None and desc.national_number_pattern:
            by_lengths.setdefault(tuple(desc.possible_length), []).append(
                desc.national_number_pattern
            )
    size = number.str.len_bytes().cast(pl.Int64)
    fits = pl.lit(value=False)
    for lengths, patterns in by_lengths.items():
        one = number.str.contains(_whole("|".join(dict.fromkeys(patterns))))
        fits = fits | (one & size.is_in(lengths) if lengths else one)
    if general := metadata.general_desc.possible_length:
        fits = fits & size.is_in(general)
    return fits & _is_general(number, metadata)
