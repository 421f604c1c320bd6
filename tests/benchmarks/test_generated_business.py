"""The business of the demo agrees with the truth about its people."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.generator.business import write_business
from benchmarks.generator.exports import write_demo


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("people"), 5_000, 7)


@pytest.fixture(scope="module")
def files(known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("business")
    write_business(folder, known, 7)
    return {path.stem: pl.read_csv(path, infer_schema=False) for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "column", "source"),
    [
        ("hubspot_deals", "Associated Contact IDs", "hubspot_contacts"),
        ("stripe_payments", "Customer ID", "stripe_customers"),
        ("salesforce_campaign_members", "ContactId", "salesforce_contacts"),
    ],
)
def test_every_key_is_that_of_a_record(files, known, name, column, source):
    keys = set(known.filter(source=source)["source_key"])
    assert set(files[name][column]) <= keys


def test_what_was_entered_twice_lies_on_two_records_of_one_person(files, known):
    people = known.filter(source="hubspot_contacts").select("source_key", "person_id")
    deals = files["hubspot_deals"].join(
        people, left_on="Associated Contact IDs", right_on="source_key"
    )
    twice = deals.group_by("Deal Name", "Amount", "Create Date").agg(
        pl.len(), pl.col("person_id").n_unique().alias("people"), pl.col("Deal Stage").n_unique()
    )
    again = twice.filter(pl.col("len") > 1)
    assert again.height >= 10
    assert set(again["people"]) == {1}
    assert set(again["Deal Stage"]) == {1}


def test_payments_of_some_people_are_split_over_their_customer_numbers(files, known):
    people = known.filter(source="stripe_customers").select("source_key", "person_id")
    paid = files["stripe_payments"].join(people, left_on="Customer ID", right_on="source_key")
    numbers = paid.group_by("person_id").agg(pl.col("Customer ID").n_unique().alias("numbers"))
    assert numbers.filter(pl.col("numbers") > 1).height >= 30
