from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions.moments import day_of, is_day, is_span, shifted

DAY = date(2024, 2, 29)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", DAY),
        ("today-1d", date(2024, 2, 28)),
        ("today + 2w", date(2024, 3, 14)),
        ("today-1y", date(2023, 2, 28)),
        ("today-120y", date(1904, 2, 29)),
        ("today+1mo", date(2024, 3, 29)),
        ("today-9999y", date.min),
        ("1999-12-31", date(1999, 12, 31)),
    ],
)
def test_a_word_names_a_day(text, day):
    assert is_day(text)
    assert day_of(text, DAY) == day


@pytest.mark.parametrize("text", ["", "tomorrow", "today-", "today-1", "2024-02-30", "31.01.2024"])
def test_other_words_name_none(text):
    assert not is_day(text)


@pytest.mark.parametrize("text", ["1d", "18mo", "2 w", "100y"])
def test_a_count_and_a_unit_are_a_span(text):
    assert is_span(text)


def test_a_text_that_is_no_span_says_how_to_write_one():
    with pytest.raises(ValueError, match="mo or y"):
        shifted(DAY, "two weeks")


@given(st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(0, 10_000))
def test_days_there_and_back_end_where_they_began(day, count):
    assert shifted(shifted(day, f"{count}d"), f"{count}d", back=True) == day


@given(st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(0, 900))
def test_a_year_is_twelve_months(day, count):
    assert shifted(day, f"{count}y") == shifted(day, f"{12 * count}mo")
