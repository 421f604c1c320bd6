"""One text → one number in E.164: by expressions where they decide, else by the library."""

from __future__ import annotations

import phonenumbers
import polars as pl
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from crm_quality.standardise.column import on_distinct
from crm_quality.standardise.phone_plan import (
    CALLING_CODES,
    read_international,
    read_national,
    without_international_prefix,
)

#: Texts that the expressions read: digits, the usual marks between them, one leading plus.
_PLAIN = r"^[ (]*\+?[0-9 ().\-/]+$"
_FEWEST_DIGITS = 4
#: Rows of one region or calling code below which calling the library is quicker.
_WORTH_AN_EXPRESSION = 500

_RESULT = {"number": pl.String, "valid": pl.Boolean}


def read_numbers(
    texts: pl.Series, regions: pl.Series, *, least_rows: int = _WORTH_AN_EXPRESSION
) -> pl.DataFrame:
    """What the phonenumbers library reads in each text.

    Args:
        texts: Any text.
        regions: ISO 3166-1 alpha-2 region that a number without country code is dialled in.
        least_rows: Regions and calling codes with fewer rows go to the library.

    Returns:
        ``number`` String: E.164 without extension, null where there is no number of a possible
        length; ``valid`` Boolean: its range is in use.
    """
    frame = pl.DataFrame({"region": regions, "text": texts})
    if frame.height == 0:
        return pl.DataFrame(schema=_RESULT)
    digits = pl.col("text").str.replace_all("[^0-9]+", "")
    frame = frame.with_row_index().with_columns(
        digits=pl.when(pl.col("text").str.contains(_PLAIN)).then(digits),
        plus=pl.col("text").str.contains(r"^[ (]*\+"),
        region=pl.when(pl.col("region").is_in(sorted(phonenumbers.SUPPORTED_REGIONS))).then(
            "region"
        ),
    )
    enough = pl.col("digits").str.len_bytes() >= _FEWEST_DIGITS
    decided = enough & (~pl.col("plus") | ~pl.col("digits").str.starts_with("0"))
    frame = frame.with_columns(decided=decided.fill_null(value=False))

    done: list[pl.DataFrame] = []
    rest = [frame.filter(~pl.col("decided") & pl.col("text").is_not_null())]
    plain = frame.filter("decided")
    international = [plain.filter("plus")]
    for (region,), rows in plain.filter(~pl.col("plus")).group_by("region"):
        if region is None:
            continue  # without a country there is no reading it
        if rows.height < least_rows:
            rest.append(rows)
            continue
        after = without_international_prefix(rows["digits"], str(region))
        abroad = rows.with_columns(digits=after).filter(pl.col("digits").is_not_null())
        international.append(abroad)
        home = rows.filter(after.is_null())
        read = read_national(home["digits"], str(region))
        done.append(pl.concat([home.select("index"), read], how="horizontal"))
    dialled = pl.concat(international)
    dialled = dialled.with_columns(
        code=pl.col("digits").str.extract(f"^({CALLING_CODES})").cast(pl.Int64)
    )
    for (code,), rows in dialled.group_by("code"):
        short = rows["digits"].str.len_bytes() < _FEWEST_DIGITS
        if code is None or rows.height < least_rows or short.any():
            rest.append(rows.drop("code"))
            continue
        after = rows["digits"].str.slice(len(str(code)))
        read = read_international(after, int(str(code)))
        done.append(pl.concat([rows.select("index"), read], how="horizontal"))
    left = pl.concat(rest)
    read = on_distinct(left.select("region", "text"), _by_library)
    done.append(pl.concat([left.select("index"), read], how="horizontal"))
    results = pl.concat(done)
    place = pl.repeat(None, frame.height, dtype=pl.UInt32, eager=True)
    place = place.scatter(
        results["index"], pl.int_range(results.height, dtype=pl.UInt32, eager=True)
    )
    return results.select(
        pl.col("number").gather(place), pl.col("valid").gather(place).fill_null(value=False)
    )


def _by_library(frame: pl.DataFrame) -> pl.DataFrame:
    rows = [read_number(text, region) for region, text in frame.iter_rows()]
    return pl.DataFrame(rows, schema=_RESULT, orient="row")


def read_number(text: str, region: str | None) -> tuple[str | None, bool]:
    """One number by the phonenumbers library: E.164 or null, and whether its range is in use."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None, False
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None, False
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return written, phonenumbers.is_valid_number(number)
