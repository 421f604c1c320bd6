# ruff: noqa: S608 - numbers, names of our own tables, and texts quoted here
"""All that is known of one customer, read from the rows of this one alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.crm.partial import view_over
from crm_quality.errors import NotFoundError

if TYPE_CHECKING:
    from crm_quality.store import Store

_IN_QUARANTINE = (
    "contact_record IN (SELECT record_id FROM landing.record"
    " WHERE entity = 'contact' AND accepted_no IS NULL)"
)
_ANY_IN_QUARANTINE = """
SELECT 1 FROM landing.record WHERE entity = 'contact' AND accepted_no IS NULL LIMIT 1
"""
_WHOLE = """SELECT d.*, {contact_id}::BIGINT AS contact_id, 'linked' AS contact_state,
       NULL::BIGINT AS company_id FROM crm.{entity}_row d WHERE d.entity_id IN ({rows})"""
#: No row, and the columns of the first part of ``crm.event``.
_NONE = """SELECT *, NULL::BIGINT AS contact_id, '' AS contact_state, NULL::BIGINT AS company_id
FROM crm.activity_row WHERE false"""
#: Whether anything was said about these records or addresses.
_ANYTHING_SAID = """
SELECT 1 FROM crm.consent_row WHERE contact_record IN ({records}) OR email IN ({texts})
   OR phone IN ({texts})
UNION ALL
SELECT 1 FROM landing.contact_version
WHERE record_id IN ({records}) AND (email_opt_out OR do_not_call) LIMIT 1
"""
#: Tables of which the rows of some records are read.
_OF_RECORDS = (
    "landing.contact_version",
    "landing.contact_point",
    "landing.record",
    "matching.membership",
)
#: Views between what was said and what may be sent, the first first.
_WORDS = ("crm.consent_event", "crm.consent_state")
_PERMISSIONS = pl.Schema(
    {
        "channel": pl.String(),
        "purpose": pl.String(),
        "address": pl.String(),
        "status": pl.String(),
        "since": pl.Datetime("us"),
    }
)
_MONEY = pl.Schema(
    {
        "currency": pl.String(),
        "payments": pl.Int64(),
        "refunds": pl.Int64(),
        "paid": pl.Decimal(38, 2),
        "net": pl.Decimal(38, 2),
        "first_paid_at": pl.Datetime("us"),
        "last_paid_at": pl.Datetime("us"),
    }
)
_CONCERNS = pl.Schema(
    {
        "concern": pl.String(),
        "since": pl.Datetime("us"),
        "last_at": pl.Datetime("us"),
        "said": pl.Int64(),
        "is_open": pl.Boolean(),
    }
)
#: Entities whose rows are events of a customer → the columns with an address or number of theirs.
EVENTS = {
    "activity": {"email": "contact_email", "phone": "contact_phone"},
    "engagement": {"email": "contact_email"},
    "transaction": {"email": "contact_email"},
    "deal": {"email": "contact_email"},
    "ticket": {"email": "contact_email"},
    "task": {"email": "contact_email"},
    "note": {"email": "contact_email"},
    "campaign_member": {"email": "contact_email"},
    "contract": {"email": "contact_email"},
    "consent": {"email": "email", "phone": "phone"},
    "preference": {"email": "contact_email"},
    "usage_event": {"email": "contact_email"},
    "touchpoint": {"email": "contact_email"},
}
_NOT_SEEN = ("task", "contract")
_CLOSED = {"deal": ("won", "lost"), "ticket": ("solved", "closed"), "task": ("done", "cancelled")}
_RECORDS = """
SELECT r.record_id, r.source, r.source_key, r.current_version,
       CASE WHEN r.erased_at IS NOT NULL THEN 'erased' WHEN r.ended_at IS NOT NULL THEN 'ended'
            WHEN r.current_version IS NULL THEN 'quarantined' ELSE 'accepted' END AS status
FROM landing.record r
WHERE r.entity = 'contact' AND r.record_id IN
      (SELECT record_id FROM matching.membership WHERE entity_id = ?)
ORDER BY r.record_id
"""
_POINTS = """
SELECT DISTINCT p.kind, p.value, o.entity_id IS NOT NULL AS is_alone FROM landing.contact_point p
LEFT JOIN (SELECT kind, value, entity_id FROM crm.point_owner
           WHERE entity = 'contact' AND entity_id = ?) o USING (kind, value)
WHERE p.entity = 'contact' AND p.record_id IN ({records})
"""
_SHARING = """
SELECT DISTINCT record_id FROM landing.contact_point
WHERE entity = 'contact' AND value IN (SELECT unnest(?::VARCHAR[]))
"""
_COMPANIES = """
SELECT v.company_name, v.job_title AS role, list_sort(list(DISTINCT r.source)) AS sources,
       w.company_id
FROM landing.contact_version v JOIN landing.record r ON r.current_version = v.version_id
LEFT JOIN matching.workplace w ON w.record_id = r.record_id
WHERE v.version_id IN ({versions}) AND r.record_id IN ({records}) AND r.ended_at IS NULL
  AND (v.company_name IS NOT NULL OR w.company_id IS NOT NULL)
GROUP BY v.company_name, v.job_title, w.company_id
ORDER BY v.company_name, v.job_title, w.company_id
"""


@dataclass(frozen=True)
class CustomerPage:
    """One customer.

    Attributes:
        contact_id: The number of the golden record.
        values: Field → golden value; null = no record knows it.
        records: All source records: ``record_id, source, source_key, status``.
        companies: For whom they work: ``company_name, role, sources, company_id`` (null: no
            company, or several, of that name).
        permissions: ``channel, purpose, address, status, since``; only ``granted`` says yes.
        timeline: All events, the latest first: ``entity, entity_id, occurred_at, what, title,
            amount, currency, owner, source, source_key``.
        concerns: What worries them, as notes and tickets are marked: ``concern, since, last_at``,
            ``said`` (how often), ``is_open`` (a ticket about it is).
        money: Per ``currency``: ``payments, refunds, paid, net, first_paid_at, last_paid_at``.
        counts: Entity → rows.
        first_seen_at: The earliest that any record or row says (UTC); null = none says.
        last_seen_at: The latest event that is no plan (UTC).
    """

    contact_id: int
    values: dict[str, Any]
    records: pl.DataFrame
    companies: pl.DataFrame
    permissions: pl.DataFrame
    timeline: pl.DataFrame
    money: pl.DataFrame
    concerns: pl.DataFrame
    counts: dict[str, int] = field(default_factory=dict)
    first_seen_at: Any = None
    last_seen_at: Any = None

    def still_open(self, entity: str) -> pl.DataFrame:
        """Rows of ``deal``, ``ticket`` or ``task`` in the timeline that are not closed."""
        closed = pl.col("what").is_in(_CLOSED[entity]).fill_null(value=False)
        return self.timeline.filter(pl.col("entity") == entity, ~closed)


def customer_page(store: Store, contact_id: int) -> CustomerPage:
    """All that is known of one customer.

    Args:
        store: Open; nothing is written.
        contact_id: The number of a golden record.

    Raises:
        NotFoundError: There is no such customer (any more).
    """
    golden = store.frame(
        "SELECT * EXCLUDE (run_id) FROM crm.contact WHERE entity_id = ?", [contact_id]
    )
    if golden.is_empty():
        raise NotFoundError(
            f"there is no contact {contact_id}: its records have ended, or wait in quarantine "
            "(crmq quarantine list)"
        )
    records = store.frame(_RECORDS, [contact_id])
    numbers = _listed(records["record_id"])
    versions = _listed(records["current_version"].drop_nulls())
    points = store.frame(_POINTS.format(records=numbers), [contact_id])
    timeline = events_of(store, contact_id, numbers, points)
    begun = store.value(
        f"SELECT min(created_at) FROM landing.contact_version WHERE status = 'accepted'"
        f" AND record_id IN ({numbers})"
    )
    seen = timeline.filter(~pl.col("entity").is_in(_NOT_SEEN))["occurred_at"].drop_nulls()
    moments = [m for m in (begun, seen.min()) if m is not None]
    return CustomerPage(
        contact_id=contact_id,
        values={n: v for n, v in golden.to_dicts()[0].items() if n != "entity_id"},
        records=records.drop("current_version"),
        companies=store.frame(_COMPANIES.format(versions=versions or "NULL", records=numbers)),
        permissions=_permissions(store, contact_id, numbers, points),
        timeline=timeline,
        money=_money(store, contact_id, timeline),
        concerns=_concerns(store, contact_id, timeline),
        counts=dict(timeline.group_by("entity").len().sort("entity").iter_rows()),
        first_seen_at=min(moments, default=None),
        last_seen_at=seen.max() if seen.len() else begun,
    )


def events_of(store: Store, contact_id: int, numbers: str, points: pl.DataFrame) -> pl.DataFrame:
    """The events of ``crm.event`` that are this customer's, the latest first.

    First the numbers of the rows are looked up, then only tables that have any are read: it is the
    plan of a query over all of them that takes the time.
    """
    found = store.rows(" UNION ALL ".join(_lookups(store, numbers, points)))
    rows: dict[str, list[int]] = {}
    for entity, entity_id in found:
        rows.setdefault(entity, []).append(entity_id)
    if visits := _visits(store, contact_id, rows.get("engagement", [])):
        rows["engagement"] = sorted({*rows["engagement"], *visits})
    parts = {
        f"crm.{entity}": _WHOLE.format(
            contact_id=contact_id,
            entity=entity,
            rows=", ".join(str(number) for number in rows.get(entity, ())) or "NULL",
        )
        for entity in EVENTS
    }
    query = view_over("crm.event", parts)
    branches = [
        branch
        for branch in query.split("UNION ALL\n")
        if any(f"crm.{entity}_row d" in branch for entity in rows)
    ]
    named = query.split("\nFROM ", 1)[0]
    query = " UNION ALL ".join([f"{named} FROM ({_NONE}) activity", *branches])
    return store.frame(
        f"SELECT * EXCLUDE (contact_id, bucket, company_id) FROM ({query})"
        " ORDER BY occurred_at DESC NULLS LAST, entity, entity_id DESC"
    )


def _visits(store: Store, contact_id: int, known: list[int]) -> list[int]:
    """Engagements of the visitor that a customer was before they told who they are."""
    listed = ", ".join(str(number) for number in known) or "NULL"
    visitors = store.rows(
        f"SELECT DISTINCT visitor_id FROM crm.engagement_row"
        f" WHERE entity_id IN ({listed}) AND visitor_id IS NOT NULL"
    )
    if not visitors:
        return []
    rows = store.rows(
        "SELECT entity_id FROM crm.engagement WHERE contact_id = ? AND visitor_id IN"
        " (SELECT unnest(?::VARCHAR[]))",
        [contact_id, [visitor for (visitor,) in visitors]],
    )
    return [number for (number,) in rows]


def _money(store: Store, contact_id: int, timeline: pl.DataFrame) -> pl.DataFrame:
    rows = timeline.filter(pl.col("entity") == "transaction")["entity_id"]
    if rows.is_empty():
        return pl.DataFrame(schema=_MONEY)
    part = _WHOLE.format(contact_id=contact_id, entity="transaction", rows=_listed(rows) or "NULL")
    query = view_over("crm.contact_money", {"crm.transaction": part})
    return store.frame(f"SELECT * EXCLUDE (contact_id, bucket) FROM ({query}) ORDER BY currency")


def _concerns(store: Store, contact_id: int, timeline: pl.DataFrame) -> pl.DataFrame:
    if timeline.filter(pl.col("entity").is_in(["note", "ticket"])).is_empty():
        return pl.DataFrame(schema=_CONCERNS)
    parts = {}
    for entity in ("note", "ticket"):
        rows = timeline.filter(pl.col("entity") == entity)["entity_id"]
        parts[f"crm.{entity}"] = _WHOLE.format(
            contact_id=contact_id, entity=entity, rows=_listed(rows) or "NULL"
        )
    query = view_over("crm.concern", parts)
    return store.frame(f"SELECT * EXCLUDE (contact_id) FROM ({query}) ORDER BY concern")


def _permissions(store: Store, contact_id: int, numbers: str, points: pl.DataFrame) -> pl.DataFrame:
    # whoever shares an address may have said something about it
    near = store.rows(_SHARING, [points["value"].to_list()])
    records = ", ".join(str(number) for (number,) in near) or numbers
    records = f"{records}, {numbers}"
    texts = ", ".join(_text(value) for value in points["value"]) or "NULL"
    if not store.rows(_ANYTHING_SAID.format(records=records, texts=texts)):
        return pl.DataFrame(schema=_PERMISSIONS)
    said = f"""SELECT d.*, coalesce(m.entity_id, o.entity_id) AS contact_id
        FROM (SELECT * FROM crm.consent_row WHERE contact_record IN ({records})
              UNION SELECT * FROM crm.consent_row WHERE email IN ({texts}) OR phone IN ({texts})) d
        LEFT JOIN (SELECT * FROM matching.membership WHERE record_id IN ({records})) m
               ON m.record_id = d.contact_record
        LEFT JOIN (SELECT DISTINCT value, entity_id FROM crm.point_owner
                   WHERE entity = 'contact' AND value IN ({texts})) o
               ON o.value IN (d.email, d.phone)"""
    parts = {
        **{table: _of_records(table, records) for table in _OF_RECORDS},
        "crm.crosswalk": f"""SELECT r.entity, r.source, r.source_key, r.record_id,
            CASE WHEN r.current_version IS NULL THEN 'quarantined' ELSE '' END AS status
            FROM landing.record r WHERE r.record_id IN ({records})""",
    }
    # view by view, each over the rows of the one before: one plan of them all takes far longer
    with ExitStack() as staged:
        for view, query in (("crm.consent", said), *((name, None) for name in _WORDS)):
            rows = store.frame(query or view_over(view, parts))
            name = staged.enter_context(store.staged(rows, view.replace(".", "_part_")))
            parts[view] = f"SELECT * FROM {name}"
        query = view_over("crm.permission", parts)
        return store.frame(
            f"SELECT * EXCLUDE (contact_id) FROM ({query}) WHERE contact_id = {contact_id}"
            " ORDER BY channel, purpose, address"
        )


def _of_records(table: str, records: str) -> str:
    return f"SELECT * FROM {table} WHERE record_id IN ({records})"


def _lookups(store: Store, numbers: str, points: pl.DataFrame) -> list[str]:
    """Queries for (entity, number) of the rows of one customer, as the views find them."""
    nobody = ["contact_record IS NULL"]
    if store.rows(_ANY_IN_QUARANTINE):
        nobody.append(_IN_QUARANTINE)
    found = []
    for entity, columns in EVENTS.items():
        named = f"SELECT '{entity}', entity_id FROM crm.{entity}_row WHERE"
        found.append(f"{named} contact_record IN ({numbers})")
        taken = "false"
        for kind, column in columns.items():
            own = points.filter(pl.col("kind") == kind, pl.col("is_alone"))["value"]
            if own.is_empty():
                continue
            texts = ", ".join(_text(value) for value in own)
            # an address counts before a number
            found += [
                f"{named} {unnamed} AND {column} IN ({texts}) AND NOT ({taken})"
                for unnamed in nobody
            ]
            taken = (
                f"{column} IS NOT NULL AND {column} IN"
                f" (SELECT value FROM crm.point_owner WHERE kind = '{kind}')"
            )
    return found


def _listed(numbers: pl.Series) -> str:
    return ", ".join(str(int(number)) for number in numbers)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
