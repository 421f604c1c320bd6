"""One small business: six contact records, two of whom are the same person, and their rows."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.engine.check import Reading
from crm_quality.engine.run import RunRequest, execute
from crm_quality.engine.summary import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.store import Store

CONTACTS = pl.DataFrame(
    {
        "source_key": ["1", "2", "3", "4", "5", "6"],
        "first_name": ["ANN", "Bob", "Cleo", "Dan", None, "Fay"],
        "last_name": ["LEE", "Berg", "Dahl", "Moss", "Ives", "Holt"],
        "salutation": [None, None, None, None, "Ms", None],
        "email": ["ann@lee-family.org", "bob@berg.example.net", "cleo@dahl-works.com",
                  "dan@moss.example.com", "ives@ives.example.org", "fay@holt.example.com"],
        "company_name": ["Acme Ltd", None, "Globex", None, None, None],
        "job_title": ["Director of Sales", "Clerk", "CEO", None, None, None],
        "lifecycle_stage": ["customer", "mql", "customer", "lead", "lead", "churned"],
        "created_at": ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01",
                       "2025-06-01"],
    }
)  # fmt: skip


def _rows(names: str, *rows: tuple[object, ...]) -> pl.DataFrame:
    texts = [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
    return pl.DataFrame(texts, schema=dict.fromkeys(names.split(), pl.String), orient="row")


#: Entity → its rows. Key 404 is nobody's; rows without a key are found by address or are nobody's.
ROWS = {
    "campaign": _rows("source_key name cost currency", ("k1", "Spring", 100, "EUR"),
                      ("k2", "Autumn", 50, "EUR")),
    "deal": _rows(
        "source_key contact_key contact_email stage amount currency close_date created_at",
        ("d1", "1", None, "won", "1000.00", "EUR", "2026-03-10", "2026-01-01"),
        ("d2", "2", None, "won", "99.99", "EUR", "2026-03-10", "2026-01-02"),
        ("d3", "3", None, "proposal", "500.00", "USD", "2026-12-10", "2026-01-03"),
        ("d4", None, "dan@moss.example.com", "won", "10.00", "EUR", "2026-05-01", "2026-01-04"),
        ("d5", "404", None, "won", "77.00", "EUR", "2026-05-01", "2026-01-05"),
        ("d6", "1", None, "won", "100.01", "EUR", "2026-04-10", "2026-01-06"),
    ),
    "touchpoint": _rows(
        "source_key contact_key campaign_key deal_key lead_source occurred_at",
        ("t1", "1", "k1", None, "Google Ads", "2026-01-01T10:00:00Z"),
        ("t2", "1", "k2", None, "Referral", "2026-02-01T10:00:00Z"),
        ("t3", "1", None, None, "Newsletter", "2026-03-01T10:00:00Z"),
        ("t4", "1", "k1", None, "Event", "2026-03-08T10:00:00Z"),
        ("t5", "1", None, None, "Event", "2026-06-01T10:00:00Z"),
        ("t6", "2", "k1", None, "Google Ads", "2026-03-10T23:00:00Z"),
        ("t7", "404", None, "d5", "Partner", "2026-02-01T10:00:00Z"),
    ),
    "transaction": _rows(
        "source_key contact_key contact_email kind payment_status amount currency refunded product"
        " occurred_at",
        ("p1", "1", None, "payment", "paid", "100.00", "EUR", None, "tea", "2026-01-05T10:00:00Z"),
        ("p2", "1", None, "payment", "paid", "50.10", "EUR", "10.05", "cake",
         "2026-02-05T10:00:00Z"),
        ("p3", "1", None, "payment", "failed", "999.00", "EUR", None, "tea",
         "2026-02-06T10:00:00Z"),
        ("p4", "2", None, "payment", "paid", "200.00", "EUR", None, "tea", "2026-01-20T10:00:00Z"),
        ("p5", "2", None, "payment", "paid", "20.00", "USD", None, "cake", "2026-03-20T10:00:00Z"),
        ("p6", "3", None, "payment", "paid", "30.00", "USD", None, "tea", "2026-03-01T10:00:00Z"),
        ("p7", "3", None, "refund", "paid", "-5.00", "USD", None, None, "2026-03-02T10:00:00Z"),
        ("p8", None, "dan@moss.example.com", "payment", "paid", "7.77", "EUR", None, "salt",
         "2026-04-01T10:00:00Z"),
        ("p9", "404", None, "payment", "paid", "1.23", "EUR", None, "tea", "2026-04-01T10:00:00Z"),
        ("p10", None, None, "payment", "paid", "4.56", "EUR", None, None, "2026-04-01T10:00:00Z"),
        ("p11", "1", None, "invoice", None, "88.00", "EUR", None, None, "2026-04-02T10:00:00Z"),
        ("p12", "1", None, "payment", "paid", "10.00", "EUR", None, "tea", "2026-04-02T10:00:00Z"),
    ),
    "engagement": _rows(
        "source_key contact_key contact_email kind occurred_at",
        ("e1", "1", None, "open", "2026-06-01T10:00:00Z"),
        ("e2", "1", None, "click", "2026-06-01T10:00:00Z"),
        ("e3", "1", None, "form", "2026-05-01T10:00:00Z"),
        ("e4", "2", None, "open", "2026-01-01T10:00:00Z"),
        ("e5", "3", "cleo@dahl-works.com", "bounce", "2026-05-01T10:00:00Z"),
        ("e6", "1", None, "open", "2030-01-01T10:00:00Z"),
    ),
    "activity": _rows(
        "source_key contact_key kind subject occurred_at",
        ("a1", "1", "call", "about tea", "2026-05-20T10:00:00Z"),
        ("a2", "2", "meeting", "about cake", "2026-05-21T10:00:00Z"),
        ("a3", "404", "call", "about nobody", "2026-05-22T10:00:00Z"),
    ),
    "ticket": _rows(
        "source_key contact_key ticket_status priority subject created_at",
        ("s1", "1", "open", "high", "tea is cold", "2026-05-01T10:00:00Z"),
        ("s2", "2", "solved", "low", "cake is warm", "2026-05-02T10:00:00Z"),
    ),
    "task": _rows(
        "source_key contact_key subject task_status due_at created_at",
        ("j1", "1", "call back", "open", "2026-07-01T10:00:00Z", "2026-05-02T10:00:00Z"),
        ("j2", "2", "send cake", "done", "2026-07-01T10:00:00Z", "2026-05-02T10:00:00Z"),
    ),
    "note": _rows("source_key contact_key body occurred_at",
                  ("n1", "1", "likes tea", "2026-05-02T10:00:00Z")),
    "campaign_member": _rows("source_key contact_key campaign_key member_status responded_at",
                             ("m1", "1", "k1", "responded", "2026-05-02T10:00:00Z"),
                             ("m2", "2", "k1", "sent", None)),
    "usage_event": _rows("source_key contact_key kind quantity occurred_at",
                         ("u1", "2", "login", 1, "2026-05-30T10:00:00Z")),
    "contract": _rows("source_key contact_key name starts_on amount currency billing_period",
                      ("c1", "1", "tea club", "2026-01-01", "5.00", "EUR", "month")),
    "preference": _rows("source_key contact_key topic wanted occurred_at",
                        ("x1", "1", "news", "yes", "2026-01-01"),
                        ("x2", "4", "news", "no", "2026-01-02")),
    "consent": _rows(
        "source_key contact_key email channel purpose consent_status occurred_at",
        ("g1", "1", "ann@lee-family.org", "email", "marketing", "granted", "2026-01-01"),
        ("g2", "2", "bob@berg.example.net", "email", "marketing", "withdrawn", "2026-01-01"),
        ("g3", "3", "cleo@dahl-works.com", "email", "marketing", "granted", "2026-01-01"),
        ("g4", "4", "dan@moss.example.com", "email", "marketing", "granted", "2026-01-01"),
        ("g5", "5", "ives@ives.example.org", "email", "marketing", "granted", "2026-01-01"),
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def business(tmp_path_factory) -> Project:
    """For reading, and for changes that are taken back."""
    made = Project.create(tmp_path_factory.mktemp("business") / "project")
    made.run(CONTACTS, source="crm")
    # one run for all of them, since each takes a second
    readings = {e: Reading("crm", e, None, None, None) for e in ROWS}
    intakes = [one for e, of in readings.items() for one in of.read(ROWS[e], made.rules)]
    request = RunRequest(intakes, "tests", "tests", date(2026, 6, 30))
    with made.store() as store:
        execute(store, made.rules, made.config, request, Clock())
    return made


@pytest.fixture(scope="session")
def given() -> dict[str, pl.DataFrame]:
    """Entity → the rows that were given to the business."""
    return ROWS


class _UndoneError(Exception):
    """Takes a transaction back."""


@contextmanager
def _joined(project: Project, *pairs: tuple[int, int]) -> Iterator[Store]:
    with project.store() as store, suppress(_UndoneError), store.transaction():
        for kept, gone in pairs:
            store.execute(
                "UPDATE matching.membership SET entity_id = ? WHERE entity_id = ?", [kept, gone]
            )
            store.execute("DELETE FROM crm.contact WHERE entity_id = ?", [gone])
            store.execute(
                "UPDATE crm.point_owner SET entity_id = ? WHERE entity_id = ?", [kept, gone]
            )
        yield store
        raise _UndoneError


@pytest.fixture(scope="session")
def joined():
    """Contacts merged for the time of a block: joined(project, (kept, gone), …) as store."""
    return _joined
