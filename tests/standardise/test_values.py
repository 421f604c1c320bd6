# ruff: noqa: RUF001 - the characters that people type
from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import Vocabulary, default_rules
from crm_quality.standardise import nearest
from crm_quality.standardise.identifier import standardise_identifiers
from crm_quality.standardise.number import (
    standardise_booleans,
    standardise_decimals,
    standardise_integers,
)
from crm_quality.standardise.placeholder import is_placeholder
from crm_quality.standardise.text import clean_text
from crm_quality.standardise.vocabulary import standardise_vocabulary
from crm_quality.standardise.web import standardise_domains, standardise_urls


def one(function, text: str) -> tuple[object, ...]:
    return function(pl.Series([text])).row(0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("JA", True), ("1", True), ("x", True), ("1.0", True), ("Oui", True),
     ("no", False), ("Nein", False), ("0", False), ("FALSE", False)],
)  # fmt: skip
def test_truth_values(text: str, value: bool) -> None:
    assert one(standardise_booleans, text) == (value, None)


def test_other_words_are_no_truth_values() -> None:
    assert one(standardise_booleans, "maybe") == (None, "invalid")


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", 1234), ("1.234", 1234), ("12", 12), ("12.0", 12), ("-3", -3)]
)
def test_whole_numbers(text: str, value: int) -> None:
    assert one(standardise_integers, text) == (value, None)


@pytest.mark.parametrize("text", ["12.5", "many", "12-20"])
def test_what_is_no_whole_number_is_set_aside(text: str) -> None:
    assert one(standardise_integers, text) == (None, "invalid")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("$1,234.50", "1234.50"),
        ("EUR 12", "12.00"),
        ("12,5", "12.50"),
        ("(5.00)", "-5.00"),
        ("−5.00", "-5.00"),
        ("1,234,567", "1234567.00"),
        ("1'234.50", "1234.50"),
    ],
)
def test_amounts(text: str, value: str) -> None:
    assert one(standardise_decimals, text) == (Decimal(value), None)


def test_one_mark_before_three_digits_is_ambiguous() -> None:
    assert one(standardise_decimals, "1.234") == (None, "ambiguous")


LEAD_SOURCE = default_rules().vocabularies["lead_source"]


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("paid_search", "paid_search", None),
        ("Paid search", "paid_search", None),
        ("google ads", "paid_search", "synonym"),
        ("P.P.C.", "paid_search", "synonym"),
        ("Blimp", None, "unknown"),
    ],
)
def test_words_are_accepted_values_by_their_meaning(
    text: str, value: str | None, note: str | None
) -> None:
    assert standardise_vocabulary(pl.Series([text]), LEAD_SOURCE).row(0) == (value, note)


def test_a_deprecated_value_is_followed_to_its_replacement() -> None:
    vocabulary = Vocabulary.model_validate(
        {"vocabulary": "x", "values": {"old": {"replaced_by": "mid", "synonyms": ["o"]},
                                       "mid": {"replaced_by": "new"}, "new": {}}}
    )  # fmt: skip
    read = standardise_vocabulary(pl.Series(["old", "o", "mid", "new"]), vocabulary)
    assert read["value"].to_list() == ["new"] * 4
    assert read["note"].to_list() == ["synonym", "synonym", "synonym", None]


def test_the_nearest_accepted_value_is_suggested() -> None:
    suggested = nearest(LEAD_SOURCE, pl.Series(["Gogle Adwrods", "qqqqqq", None]))
    assert suggested.to_list() == ["paid_search", None, None]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("WWW.Acme.COM/Path", "https://www.acme.com/Path"),
        ("http://acme.com/", "http://acme.com"),
        ("https://x.de?a=1", "https://x.de?a=1"),
        ("müller.de", "https://müller.de"),
    ],
)
def test_web_addresses(text: str, url: str) -> None:
    assert one(standardise_urls, text) == (url, None)
    assert one(standardise_urls, url) == (url, None)


@pytest.mark.parametrize("text", ["acme", "http://", "ann@acme.com", "acme.com and more"])
def test_what_is_no_web_address_is_set_aside(text: str) -> None:
    assert one(standardise_urls, text) == (None, "invalid")


@pytest.mark.parametrize(
    ("text", "domain", "note"),
    [
        ("Acme.DE", "acme.de", None),
        ("www.acme.com", "acme.com", None),
        ("http://shop.acme.co.uk/x", "acme.co.uk", "repaired"),
        ("info@acme.de", "acme.de", "repaired"),
        ("gmail.com", None, "invalid"),
        ("co.uk", None, "invalid"),
        ("acme", None, "invalid"),
    ],
)
def test_domains(text: str, domain: str | None, note: str | None) -> None:
    assert one(standardise_domains, text) == (domain, note)


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("DE 123.456.789", "DE123456789", None),
        ("USt-IdNr.: DE999999998", "DE999999998", None),
        ("atu 12345678", "ATU12345678", None),
        ("000000000", None, "placeholder"),
        ("--", None, "invalid"),
    ],
)
def test_identifiers(text: str, value: str | None, note: str | None) -> None:
    assert one(standardise_identifiers, text) == (value, note)


@pytest.mark.parametrize(
    ("raw", "text", "repaired"),
    [
        ("  a \t b\n", "a b", False),
        ("a\u00a0b\u200b", "a b", False),
        ("Jose\u0301", "José", False),
        ("MÃ¼ller", "Müller", True),
        ("MÃƒÂ¼ller", "Müller", True),
        ("GarcÃ­a \u00c3\u00a0", "García à", True),
        ("Pospíšil", "Pospíšil", False),
        ("می\u200cخواهم", "می\u200cخواهم", False),
        (" \x00 ", None, False),
    ],
)
def test_text_is_cleaned(raw: str, text: str | None, repaired: bool) -> None:
    assert clean_text(pl.Series([raw])).row(0) == (text, repaired)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_clean_text_stays_as_it_is(texts: list[str]) -> None:
    once = clean_text(pl.Series(texts))["text"]
    again = clean_text(once)
    assert again["text"].to_list() == once.to_list()
    assert not again["repaired"].any()


def test_placeholders_are_found_however_they_are_written() -> None:
    texts = ["N / A", "n.a.", "ñ/á", "-", "...", "Tester", "Na", "🙂", None]
    found = is_placeholder(pl.Series(texts), ["n/a"]).to_list()
    assert found == [True, True, True, True, True, False, True, True, False]
