from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.definitions import default_rules
from crm_quality.standardise.address import (
    standardise_cities,
    standardise_postcodes,
    standardise_states,
    standardise_streets,
)
from crm_quality.standardise.country import standardise_countries

COUNTRIES = default_rules().vocabularies["country"]


def one(function, text: str, *context: str | None) -> tuple[object, ...]:
    columns = [pl.Series([value], dtype=pl.String) for value in (text, *context)]
    return function(*columns).row(0)


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("NEW YORK", "New York"),
        ("frankfurt am main", "Frankfurt am Main"),
        ("BOULOGNE-SUR-MER", "Boulogne-sur-Mer"),
        ("l'aquila", "L'Aquila"),
        ("St. Louis", "St. Louis"),
        ("ÅRHUS,", "Århus"),
    ],
)
def test_cities(text: str, city: str) -> None:
    assert one(standardise_cities, text) == (city, None)


def test_a_city_without_a_letter_is_set_aside() -> None:
    assert one(standardise_cities, "12345") == (None, "invalid")


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("12 MAIN ST", "12 Main St"),
        ("55 RUE DE LA PAIX", "55 Rue de la Paix"),
        ("PO BOX 12", "PO Box 12"),
        ("KING'S ROAD 1", "King's Road 1"),
        ("500 E 67TH STREET", "500 E 67th Street"),
        ("mcclelland avenue 2", "McClelland Avenue 2"),
        ("100 NW 1ST AVE", "100 NW 1st Ave"),
        ("7548 Center St, San Diego, CA 92101", "7548 Center St, San Diego, CA 92101"),
    ],
)
def test_streets(text: str, street: str) -> None:
    assert one(standardise_streets, text) == (street, None)


@pytest.mark.parametrize(
    ("text", "country", "state"),
    [
        ("california", "US", "CA"),
        ("ca", "US", "CA"),
        ("D.C.", "US", "DC"),
        ("Bayern", "DE", "BY"),
        ("Bavaria", "DE", "BY"),
        ("N.S.W.", "AU", "NSW"),
        ("Quebec", "CA", "QC"),
        ("Ontario", None, "ON"),
        ("tx", None, "TX"),
        ("NOWHERE LAND", "US", "Nowhere Land"),
    ],
)
def test_states(text: str, country: str | None, state: str) -> None:
    assert one(standardise_states, text, country) == (state, None)


@pytest.mark.parametrize(
    ("text", "country", "postcode", "note"),
    [
        ("02134", "US", "02134", None),
        ("2134", "US", "02134", "repaired"),
        ("2134.0", "US", "02134", "repaired"),
        ("021341234", "US", "02134-1234", None),
        ("k1a0b1", "CA", "K1A 0B1", None),
        ("sw1a1aa", "GB", "SW1A 1AA", None),
        ("D-80331", "DE", "80331", None),
        ("1067", "DE", "01067", "repaired"),
        ("CH-8001", "CH", "8001", None),
        ("1234ab", "NL", "1234 AB", None),
        ("12345", "SE", "123 45", None),
        ("12345", "GB", "12345", "doubtful"),
        ("sw1a 1aa", None, "SW1A 1AA", None),
    ],
)
def test_postcodes(text: str, country: str | None, postcode: str, note: str | None) -> None:
    assert one(standardise_postcodes, text, country) == (postcode, note)


@pytest.mark.parametrize(
    ("text", "code", "note"),
    [
        ("DE", "DE", None),
        ("Germany", "DE", None),
        ("DEU", "DE", "synonym"),
        ("Deutschland", "DE", "synonym"),
        ("Holland", "NL", "synonym"),
        ("U.S.A.", "US", "synonym"),
        ("england", "GB", "synonym"),
        ("NO", "NO", None),
        ("Norge", "NO", "synonym"),
        ("Narnia", None, "unknown"),
        ("NA", None, "ambiguous"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_countries(text: str, code: str | None, note: str | None, listed: bool) -> None:
    vocabulary = COUNTRIES if listed else None
    if not listed and text in {"Deutschland", "Holland", "england", "Norge"}:
        code, note = None, "unknown"
    assert standardise_countries(pl.Series([text]), vocabulary).row(0) == (code, note)


TEXTS = st.text(st.sampled_from("aAbBeéÉsSßdD'-., 0129/()"), min_size=1, max_size=16) | st.lists(
    st.sampled_from(["RUE", "DE", "la", "12A", "1ST", "NW", "PO BOX", "d'or", "am", "MAIN", "St."]),
    min_size=1,
    max_size=5,
).map(" ".join)


@settings(deadline=None)
@pytest.mark.parametrize("function", [standardise_cities, standardise_streets])
@given(texts=st.lists(TEXTS.map(str.strip).filter(bool), min_size=1, max_size=20))
def test_canonical_places_stay_as_they_are(function, texts: list[str]) -> None:
    once = function(pl.Series(texts))["value"]
    assert function(once)["value"].to_list() == once.to_list()


@settings(deadline=None)
@pytest.mark.parametrize("function", [standardise_states, standardise_postcodes])
@given(
    rows=st.lists(
        st.tuples(
            st.from_regex(r"[A-Z]{0,2}[- ]?[0-9]{1,6}[ -]?[A-Za-z0-9]{0,3}", fullmatch=True)
            | TEXTS.map(str.strip).filter(bool),
            st.sampled_from(["US", "GB", "DE", "NL", "PL", "PT", "JP", "CA", "BR", "LV", None]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_canonical_codes_stay_as_they_are(function, rows: list[tuple[str, str | None]]) -> None:
    texts = pl.Series([text for text, _ in rows])
    countries = pl.Series([country for _, country in rows], dtype=pl.String)
    once = function(texts, countries)["value"]
    assert function(once, countries)["value"].to_list() == once.to_list()
