from __future__ import annotations

import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import fold, folded


def assigned(char: str) -> bool:
    return unicodedata.category(char) not in {"Cn", "Cs", "Co"}


def by_expression(*texts: str) -> list[str]:
    return pl.DataFrame({"text": texts}).select(folded(pl.col("text"))).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Paid-Search", "paidsearch"),
        ("  Google / cpc ", "googlecpc"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("Łódź", "lodz"),
        ("Øresund", "oresund"),
        ("ΟΔΟΣ", "οδοσ"),
        ("N/A", "na"),
        ("...", ""),
    ],
)
def test_words_that_mean_the_same_fold_to_the_same(text: str, key: str) -> None:
    assert fold(text) == key
    assert by_expression(text) == [key]


def test_expression_and_function_agree_on_every_assigned_character() -> None:
    texts = [f"A{char}b" for char in map(chr, range(1, sys.maxunicode + 1)) if assigned(char)]
    differing = [
        text for text, key in zip(texts, by_expression(*texts), strict=True) if fold(text) != key
    ]
    assert differing == []


@given(st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"))))
def test_expression_and_function_agree_on_any_text(text: str) -> None:
    assert by_expression(text) == [fold(text)]


def test_folding_the_fold_of_a_character_changes_nothing() -> None:
    keys = [fold(char) for char in map(chr, range(1, sys.maxunicode + 1)) if assigned(char)]
    assert [fold(key) for key in keys] == keys


@given(st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"))))
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_null_stays_null() -> None:
    assert (
        pl.DataFrame({"text": [None]}, schema={"text": pl.String})
        .select(folded(pl.col("text")))
        .item()
        is None
    )
