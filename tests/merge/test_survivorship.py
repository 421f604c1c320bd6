from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import default_rules
from crm_quality.merge import survive

CONTACT = default_rules().entity("contact")


def records(*rows):
    schema = {
        "entity_id": pl.Int64,
        "record_id": pl.Int64,
        "version_id": pl.Int64,
        "source": pl.String,
        "first_name": pl.String,
        "last_name": pl.String,
        "email": pl.String,
        "other_emails": pl.List(pl.String),
        "street": pl.String,
        "city": pl.String,
        "lead_source": pl.String,
        "email_opt_out": pl.Boolean,
        "created_at": pl.Datetime("us"),
        "updated_at": pl.Datetime("us"),
    }
    filled = [
        {"version_id": number, "record_id": number, "source": "crm"} | row
        for number, row in enumerate(rows, start=1)
    ]
    return pl.DataFrame(filled, schema=schema)


def golden(frame, **options):
    return survive(frame, CONTACT, **options).golden.sort("entity_id").to_dicts()


def test_the_value_that_was_changed_last_survives():
    frame = records(
        {"entity_id": 1, "email": "old@x.com", "updated_at": datetime(2024, 1, 1)},
        {"entity_id": 1, "email": "new@x.com", "updated_at": datetime(2025, 1, 1)},
        {"entity_id": 1, "email": "undated@x.com"},
    )
    (ann,) = golden(frame)
    assert ann["email"] == "new@x.com"
    assert ann["records"] == 3


def test_addresses_that_lose_are_kept_as_other_addresses():
    frame = records(
        {"entity_id": 1, "email": "a@x.com", "other_emails": ["c@x.com"]},
        {"entity_id": 1, "email": "b@x.com", "updated_at": datetime(2025, 1, 1)},
    )
    (ann,) = golden(frame)
    assert ann["email"] == "b@x.com"
    assert set(ann["other_emails"]) == {"a@x.com", "c@x.com"}


def test_an_address_survives_whole():
    frame = records(
        {"entity_id": 1, "street": "1 Elm St", "city": "Oslo", "updated_at": datetime(2024, 1, 1)},
        {"entity_id": 1, "city": "Bergen", "updated_at": datetime(2025, 1, 1)},
    )
    (ann,) = golden(frame)
    assert (ann["street"], ann["city"]) == ("1 Elm St", "Oslo")


def test_a_full_name_survives_a_later_initial():
    frame = records(
        {"entity_id": 1, "first_name": "John", "last_name": "Smith"},
        {
            "entity_id": 1,
            "first_name": "J",
            "last_name": "Smith",
            "updated_at": datetime(2025, 1, 1),
        },
    )
    assert golden(frame)[0]["first_name"] == "John"


def test_the_channel_of_the_first_contact_survives():
    frame = records(
        {"entity_id": 1, "lead_source": "event", "created_at": datetime(2020, 1, 1)},
        {"entity_id": 1, "lead_source": "website", "created_at": datetime(2024, 1, 1)},
    )
    (ann,) = golden(frame)
    assert ann["lead_source"] == "event"
    assert ann["created_at"] == datetime(2020, 1, 1)


def test_one_opt_out_is_enough():
    frame = records(
        {"entity_id": 1, "email_opt_out": False, "updated_at": datetime(2025, 1, 1)},
        {"entity_id": 1, "email_opt_out": True, "updated_at": datetime(2020, 1, 1)},
    )
    assert golden(frame)[0]["email_opt_out"] is True


def test_the_more_trusted_source_wins_a_tie():
    frame = records(
        {"entity_id": 1, "email": "a@x.com", "source": "billing"},
        {"entity_id": 1, "email": "b@x.com", "source": "list"},
    )
    assert golden(frame, priorities={"billing": 5})[0]["email"] == "a@x.com"
    assert golden(frame, priorities={"list": 5})[0]["email"] == "b@x.com"


def test_every_value_of_a_joined_record_has_an_origin():
    frame = records(
        {"entity_id": 1, "email": "a@x.com", "first_name": "Ann", "last_name": "Lee"},
        {"entity_id": 1, "email": "b@x.com", "city": "Oslo", "updated_at": datetime(2025, 1, 1)},
        {"entity_id": 3, "email": "alone@x.com"},
    )
    survived = survive(frame, CONTACT)
    origins = {(field, record): rule for _, field, record, rule in survived.origins.iter_rows()}
    assert origins["email", 2] == "most_recent"
    assert origins["first_name", 1] == "most_recent, whole group"
    assert origins["other_emails", 1] == "union"
    assert set(survived.origins["entity_id"]) == {1}


@pytest.mark.parametrize("name", ["contact", "company"])
def test_no_records_give_no_golden_records(name):
    definition = default_rules().entity(name)
    columns = ("entity_id", "record_id", "version_id", "source", *definition.columns)
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.Int64) | {"source": pl.String})
    assert survive(empty, definition).golden.is_empty()


row = st.fixed_dictionaries(
    {
        "entity_id": st.integers(1, 3),
        "email": st.sampled_from([None, "a@x.com", "b@x.com"]),
        "other_emails": st.sampled_from([None, [], ["c@x.com"], ["a@x.com", "d@x.com"]]),
        "first_name": st.sampled_from([None, "Ann", "A", "Anna"]),
        "last_name": st.sampled_from([None, "Lee"]),
        "street": st.sampled_from([None, "1 Elm St"]),
        "city": st.sampled_from([None, "Oslo"]),
        "email_opt_out": st.sampled_from([None, True, False]),
        "updated_at": st.sampled_from([None, datetime(2024, 1, 1), datetime(2025, 1, 1)]),
    }
)


@given(st.lists(row, min_size=1, max_size=8), st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    frame = records(*rows)
    order = list(range(frame.height))
    random.shuffle(order)
    assert golden(frame) == golden(frame[order])


@given(st.lists(row, min_size=1, max_size=8))
def test_no_address_is_lost_and_none_is_made_up(rows):
    frame = records(*rows)
    for entity in golden(frame):
        members = [r for r in rows if r["entity_id"] == entity["entity_id"]]
        known = {r["email"] for r in members} | {
            e for r in members for e in r["other_emails"] or []
        }
        kept = [entity["email"], *(entity["other_emails"] or [])]
        if len(members) > 1:
            assert len(kept) == len(set(kept))
        assert set(kept) - {None} == known - {None}


def test_a_row_that_was_judged_again_wins_no_tie_by_it():
    frame = records(
        {"entity_id": 1, "email": "first@x.com"}, {"entity_id": 1, "email": "second@x.com"}
    ).with_columns(arrival=pl.Series([1, 2]))

    again = frame.with_columns(version_id=pl.Series([9, 2]))

    assert golden(frame)[0]["email"] == golden(again)[0]["email"] == "second@x.com"
