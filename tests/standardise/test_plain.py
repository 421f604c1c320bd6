"""What is taken for plain, the stage gives back as it is."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality import default_rules, standardise
from crm_quality.standardise.name_words import CREDENTIALS, SUFFIXES, TITLES
from crm_quality.standardise.plain import plain_values

CONTACT = default_rules().entity("contact")
FIELDS = ("first_name", "last_name", "email", "mobile")

WORDS = sorted({*TITLES, *SUFFIXES, *CREDENTIALS, "anna", "null", "unknown", "test", "nil", "xxx"})
NAME = st.sampled_from(WORDS).map(str.capitalize) | st.from_regex(
    r"[A-Z][a-z]{2,6}", fullmatch=True
)
SHAPED = st.from_regex(r"[a-z0-9._-]{1,6}@[a-z0-9.-]{1,8}\.[a-z]{2,4}", fullmatch=True)
ODD = ["test@test.com", "none@none.com", "ann@gmial.com", "ann@x.invalid", "a@b.localhost"]
EMAIL = SHAPED | st.sampled_from([*ODD, "a@ab--c.de"])
PHONE = st.from_regex(r"\+[1-9][0-9]{7,12}", fullmatch=True) | st.sampled_from(
    ["+4740612345", "+390612345678", "+14155550100", "+11111111111", "+12345678901"]
)


def assert_unchanged(rows):
    """Each plain value of `rows` is what the stage makes of it."""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(FIELDS, pl.String))
    clean = standardise(frame, CONTACT)
    seen = 0
    for at, row in enumerate(rows):
        known = {name: text for name, text in row.items() if text is not None}
        for name, text in plain_values(known, CONTACT).items():
            assert clean[name][at] == text
            seen += 1
    return seen


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "first_name": st.none() | NAME,
                "last_name": st.none() | NAME,
                "email": st.none() | EMAIL,
                "mobile": st.none() | PHONE,
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_stage_leaves_plain_values_as_they_are(rows):
    assert_unchanged(rows)


def test_most_of_what_is_stored_is_plain_and_stays(stocked):
    rows = stocked.golden().select(FIELDS).to_dicts()
    filled = sum(text is not None for row in rows for text in row.values())
    assert assert_unchanged(rows) > filled / 2


@pytest.mark.parametrize(
    "values",
    [
        {"first_name": "ANNA"},
        {"first_name": "Dr"},
        {"last_name": "Unknown"},
        {"first_name": "Anna", "last_name": "van Dyk"},
        {"email": "Ann@x.com"},
        {"email": "test@test.com"},
        {"mobile": "0047 40612345"},
        {"mobile": "+12345678901"},
        {"city": "Oslo"},
    ],
)
def test_what_the_stage_may_change_is_not_plain(values):
    assert plain_values(values, CONTACT) == {}
