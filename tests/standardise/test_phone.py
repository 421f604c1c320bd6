from __future__ import annotations

import random

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

from crm_quality.standardise.phone import standardise_phones, suggested_phones
from crm_quality.standardise.phone_number import read_number, read_numbers


def read(text: str | None, region: str | None = None, fallback: str | None = None):
    texts, regions = pl.Series([text], dtype=pl.String), pl.Series([region], dtype=pl.String)
    return standardise_phones(texts, regions, fallback=fallback).row(0)


@pytest.mark.parametrize(
    ("text", "region", "number", "note"),
    [
        ("(212) 555-0123", "US", "+12125550123", None),
        ("07911 123456", "GB", "+447911123456", None),
        ("030/12345", "DE", "+493012345", None),
        ("06 12345678", "IT", "+390612345678", None),
        ("+49 (0) 30 123456", "US", "+4930123456", None),
        ("0049 30 123456", "FR", "+4930123456", None),
        ("0049 30 123456", "US", "+4930123456", "repaired"),
        ("1-800-FLOWERS", "US", "+18003569377", None),
        ("p:+61 412 345 678", "US", "+61412345678", "repaired"),
        ("tel:+1-212-555-0123", None, "+12125550123", "repaired"),
        ("'+4915112345678", None, "+4915112345678", "repaired"),
        ("447911123456.0", "GB", "+447911123456", "repaired"),
        ("4.47911123456E+11", "GB", "+447911123456", "repaired"),
        ("4.47911E+11", "GB", None, "invalid"),
        ("+1-927-555-0183", None, "+19275550183", "doubtful"),
        ("4714927", "US", None, "invalid"),
        ("no phone", "US", None, "invalid"),
        ("07911 123456", None, None, "ambiguous"),
        ("0000000000", "US", None, "placeholder"),
        ("1234567890", "US", None, "placeholder"),
        ("999-999-9999", "GB", None, "placeholder"),
        ("+1 999 999 9999", None, None, "placeholder"),
        (None, "US", None, None),
    ],
)
def test_one_number(
    text: str | None, region: str | None, number: str | None, note: str | None
) -> None:
    assert read(text, region)[:2] == (number, note)


@pytest.mark.parametrize(
    "text", ["212-555-0123 x45", "212-555-0123 ext. 45", "212.555.0123;ext=45"]
)
def test_the_extension_is_split_off(text: str) -> None:
    number, note, extension, others = read(text, "US")
    assert (number, note, extension, others) == ("+12125550123", None, "45", None)


@pytest.mark.parametrize(
    "text",
    [
        "030 123456 / 0170 1234567",
        "030 123456; 0170 1234567",
        "030 123456, 0170 1234567",
        "030 123456 oder 0170 1234567",
        "+4930123456+491701234567",
    ],
)
def test_further_numbers_of_a_cell_are_kept_apart(text: str) -> None:
    number, note, _, others = read(text, "DE")
    assert (number, note, others) == ("+4930123456", "repaired", ["+491701234567"])


def test_the_assumed_country_reads_what_fits_it() -> None:
    assert read("(212) 555-0123", None, "US")[:2] == ("+12125550123", None)


def test_what_does_not_fit_the_assumed_country_is_ambiguous() -> None:
    assert read("01/64668712", None, "US")[:2] == (None, "ambiguous")


def test_the_records_own_country_goes_before_the_assumed_one() -> None:
    assert read("030 123456", "DE", "US")[:2] == ("+4930123456", None)


def test_digits_that_are_a_number_abroad_are_suggested() -> None:
    numbers = suggested_phones(pl.Series(["44 7911 123456", "12345", None])).to_list()
    assert numbers == ["+447911123456", None, None]


def samples(region: str, generator: random.Random) -> list[str]:
    """Numbers of a region as dialled, damaged, and any digits."""
    code = str(phonenumbers.country_code_for_region(region))
    found = []
    for kind in range(11):
        if number := phonenumbers.example_number_for_type(region, kind):
            nsn = phonenumbers.national_significant_number(number)
            national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            found += ["".join(filter(str.isdigit, national)), nsn, code + nsn]
    trunk = PhoneMetadata.metadata_for_region(region).national_prefix
    found += [trunk + digits for digits in found if trunk]
    for digits in list(found):
        damaged = list(digits)
        for _ in range(generator.randint(1, 4)):
            place = generator.randrange(len(damaged))
            if generator.random() < 0.7:
                damaged[place] = generator.choice("0123456789")
            elif len(damaged) > 4:
                damaged.pop(place)
        found.append("".join(damaged))
    found += [str(generator.randint(1000, 10**12)) for _ in range(10)]
    return found


FORMS = [
    "{0}",
    "+{0}",
    "{1} {2}",
    "({1}) {2}",
    "00{0}",
    "+{1}-{2}",
    "{1}/{2}",
    "+ {1}.{2}",
    "(+{1}){2}",
]


def corpus(region: str, generator: random.Random) -> list[str]:
    return [
        generator.choice(FORMS).format(digits, digits[:3], digits[3:])
        for digits in samples(region, generator)
    ]


def differing(texts: list[str], regions: list[str | None]) -> list[object]:
    ours = read_numbers(pl.Series(texts), pl.Series(regions, dtype=pl.String), least_rows=1).rows()
    return [
        (text, region, mine, theirs)
        for text, region, mine in zip(texts, regions, ours, strict=True)
        if mine != (theirs := read_number(text, region))
    ]


def test_every_region_reads_as_with_phonenumbers() -> None:
    generator = random.Random(20240315)  # noqa: S311 - a seed, no secret
    texts: list[str] = []
    regions: list[str | None] = []
    for region in sorted(SUPPORTED_REGIONS):
        some = corpus(region, generator)
        texts += some
        regions += [region] * len(some)
    assert len(texts) > 10_000
    assert differing(texts, regions) == []


def test_every_calling_code_reads_as_with_phonenumbers() -> None:
    generator = random.Random(20240316)  # noqa: S311 - a seed, no secret
    texts = [
        f"+{code}{generator.randint(10**6, 10 ** generator.randint(7, 12))}"
        for code in COUNTRY_CODE_TO_REGION_CODE
        for _ in range(40)
    ]
    assert differing(texts, [None] * len(texts)) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[ (]*\+?[0-9][0-9 ()./-]{0,20}", fullmatch=True)
            | st.text("0123456789+ -x#,;()/.eE", max_size=18),
            st.sampled_from(["US", "GB", "DE", "FR", "IT", "MX", "BR", "AR", "RU", None, "ZZ"]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_any_text_reads_as_with_phonenumbers(rows: list[tuple[str, str | None]]) -> None:
    assert differing([text for text, _ in rows], [region for _, region in rows]) == []


@settings(deadline=None)
@given(st.lists(st.text("0123456789+ -x()/.", max_size=18), min_size=1, max_size=20))
def test_a_canonical_number_stays_as_it_is(texts: list[str]) -> None:
    us = pl.Series(["US"] * len(texts))
    once = standardise_phones(pl.Series(texts), us)["value"]
    assert standardise_phones(once, us)["value"].to_list() == once.to_list()
