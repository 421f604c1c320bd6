from __future__ import annotations

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.audit import masked, masked_issues, screened
from crm_quality.definitions import FieldType, default_rules


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("ann.lee@example.com", "email", "a•••@example.com"),
        ("Ann Lee <ann@example.com>", "email", "A••• L••• <a•••@example.com>"),
        ("john at example.com", "email", "j••• a••• e•••.c•••"),
        ("a@x.com;b@y.org", "emails", "a•••@x.com;b•••@y.org"),
        ("+49 30 1234567", "phone", "•••67"),
        ("call me", "phone", "c••• m•••"),
        ("123", "phone", "•••"),
        ("Ludwig van Beethoven", "full_name", "L••• v••• B•••"),
        ("O'Neill", "surname", "O•••'N•••"),
        ("31/02/1980", "date", "••• 1980"),
        ("soon", "date", "•••"),
        ("12 Elm Street", "street", "••• E••• S•••"),
        ("", "email", ""),
    ],
)
def test_a_mask_shows_the_fault_and_hides_the_person(text, kind, shown):
    assert masked(text, kind) == shown


words = st.text(st.characters(categories=["L", "N"]), min_size=2, max_size=20)


@given(words, words)
def test_a_masked_address_holds_nothing_of_the_mailbox_but_its_first_letter(local, domain):
    assert masked(f"{local}@{domain}.com", FieldType.EMAIL) == f"{local[0]}•••@{domain}.com"


@given(st.text(), st.sampled_from(["phone", "phones", "identifier", "postcode"]))
def test_a_masked_number_shows_two_digits_at_most(text, kind):
    assert sum(char.isdigit() for char in masked(text, kind)) <= 2


@given(st.text(max_size=60), st.sampled_from(["given_name", "surname", "street", "city", "text"]))
def test_a_masked_text_shows_no_two_letters_together(text, kind):
    shown = masked(text, kind)
    assert not any(a.isalpha() and b.isalpha() for a, b in itertools.pairwise(shown))


letters = st.text(st.characters(categories=["L"]), min_size=2, max_size=20)


@given(letters, letters)
def test_the_mask_does_not_tell_how_much_it_hides(one, other):
    assert len(masked(one, "email")) == len(masked(other, "email"))


def test_addresses_and_numbers_in_free_text_are_hidden_and_the_rest_is_kept():
    assert screened("ask ann@example.com or 030 1234567 today") == (
        "ask a•••@example.com or •••67 today"
    )
    assert screened("Trade Show 2024") == "Trade Show 2024"


def test_issues_are_masked_by_the_definition_of_their_field():
    issues = pl.DataFrame(
        {
            "entity": ["contact"] * 4,
            "source": ["s"] * 4,
            "source_key": ["k1", "ann@example.com", "k3", "k4"],
            "field": ["email", "lead_source", None, "no_such_field"],
            "value": ["ann@example.com", "TV spot", "Ann Lee", "Ann Lee"],
            "suggestion": [None, "paid_search", None, None],
        },
        schema_overrides={"suggestion": pl.String},
    )
    shown = masked_issues(issues, default_rules())
    assert shown["value"].to_list() == ["a•••@example.com", "TV spot", "A••• L•••", "A••• L•••"]
    assert shown["suggestion"].to_list() == [None, "paid_search", None, None]
    assert shown["source_key"].to_list() == ["k1", "a•••@example.com", "k3", "k4"]
    assert shown.drop("value", "suggestion", "source_key").equals(
        issues.drop("value", "suggestion", "source_key")
    )
