from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_quality.audit import figure_index
from crm_quality.errors import NotFoundError, UsageError


def assert_rows_are_as_many_as_counted(stock):
    for figure in figure_index(stock.card()).values():
        assert stock.count(figure.rows) == figure.count, figure


@pytest.mark.capability(98)
def test_every_figure_has_as_many_rows_as_it_counts(shop):
    shop.version(1, 99, accepted=False, issues=[("contact.identifiable", "error", None)])
    shop.put("g", customer="a", email="ann@work.example", lifecycle_stage="sql")
    shop.put("h", customer="a", lifecycle_stage="sql", issues=[("contact.stale", "info", None)])
    shop.put("p", entity="company", name="Parent")
    shop.put("o", entity="company", name="Orphan", parent_source_key="nowhere")
    shop.derive("company")
    shop.derive()

    assert_rows_are_as_many_as_counted(shop)


RULES = [
    ("contact.email.invalid", "warning"),
    ("contact.email.doubtful", "warning"),
    ("contact.email.required", "info"),
    ("contact.last_name.required", "warning"),
    ("contact.lead_source.unknown", "warning"),
    ("contact.phone.country", "warning"),
    ("contact.phone.ambiguous", "warning"),
    ("contact.reachable", "info"),
    ("contact.identifiable", "error"),
    ("contact.email.unique", "info"),
    ("contact.no_longer_defined", "info"),
]
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["crm", "shop"]),
            "joins": st.booleans(),
            "accepted": st.booleans(),
            "ended": st.booleans(),
            "waits": st.booleans(),
            "issues": st.lists(st.sampled_from(RULES), max_size=4, unique=True),
            "values": st.fixed_dictionaries(
                {},
                optional={
                    "last_name": st.just("Lee"),
                    "email": st.sampled_from(["a@example.com", "b@example.com"]),
                    "email_opt_out": st.booleans(),
                    "lifecycle_stage": st.sampled_from(["sql", "customer", "lead"]),
                    "owner": st.sampled_from(["Ann", "Bo"]),
                    "updated_at": st.sampled_from([datetime(2019, 1, 1), datetime(2024, 1, 1)]),
                },
            ),
        }
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None
)
@given(RECORDS)
def test_whatever_a_store_holds_figures_have_as_many_rows_as_they_count(new_stock, records):
    stock = new_stock()
    first = None
    for number, record in enumerate(records):
        found = [(rule, severity, "x") for rule, severity in record["issues"]]
        stock.put(
            f"k{number}",
            source=record["source"],
            customer=first if record["joins"] and record["accepted"] else None,
            accepted=record["accepted"],
            ended=record["ended"],
            issues=found,
            **record["values"],
        )
        if record["accepted"] and first is None:
            first = f"k{number}"
        if record["waits"]:
            stock.version(number + 1, 100 + number, accepted=False, issues=found)
    stock.derive()

    assert_rows_are_as_many_as_counted(stock)


def test_the_rows_of_a_rule_are_found_by_its_code_and_are_masked(shop):
    found = shop.rows("contact.email.invalid")

    (row,) = found.rows.to_dicts()
    assert (found.total, row["source"], row["source_key"]) == (1, "shop", "c")
    assert row["value"] == "b••• a••• e•••.c•••"


def test_records_are_listed_without_what_their_source_said_and_with_personal_fields_masked(shop):
    shown = shop.rows("contact.accepted").rows
    assert "raw" not in shown.columns
    assert shown["email"].to_list() == ["a•••@example.com"] * 2 + [None, "o•••@example.com"]
    assert shown["lead_source"].to_list() == ["paid_search", "paid_search", None, None]

    plain = shop.rows("contact.accepted", card=shop.card(show_personal=True)).rows
    assert "raw" in plain.columns
    assert plain["email"][0] == "ann@example.com"


def test_list_and_date_fields_are_masked_too(stock):
    stock.put(
        "a", last_name="Lee", other_emails=["ann@example.com"], date_of_birth=datetime(1990, 4, 1)
    )
    (row,) = stock.derive().rows("contact.golden").rows.to_dicts()
    assert row["other_emails"] == ["a•••@example.com"]
    assert row["date_of_birth"] == "••• 1990"


def test_keys_stay_whole_but_for_addresses_in_them(stock):
    stock.put("4917612345678", last_name="Lee")
    stock.put("ann@example.com", last_name="Lee")
    keys = stock.derive().rows("contact.received").rows["source_key"]
    assert keys.to_list() == ["4917612345678", "a•••@example.com"]


def test_rows_can_be_of_one_source(shop):
    assert shop.rows("contact.email.filled", source="shop").total == 2
    assert shop.rows("contact.golden", source="shop").total == 2
    assert shop.rows("contact.lead_source.unknown", source="shop").total == 0


@pytest.fixture
def kept(shop):
    """The shop with two colleagues and nobody looking after its records."""
    shop.put("g", last_name="X", owner="Ann Lee", issues=[("contact.reachable", "info", None)])
    shop.put("h", last_name="Y", owner=" ann lee", customer="g")
    shop.put("i", last_name="Z", owner="Bo", issues=[("contact.email.invalid", "warning", "x")])
    return shop.derive()


def test_rows_can_be_of_one_colleague_of_nobody_or_of_a_team(kept):
    card = kept.card(teams={"North": ["ann lee"], "South": ["Bo", "Cy"]})

    def total(figure, **choice):
        return kept.rows(figure, card=card, **choice).total

    assert total("contact.accepted", keeper="Ann Lee") == 1
    assert total("contact.accepted", keeper="") == 4
    assert total("contact.accepted", team="North") == 2
    assert total("contact.golden", team="North") == 1
    assert total("contact.issues", team="South") == 1
    assert total("contact.issues", team="South", owner="marketing-ops") == 0


def test_issues_can_be_of_the_rules_of_one_owner(shop):
    found = shop.rows("contact.issues", owner="marketing-ops").rows
    assert found["rule"].to_list() == ["contact.lead_source.unknown"]


def test_a_limit_cuts_the_rows_and_not_the_count(shop):
    found = shop.rows("contact.received", limit=2)
    assert (found.rows.height, found.total) == (2, 6)


def test_a_figure_of_everything_lists_all_of_it_in_order(shop):
    assert shop.rows("contact.received").rows["record_id"].to_list() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("figure", "choice", "said"),
    [
        ("contact.email.vaild", {}, r"did you mean contact\.email\.valid"),
        ("contact.score", {}, r"contact\.completeness"),
        ("contact.golden", {"source": "shopp"}, "did you mean shop"),
        ("contact.golden", {"team": "North"}, "there are none"),
        ("contact.issues", {"owner": "nobody-at-all"}, "there are: "),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(shop, figure, choice, said):
    with pytest.raises(NotFoundError, match=said):
        shop.rows(figure, **choice)


def test_golden_records_are_no_issues_of_anybodys_rules(shop):
    with pytest.raises(UsageError, match="--keeper"):
        shop.rows("contact.golden", owner="marketing-ops")


def test_an_issue_of_a_rule_about_many_records_counts_at_its_record(shop):
    shop.connection.execute(
        "ALTER TABLE quality.issue ALTER COLUMN version_id DROP NOT NULL"
    ).fetchall()
    shop.connection.execute("""
        INSERT INTO quality.issue BY NAME SELECT 1 AS run_id, 'contact' AS entity, 1 AS record_id,
               'email' AS field, 'contact.email.unique' AS rule, 'info' AS severity,
               'ann@example.com' AS value, 'other contacts have it' AS message""").fetchall()
    line = next(i for i in shop.contacts().issues if i.rule == "contact.email.unique")
    assert (line.records, line.dimension, line.by_source) == (1, "uniqueness", {"crm": 1})
    assert_rows_are_as_many_as_counted(shop)


def test_an_issue_about_a_whole_source_has_no_record_and_is_still_counted(shop):
    for column in ("version_id", "record_id"):
        shop.connection.execute(
            f"ALTER TABLE quality.issue ALTER COLUMN {column} DROP NOT NULL"
        ).fetchall()
    shop.connection.execute("""
        INSERT INTO quality.issue BY NAME SELECT 1 AS run_id, 'contact' AS entity,
               'updated_at' AS field, 'contact.fresh' AS rule, 'warning' AS severity,
               '2024-01-01' AS value, 'nothing new for two days' AS message""").fetchall()
    line = next(i for i in shop.contacts().issues if i.rule == "contact.fresh")
    assert (line.issues, line.records, line.examples) == (1, 0, ())
    assert_rows_are_as_many_as_counted(shop)


def test_rows_are_a_frame_with_types(shop):
    assert shop.rows("contact.timeliness").rows.schema["updated_at"] == pl.Datetime("us")
