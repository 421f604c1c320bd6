"""Deals, tickets, payments and consents: whose they are, and what may be sent to whom."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality import Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crm_quality.store import Store

CONTACTS = pl.DataFrame(
    {
        "source_key": ["1", "2", "3"],
        "first_name": ["Ann", "Bob", "Cleo"],
        "last_name": ["Lee", "Berg", "Dahl"],
        "email": ["ann@lee-family.org", "bob@berg.example.net", "cleo@dahl-works.com"],
        "phone": ["+14155550101", "+14155550102", "+14155550103"],
    }
)


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project.create(tmp_path / "project")
    made.run(CONTACTS, source="crm")
    return made


def rows(project: Project, query: str) -> list[dict[str, Any]]:
    with project.store() as store:
        return store.frame(query).to_dicts()


def test_a_row_is_found_by_key_of_any_source_else_by_an_address_of_one_customer(project):
    deals = pl.DataFrame(
        {
            "source_key": ["a", "b", "c", "d", "e"],
            "contact_key": ["1", "1", None, "404", None],
            "contact_source": [None, "crm", None, "crm", None],
            "contact_email": [None, None, "BOB@berg.example.net", "bob@berg.example.net", None],
            "stage": ["Closed Won", "proposal", "Negotiation", "proposal", "won"],
            "amount": ["1,000.10", "2", "3", "4", "5"],
            "currency": ["EUR"] * 5,
        }
    )
    project.run(deals, source="crm", entity="deal")
    project.run(deals.head(1), source="shop", entity="deal")
    found = rows(project, "SELECT * FROM crm.deal ORDER BY source, source_key")
    told = [(d["source"], d["source_key"], d["contact_id"], d["contact_by"], d["contact_state"])
            for d in found]  # fmt: skip
    assert told == [
        ("crm", "a", 1, "key", "linked"),
        ("crm", "b", 1, "key", "linked"),
        ("crm", "c", 2, "email", "linked"),
        ("crm", "d", 2, "email", "linked"),
        ("crm", "e", None, None, "none"),
        ("shop", "a", None, None, "unknown"),  # the shop knows no contact 1
    ]
    assert found[0]["amount"] == Decimal("1000.10")
    assert found[0]["stage"] == "won"


def test_a_row_may_come_before_its_customer_and_again_and_go(project):
    payments = pl.DataFrame(
        {
            "source_key": ["p1", "p2"],
            "contact_key": ["9", "1"],
            "amount": ["10.00", "20.00"],
            "currency": ["eur", "eur"],
            "occurred_at": ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"],
        }
    )
    project.run(payments, source="crm", entity="transaction")
    state = "SELECT source_key, contact_id, contact_state FROM crm.transaction ORDER BY source_key"
    assert rows(project, state)[0]["contact_state"] == "unknown"
    late = CONTACTS.head(1).with_columns(source_key=pl.lit("9"), email=pl.lit("z@zeta.example.org"))
    project.run(late.with_columns(first_name=pl.lit("Zoe")), source="crm")
    assert [row["contact_state"] for row in rows(project, state)] == ["linked", "linked"]

    again = project.run(payments, source="crm", entity="transaction")
    assert again.summary.records.unchanged == 2
    changed = payments.with_columns(amount=pl.lit("11.00"))
    told = project.run(changed, source="crm", entity="transaction").summary
    assert told.rows["transaction"].model_dump() == {"total": 2, "created": 0, "changed": 2}
    assert rows(project, "SELECT sum(amount) AS s FROM crm.transaction")[0]["s"] == Decimal("22.00")


def test_a_payment_without_an_amount_waits_and_is_counted(project):
    told = project.run(
        pl.DataFrame({"source_key": ["p1", "p2"], "contact_key": ["1", "1"],
                      "amount": ["ten", "5"], "currency": ["EUR", "EUR"]}),
        source="crm", entity="transaction",
    )  # fmt: skip
    assert (told.summary.records.accepted, told.summary.records.quarantined) == (1, 1)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Project:
    made = Project.create(tmp_path_factory.mktemp("two") / "project")
    made.run(CONTACTS, source="crm")
    return made


class _UndoneError(Exception):
    """Takes a transaction back."""


@contextmanager
def said_in(store: Store, said: Iterable[tuple[str, str, str, int, str | None]]) -> Iterator[None]:
    """Consents for the time of the block: contact, address, word, day of 2026, what proves it."""
    with suppress(_UndoneError), store.transaction():
        for number, (key, address, status, day, evidence) in enumerate(said):
            moment = datetime(2026, 1, day)
            store.execute(
                "INSERT INTO crm.consent_row (entity_id, version, run_id, source, source_key,"
                " contact_key, contact_record, email, channel, purpose, consent_status,"
                " occurred_at, evidence)"
                " VALUES (?, 1, 1, 'crm', ?, ?, ?, ?, 'email', 'marketing', ?, ?, ?)",
                [1000 + number, str(number), key, int(key), address, status, moment, evidence],
            )
        yield
        raise _UndoneError


ANN, BOB = "ann@lee-family.org", "bob@berg.example.net"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], {}),  # nothing said is no consent
        ([("1", ANN, "granted", 1, None)], {ANN: "granted"}),
        ([("1", ANN, "granted", 1, None), ("1", ANN, "withdrawn", 2, None)], {ANN: "withdrawn"}),
        # the last word counts, but after an opt-out only with evidence
        ([("1", ANN, "withdrawn", 1, None), ("1", ANN, "granted", 2, None)], {ANN: "withdrawn"}),
        ([("1", ANN, "withdrawn", 1, None), ("1", ANN, "granted", 2, "form 7")], {ANN: "granted"}),
        # an opt-out of another address of the same customer blocks this one
        (
            [("1", ANN, "granted", 1, "f"), ("1", "old@lee-family.org", "withdrawn", 2, None)],
            {ANN: "blocked", "old@lee-family.org": "withdrawn"},
        ),
    ],
)
def test_the_last_explicit_word_counts_and_silence_is_no_consent(two, said, expected):
    with two.store() as store, said_in(store, said):
        found = store.rows("SELECT address, status FROM crm.permission WHERE channel = 'email'")
    assert dict(found) == expected


def test_an_opt_out_in_a_contact_record_holds_though_its_source_forgets_it(project):
    project.run(CONTACTS.head(1).with_columns(email_opt_out=pl.lit("yes")), source="crm")
    granted = pl.DataFrame(
        {"source_key": ["c1"], "contact_key": ["1"], "channel": ["e-mail"],
         "purpose": ["marketing"], "consent_status": ["opt in"], "occurred_at": ["2030-01-20"]}
    )  # fmt: skip
    project.run(granted, source="crm", entity="consent")
    standing = "SELECT address, status FROM crm.permission WHERE channel = 'email'"
    assert rows(project, standing) == [{"address": ANN, "status": "withdrawn"}]
    project.run(CONTACTS.head(1).with_columns(email_opt_out=pl.lit("no")), source="crm")
    assert rows(project, standing) == [{"address": ANN, "status": "withdrawn"}]


words = st.lists(
    st.tuples(
        st.sampled_from(["1", "2"]),
        st.sampled_from([ANN, BOB, "shared@both.example.org"]),
        st.sampled_from(["granted", "withdrawn"]),
        st.integers(1, 28),
        st.sampled_from([None, "form 7"]),
    ),
    max_size=8,
)


@pytest.mark.capability(33)
@settings(max_examples=25, deadline=None)
@given(words)
def test_a_merge_never_widens_what_may_be_sent(two, said):
    allowed = "SELECT address, channel, purpose FROM crm.permission WHERE status = 'granted'"
    with two.store() as store, said_in(store, said):
        apart = set(store.rows(allowed))
        store.execute("UPDATE matching.membership SET entity_id = 1 WHERE record_id = 2")
        together = set(store.rows(allowed))
    assert together <= apart
