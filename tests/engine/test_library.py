"""The library without a store."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_quality import dedupe, default_rules, standardise, validate

CONTACT = default_rules().entity("contact")


def test_a_frame_goes_from_mess_to_clean_rows_and_issues():
    raw = pl.DataFrame(
        {
            "source": ["web", "web"],
            "source_key": ["1", "2"],
            "email": [" Ann@Lee.Example.com ", "john at x.com"],
            "last_name": ["Lee", None],
            "lead_source": ["PPC", "pidgeon post"],
        }
    )
    clean = standardise(raw, CONTACT)
    assert clean["email"].to_list() == ["ann@lee.example.com", None]
    assert clean["email__raw"].to_list() == raw["email"].to_list()
    accepted, issues = validate(clean, CONTACT)
    assert accepted["source_key"].to_list() == ["1"]
    rules = set(issues.filter(pl.col("source_key") == "2")["rule"])
    assert {"contact.email.invalid", "contact.lead_source.unknown", "contact.identifiable"} <= rules


def test_dedupe_numbers_each_row_with_the_first_of_its_customer():
    frame = pl.DataFrame(
        {
            "first_name": ["Ann", "Bob", "ANN"],
            "last_name": ["Leclerc", "Okafor", "Leclerc"],
            "email": ["ann@nordlicht.example", "bob@quayside.example", "Ann@Nordlicht.example"],
            "shoe_size": [38, 44, 38],
        }
    )
    found = dedupe(frame, CONTACT)
    assert found.columns == ["entity_id", *frame.columns]
    assert found["entity_id"].to_list() == [0, 1, 0]


def test_dedupe_of_nothing_is_nothing():
    empty = pl.DataFrame(schema={"email": pl.String})
    assert dedupe(empty, CONTACT).is_empty()


text = st.one_of(st.none(), st.text(max_size=20))


@pytest.mark.capability(60)
@pytest.mark.slow
@given(
    st.lists(
        st.fixed_dictionaries(
            {"email": text, "last_name": text, "phone": text, "country": text, "created_at": text}
        ),
        max_size=5,
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_any_text_gives_every_row_back_accepted_or_quarantined(project_rows):
    fields = ("email", "last_name", "phone", "country", "created_at")
    frame = pl.DataFrame(project_rows, schema=dict.fromkeys(fields, pl.String)).with_columns(
        source=pl.lit("fuzz"), source_key=pl.int_range(pl.len()).cast(pl.String)
    )
    clean = standardise(frame, CONTACT)
    assert clean["source_key"].to_list() == frame["source_key"].to_list()
    accepted, issues = validate(clean, CONTACT)
    bad = set(issues.filter(pl.col("severity") == "error")["source_key"])
    assert set(accepted["source_key"]) | bad == set(frame["source_key"])
    assert not set(accepted["source_key"]) & bad
