# ruff: noqa: RUF001 - the characters that people type
from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.standardise.company_name import standardise_company_names


def read(text: str) -> tuple[object, ...]:
    return standardise_company_names(pl.Series([text])).row(0)


@pytest.mark.parametrize(
    ("text", "core", "form"),
    [
        ("Acme GmbH", "acme", "GmbH"),
        ("Acme G.m.b.H.", "acme", "GmbH"),
        ("Acme GmbH + Co. KG", "acme", "GmbH & Co KG"),
        ("Bayer AG & Co. KGaA", "bayer", "AG & Co KGaA"),
        ("The Foo & Bar Company, Inc.", "foo bar", "Inc"),
        ("Foo and Bar Inc", "foo bar", "Inc"),
        ("Müller und Söhne KG", "muller sohne", "KG"),
        ("Verein der Freunde e.V.", "verein der freunde", "eV"),
        ("Foo S. R. L.", "foo", "SRL"),
        ("Telefónica, S.A.", "telefonica", "SA"),
        ("Petrobras S/A", "petrobras", "SA"),
        ("Enel S.p.A.", "enel", "SpA"),
        ("Grupo Bimbo, S.A.B. de C.V.", "grupo bimbo", "SAB de CV"),
        ("Acme Ltda.", "acme", "Ltda"),
        ("Société X SARL", "societe x", "SARL"),
        ("SARL Dupont", "dupont", "SARL"),
        ("ASML N.V.", "asml", "NV"),
        ("Novo Nordisk A/S", "novo nordisk", "A/S"),
        ("Equinor ASA", "equinor", "ASA"),
        ("Hennes & Mauritz AB (publ)", "hennes mauritz", "AB"),
        ("Kone Oyj", "kone", "Oyj"),
        ("Marel hf.", "marel", "hf"),
        ("Bolt OÜ", "bolt", "OÜ"),
        ("UAB Vilnius", "vilnius", "UAB"),
        ("Bar Sp. z o.o.", "bar", "Sp z oo"),
        ("Škoda a.s.", "skoda", "AS"),
        ("Foo s.r.o.", "foo", "sro"),
        ("Mol Nyrt.", "mol", "Nyrt"),
        ("Kaufland d.o.o.", "kaufland", "doo"),
        ("ООО Ромашка", "ромашка", "OOO"),
        ("Koç Holding A.Ş.", "koc holding", "AS"),
        ("Foo Pty. Ltd.", "foo", "Pty Ltd"),
        ("Reliance Pvt. Ltd.", "reliance", "Pvt Ltd"),
        ("DBS Pte. Ltd.", "dbs", "Pte Ltd"),
        ("Petronas Sdn. Bhd.", "petronas", "Sdn Bhd"),
        ("PT Astra International Tbk", "astra international", "Tbk"),
        ("Toyota K.K.", "toyota", "KK"),
        ("株式会社トヨタ", "トヨタ", "KK"),
        ("AT&T Inc", "att", "Inc"),
        ("Tesla", "tesla", None),
        ("Company", "company", None),
        ("Brakus, Weissnat and Deckow", "brakus weissnat deckow", None),
    ],
)
def test_the_legal_form_is_split_off(text: str, core: str, form: str | None) -> None:
    _, note, found_core, found_form = read(text)
    assert (note, found_core, found_form) == (None, core, form)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ACME HOLDING GMBH", "Acme Holding GmbH"),
        ("greenfield energy", "Greenfield Energy"),
        ("acme gmbh & co. kg", "Acme GmbH & Co. KG"),
        ("BMW AG", "BMW AG"),
        ("IBM", "IBM"),
        ("eBay", "eBay"),
        ("RACHEL'S BAKERY", "Rachel's Bakery"),
        ("lumen ai", "Lumen AI"),
        ("BANK OF AMERICA", "Bank of America"),
    ],
)
def test_capitals_are_repaired_in_names_of_one_case(text: str, shown: str) -> None:
    assert read(text)[0] == shown


def test_names_that_differ_in_form_and_spelling_have_one_core() -> None:
    names = ["The Acme Company", "ACME Co.", "acme, Inc", "Acme  Corporation", "Acmé Ltd."]
    assert standardise_company_names(pl.Series(names))["core"].unique().to_list() == ["acme"]


PIECES = ["Acme", "BLUE", "ocean", "GmbH", "& Co. KG", "s.r.l.", "The", "and", "IBM", "A/S", "Inc."]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join), min_size=1)
)
def test_a_canonical_name_stays_as_it_is(texts: list[str]) -> None:
    once = standardise_company_names(pl.Series(texts))["value"]
    assert standardise_company_names(once)["value"].to_list() == once.to_list()
