import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.baseline_splink import cleaned, pairs_within, scores

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def brute(rows):
    """Precision and recall by looking at every pair."""
    pairs = [(a, b) for i, a in enumerate(rows) for b in rows[:i]]
    both = sum(a[0] == b[0] and a[1] == b[1] for a, b in pairs)
    found, true = (sum(a[k] == b[k] for a, b in pairs) for k in (0, 1))
    return both / max(found, 1), both / max(true, 1)


@given(labels)
def test_counts_from_cell_sizes_equal_counts_of_pairs(rows):
    table = pl.DataFrame(rows, schema=["cluster", "person_id"], orient="row")
    found = scores(table)
    assert (found["precision"], found["recall"]) == pytest.approx(brute(rows))


def test_pairs_of_one_large_cluster():
    assert pairs_within(pl.DataFrame({"a": [1] * 1_000}), "a") == 499_500


def test_cleaning_brings_spellings_together():
    columns = [
        "first_name", "last_name", "date_of_birth", "email", "other_emails", "phone", "mobile",
        "company_name", "street", "postcode", "city",
    ]  # fmt: skip
    rows = [
        ["JÜRGEN", "Groß ", "1900-01-01", "J.Gross at gmx.de", None, "+49 (0)30 1234567", None,
         "Nord GmbH", "Hauptstraße 3", "10 115", "Köln"],
        ["Jürgen", "Groß", None, "j.gross@gmx.de", None, "0049 30 1234567", None,
         "NORD", "Hauptstr. 3", "10115", "Koln"],
    ]  # fmt: skip
    one, two = cleaned(
        pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    ).to_dicts()
    same = ["first", "surname", "dob", "email", "phone", "company", "postcode", "city"]
    assert {k: one[k] for k in same} == {k: two[k] for k in same}
    assert one["dob"] is None
