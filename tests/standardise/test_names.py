from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nameparser import HumanName

from crm_quality.standardise.full_name import parse_full_names
from crm_quality.standardise.person import standardise_full_names, standardise_person
from crm_quality.standardise.person_name import (
    split_name,
    standardise_given_names,
    standardise_suffixes,
    standardise_surnames,
)


def one(function, text: str | None) -> tuple[object, ...]:
    return function(pl.Series([text], dtype=pl.String)).row(0)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SMITH", "Smith"),
        ("o'brien", "O'Brien"),
        ("O’BRIEN", "O’Brien"),
        ("MCDONALD", "McDonald"),
        ("macdonald", "MacDonald"),
        ("MACHADO", "Machado"),
        ("VAN DER BERG", "van der Berg"),
        ("DE LA CRUZ", "de la Cruz"),
        ("LE PEN", "Le Pen"),
        ("müller-lüdenscheidt", "Müller-Lüdenscheidt"),
        ("ÉTIENNE", "Étienne"),
        ("von und zu guttenberg", "von und zu Guttenberg"),
        ("DeLuca", "DeLuca"),
        ("van der Berg", "van der Berg"),
        ("LI", "Li"),
        ("Garcia y Vega", "Garcia y Vega"),
        ("李", "李"),
    ],
)
def test_surnames_have_their_capitals(text: str, name: str) -> None:
    assert one(standardise_surnames, text) == (name, None, None, None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("JOHN", "John"),
        ("mary ann", "Mary Ann"),
        ("JEAN-LUC", "Jean-Luc"),
        ("JD", "JD"),
        ("HB", "HB"),
        ("q", "Q"),
    ],
)
def test_given_names_have_their_capitals(text: str, name: str) -> None:
    assert one(standardise_given_names, text) == (name, None, None, None)


@pytest.mark.parametrize(
    ("text", "name", "title", "suffix"),
    [
        ("Smith Jr.", "Smith", None, "Jr"),
        ("SMITH III", "Smith", None, "III"),
        ("Silva Junior", "Silva", None, "Jr"),
        ("Jones, PhD", "Jones", None, None),
        ("Brown, M.D.", "Brown", None, None),
        ("Dr. Smith", "Smith", "Dr", None),
    ],
)
def test_titles_and_suffixes_are_split_off(
    text: str, name: str, title: str | None, suffix: str | None
) -> None:
    assert one(standardise_surnames, text) == (name, "repaired", title, suffix)


@pytest.mark.parametrize("text", ["ann@acme.com", "12345", "http://acme.com"])
def test_what_is_no_name_is_set_aside(text: str) -> None:
    assert one(standardise_surnames, text)[:2] == (None, "invalid")


@pytest.mark.parametrize(
    ("text", "suffix"), [("jr.", "Jr"), ("JUNIOR", "Jr"), ("3rd", "III"), ("ii", "II"), ("x", "x")]
)
def test_suffixes(text: str, suffix: str) -> None:
    assert one(standardise_suffixes, text) == (suffix, None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("John Smith", ("John", None, "Smith")),
        ("Smith, John", ("John", None, "Smith")),
        ("John Q. Smith", ("John", "Q.", "Smith")),
        ("Ludwig van Beethoven", ("Ludwig", None, "van Beethoven")),
        ("Juan de la Cruz", ("Juan", None, "de la Cruz")),
        ("Smith Jones, Mary Ann", ("Mary", "Ann", "Smith Jones")),
        ("van Gogh", (None, None, "van Gogh")),
        ("Van Morrison", ("Van", None, "Morrison")),
        ("Madonna", ("Madonna", None, None)),
        ("Dr. Max Muster", ("Max", None, "Muster")),
        ("John Smith, Jr.", ("John", None, "Smith")),
        ('Robert "Bob" Smith', ("Robert", None, "Smith")),
    ],
)
def test_whole_names_into_their_parts(text: str, parts: tuple[str | None, ...]) -> None:
    names = split_name(pl.Series([text]), in_full=True)["name"]
    assert parse_full_names(names).row(0) == parts


WORDS = st.sampled_from(["Ann", "John", "Maria", "Smith", "Jones", "García", "Q.", "Lee", "Müller"])


@given(st.lists(WORDS, min_size=2, max_size=4).map(" ".join))
def test_plain_names_are_parsed_as_nameparser_does(text: str) -> None:
    parsed = HumanName(text)
    expected = tuple(part or None for part in (parsed.first, parsed.middle, parsed.last))
    assert parse_full_names(pl.Series([text])).row(0) == expected


READERS = {
    "first_name": standardise_given_names,
    "last_name": standardise_surnames,
    "full_name": standardise_full_names,
}


def person(**fields: str | None) -> dict[str, tuple[object, ...]]:
    read = {n: READERS[n](pl.Series([text], dtype=pl.String)) for n, text in fields.items()}
    results = standardise_person(read)
    return {name: result.select("value", "note").row(0) for name, result in results.items()}


def test_a_whole_name_fills_the_missing_parts() -> None:
    read = person(first_name=None, last_name=None, full_name="Dr. ANN VAN DYCK JR.")
    assert read["first_name"] == ("Ann", "derived")
    assert read["last_name"] == ("van Dyck", "derived")
    assert read["name_suffix"] == ("Jr", "derived")
    assert read["title"] == ("Dr", "derived")


def test_a_whole_name_that_contradicts_fills_nothing() -> None:
    read = person(first_name="Ann", last_name=None, full_name="John Smith")
    assert read["last_name"] == (None, None)


def test_a_whole_name_fills_what_is_left_of_it() -> None:
    read = person(first_name="Mary Ann", last_name=None, full_name="Mary Ann Smith")
    assert read["last_name"] == ("Smith", "derived")


def test_surname_comma_given_name_is_put_in_order() -> None:
    read = person(first_name=None, last_name="Smith, John")
    assert read["first_name"] == ("John", "derived")
    assert read["last_name"] == ("Smith", "repaired")


NAMES = st.text(
    st.sampled_from("aAbBéÉßİıǆ'’.-, " + "mcMC") | st.characters(categories=("Lu", "Ll", "Lo")),
    max_size=14,
) | st.lists(
    st.sampled_from(
        ["van", "DE", "la", "Smith", "jr.", "III", "Dr.", "mr", "O'NEIL", "phd", "MCDONALD"]
    ),
    max_size=5,
).map(" ".join)


@settings(deadline=None)
@pytest.mark.parametrize("function", [standardise_given_names, standardise_surnames])
@given(texts=st.lists(NAMES.map(str.strip).filter(bool), min_size=1, max_size=20))
def test_a_canonical_name_stays_as_it_is(function, texts: list[str]) -> None:
    once = function(pl.Series(texts))["value"]
    assert function(once)["value"].to_list() == once.to_list()


@pytest.mark.parametrize("function", [standardise_given_names, standardise_surnames])
def test_a_name_of_any_letter_stays_as_it_is(function) -> None:
    letters = [chr(point) for point in range(0x110000) if chr(point).isalpha()]
    once = function(pl.Series(letters))["value"]
    assert function(once)["value"].to_list() == once.to_list()
