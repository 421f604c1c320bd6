from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import default_rules
from crm_quality.definitions.loader import rules_of
from crm_quality.merge import OVERRIDES, kept_text, survive, typed

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


def test_an_initial_with_its_full_stop_is_one_letter():
    frame = records(
        {"entity_id": 1, "first_name": "Jo", "last_name": "Ek"},
        {"entity_id": 1, "first_name": "J.", "last_name": "Ek", "updated_at": datetime(2025, 1, 1)},
    )
    assert golden(frame)[0]["first_name"] == "Jo"


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
    told = survived.origins.select("field", "record_id", "rule")
    origins = {(field, record): rule for field, record, rule in told.iter_rows()}
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


POLICY = """
entity: contact
fields:
  email: {{meaning: x, type: email, survivorship: {email}}}
  email_kind: {{meaning: x, type: text, survivorship: {{strategy: winner_of, of: email}}}}
  email_ok: {{meaning: x, type: boolean}}
  orders: {{meaning: x, type: integer, survivorship: {{strategy: sum}}}}
  spent: {{meaning: x, type: decimal, survivorship: {{strategy: sum}}}}
  consent:
    meaning: x
    type: boolean
    survivorship: {{strategy: most_restrictive, order: ["false", "true"]}}
  stage:
    meaning: x
    type: text
    survivorship: {{strategy: most_complete}}
  updated_at: {{meaning: x, type: datetime, survivorship: {{strategy: max}}}}
"""


def by_policy(email, *rows, **options):
    """The golden record of one customer whose e-mail survives by ``email``."""
    definition = rules_of({"entities/contact.yml": POLICY.format(email=email)}).entity("contact")
    columns = {
        "email": pl.String,
        "email_kind": pl.String,
        "email_ok": pl.Boolean,
        "orders": pl.Int64,
        "spent": pl.Decimal(18, 2),
        "consent": pl.Boolean,
        "stage": pl.String,
        "updated_at": pl.Datetime("us"),
    }
    filled = [
        {"entity_id": 1, "record_id": n, "version_id": n, "source": "crm"} | row
        for n, row in enumerate(rows, start=1)
    ]
    ids = {"entity_id": pl.Int64, "record_id": pl.Int64, "version_id": pl.Int64}
    frame = pl.DataFrame(filled, schema=ids | {"source": pl.String} | columns)
    return survive(frame, definition, **options)


def doubts(*found):
    return pl.DataFrame(
        [(record, field, severity) for record, field, severity in found],
        schema={"record_id": pl.Int64, "field": pl.String, "severity": pl.String},
        orient="row",
    )


OLD = {"email": "old@x.com", "source": "crm", "updated_at": datetime(2024, 1, 1)}
NEW = {"email": "new@x.com", "source": "shop", "updated_at": datetime(2025, 1, 1)}
LONG = {"email": "a.long.one@x.com", "source": "web", "updated_at": datetime(2023, 1, 1)}


@pytest.mark.parametrize(
    ("rule", "rows", "expected"),
    [
        ("{strategy: most_recent}", [OLD, NEW, LONG], "new@x.com"),
        ("{strategy: longest}", [OLD, NEW, LONG], "a.long.one@x.com"),
        ("{strategy: most_frequent}", [OLD, OLD, NEW, LONG], "old@x.com"),
        ("{strategy: most_complete}", [OLD | {"stage": "lead"}, NEW, LONG], "old@x.com"),
        ("{strategy: first_record}", [OLD, NEW, LONG], "old@x.com"),
        ("{strategy: source_priority, sources: [web, crm]}", [OLD, NEW, LONG], "a.long.one@x.com"),
        ("{strategy: source_priority, sources: [erp, crm]}", [OLD, NEW, LONG], "old@x.com"),
        ("{strategy: verified_first, verified_by: email_ok}",
         [OLD | {"email_ok": True}, NEW | {"email_ok": False}, LONG], "old@x.com"),
        ("{strategy: verified_first, verified_by: updated_at}", [OLD, NEW, LONG], "new@x.com"),
    ],
)  # fmt: skip
def test_each_strategy_chooses_its_own_winner(rule, rows, expected):
    assert by_policy(rule, *rows).golden["email"].item() == expected


def test_the_trust_in_a_source_decides_where_no_order_is_declared():
    rule = "{strategy: source_priority}"
    survived = by_policy(rule, OLD, NEW, LONG, priorities={"crm": 3, "web": 5})
    assert survived.golden["email"].item() == "a.long.one@x.com"


def test_a_value_with_a_warning_or_error_comes_after_one_without():
    rule = "{strategy: most_recent}"
    for severity in ("warning", "error"):
        survived = by_policy(rule, OLD, NEW, issues=doubts((2, "email", severity)))
        assert survived.golden["email"].item() == "old@x.com"
    of_others = doubts((2, "email", "info"), (2, "stage", "error"))
    assert by_policy(rule, OLD, NEW, issues=of_others).golden["email"].item() == "new@x.com"
    both = doubts((1, "email", "error"), (2, "email", "warning"))
    assert by_policy(rule, OLD, NEW, issues=both).golden["email"].item() == "new@x.com"
    ignored = "{strategy: most_recent, doubtful: ignored}"
    found = by_policy(ignored, OLD, NEW, issues=doubts((2, "email", "error")))
    assert found.golden["email"].item() == "new@x.com"


def test_a_value_that_is_doubtful_everywhere_is_still_a_value():
    survived = by_policy("{strategy: longest}", OLD, issues=doubts((1, "email", "error")))
    assert survived.golden["email"].item() == "old@x.com"


def test_an_issue_lowers_the_trust_in_a_source_down_to_its_floor():
    rule = "{strategy: source_priority, doubtful: lowered, lowered_by: {warning: 2, error: 9}}"
    trust = {"priorities": {"crm": 5, "shop": 4}}
    lowered = by_policy(rule, OLD, NEW, issues=doubts((1, "email", "warning")), **trust)
    assert lowered.golden["email"].item() == "new@x.com"
    for least, expected in ((5, "old@x.com"), (3, "new@x.com"), (9, "old@x.com")):
        found = by_policy(
            rule, OLD, NEW, issues=doubts((1, "email", "error")), floors={"crm": least}, **trust
        )
        assert found.golden["email"].item() == expected


def test_verified_means_without_any_issue_where_no_field_says_so():
    survived = by_policy(
        "{strategy: verified_first, doubtful: ignored}",
        OLD, NEW, issues=doubts((2, "email", "warning")),
    )  # fmt: skip
    assert survived.golden["email"].item() == "old@x.com"


def test_a_field_follows_the_winner_of_another_even_to_nothing():
    rule = "{strategy: most_recent}"
    old = OLD | {"email_kind": "work"}
    survived = by_policy(rule, old, NEW | {"email_kind": "private"})
    assert survived.golden["email_kind"].item() == "private"
    assert by_policy(rule, old, NEW).golden["email_kind"].item() is None
    nobody = by_policy(rule, {"email_kind": "work"}, {"stage": "lead"})
    assert nobody.golden["email_kind"].item() == "work"
    assert "winner of email" in survived.origins["rule"].to_list()


def test_sums_add_what_is_there_and_name_every_giver():
    rows = [{"orders": 2, "spent": Decimal("1.25")}, {"orders": 3, "spent": None}, {"orders": None}]
    survived = by_policy("{strategy: most_recent}", *rows)
    assert survived.golden["orders"].item() == 5
    assert str(survived.golden["spent"].item()) == "1.25"
    givers = survived.origins.filter(pl.col("rule") == "sum", pl.col("field") == "orders")
    assert sorted(givers["record_id"]) == [1, 2]


def test_consent_survives_at_its_most_restrictive_whatever_was_found_about_it():
    rows = [{"consent": True}, {"consent": False}, {"consent": None}]
    survived = by_policy("{strategy: most_recent}", *rows, issues=doubts((2, "consent", "error")))
    assert survived.golden["consent"].item() is False


def test_an_override_stands_in_place_of_any_value_and_what_it_displaces_is_kept():
    frame = records({"entity_id": 1, "email": "a@x.com", "other_emails": ["z@x.com", "c@x.com"]})
    said = pl.DataFrame(
        [(1, "email", "pin@x.com", 1, "pinned", 7), (1, "city", None, 1, "pinned", 8)],
        schema=OVERRIDES,
        orient="row",
    )
    survived = survive(frame, CONTACT, overrides=said)
    ann = survived.golden.to_dicts()[0]
    assert (ann["email"], ann["city"]) == ("pin@x.com", None)
    assert set(ann["other_emails"]) == {"a@x.com", "c@x.com", "z@x.com"}
    pinned = survived.origins.filter(pl.col("override_id").is_not_null())
    assert sorted(pinned["field"]) == ["city", "email"]
    elsewhere = survive(frame, CONTACT, overrides=said.filter(pl.col("field") == "city")).golden
    assert elsewhere["other_emails"].to_list() == [["z@x.com", "c@x.com"]]


@pytest.mark.parametrize("name", ["contact", "company"])
def test_kept_texts_of_every_type_come_back_as_they_were(name):
    definition = default_rules().entity(name)
    examples = {
        "VARCHAR": "Ann; Lee", "DATE": date(2024, 2, 29), "BOOLEAN": False, "BIGINT": 12,
        "TIMESTAMP": datetime(2024, 1, 2, 3, 4, 5, 678), "VARCHAR[]": ["a@x.com", "b@x.com"],
        "DECIMAL(18, 2)": Decimal("12.50"),
    }  # fmt: skip
    for kind in set(definition.columns.values()):
        column = pl.Series([examples[kind], None])
        assert typed(kept_text(column), column.dtype).to_list() == column.to_list()


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


found = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.sampled_from(["email", "first_name", "city"]),
        st.sampled_from(["info", "warning", "error"]),
    )
)


@given(st.lists(row, min_size=1, max_size=8), found, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, issues, random):
    frame, doubtful = records(*rows), doubts(*issues)
    order = list(range(frame.height))
    random.shuffle(order)
    assert golden(frame, issues=doubtful) == golden(frame[order], issues=doubtful.reverse())


@given(st.lists(row, min_size=1, max_size=8), found)
def test_a_doubt_takes_no_value_away(rows, issues):
    frame = records(*rows)
    with_doubts, without = golden(frame, issues=doubts(*issues)), golden(frame)
    for one, other in zip(with_doubts, without, strict=True):
        for name in ("email", "first_name", "last_name", "email_opt_out"):
            assert (one[name] is None) == (other[name] is None) or name in {
                "first_name",
                "last_name",
            }


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


@given(
    st.lists(row, min_size=1, max_size=8),
    st.dictionaries(st.integers(1, 3), st.sampled_from([None, "true", "false"])),
)
def test_no_override_takes_an_opt_out_back(rows, pins):
    said = pl.DataFrame(
        [(entity, "email_opt_out", value, 1, "pinned", 1) for entity, value in pins.items()],
        schema=OVERRIDES,
        orient="row",
    )
    for entity in golden(records(*rows), overrides=said):
        members = [r for r in rows if r["entity_id"] == entity["entity_id"]]
        if any(r["email_opt_out"] for r in members):
            assert entity["email_opt_out"] is True


@pytest.mark.slow
@given(st.lists(row, min_size=1, max_size=8), found, st.sampled_from([None, "pin@x.com"]))
def test_customers_can_be_derived_in_any_parts(rows, issues, pinned):
    frame = records(*rows)
    said = pl.DataFrame([(1, "email", pinned, 1, "pinned", 1)], schema=OVERRIDES, orient="row")
    options = {"issues": doubts(*issues), "overrides": said}
    parts = [golden(frame.filter(pl.col("entity_id") == one), **options) for one in (1, 2, 3)]
    assert golden(frame, **options) == [one for part in parts for one in part]
