"""What enrichment proposes: kept until a steward decides, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.golden import golden_table
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crm_quality.store.connection import Store

OPEN, ACCEPTED, REJECTED, SUPERSEDED = "open", "accepted", "rejected", "superseded"
STATUSES = (OPEN, ACCEPTED, REJECTED, SUPERSEDED)

_LISTED = """
SELECT p.proposal_id, p.entity, coalesce(m.entity_id, p.record_id) AS entity_id, p.record_id,
       p.field, p.old_value, p.new_value, p.source, p.origin, p.row_number, p.updated_at,
       p.proposed_at, p.proposed_by, p.status, p.decided_at, p.decided_by, p.reason
FROM crm.proposal p LEFT JOIN matching.membership m USING (record_id)
"""


def proposals(
    store: Store, *, entity: str | None = None, status: str | None = None
) -> pl.DataFrame:
    """Proposals, the first made first.

    Args:
        store: Open store.
        entity: Of this entity only; null = of all.
        status: One of `STATUSES`; null = all.

    Returns:
        The columns of ``crm.proposal``, and ``entity_id``: the customer whom it is about now.
    """
    return store.frame(
        f"{_LISTED} WHERE p.entity = coalesce(?, p.entity) AND p.status = coalesce(?, p.status)"
        " ORDER BY p.proposal_id",
        [entity, status],
    )


def write_proposals(store: Store, made: pl.DataFrame) -> list[int]:
    """Keep open proposals.

    Args:
        store: Inside its transaction.
        made: The columns of ``crm.proposal`` up to ``proposed_by``, but for ``proposal_id``.

    Returns:
        Their ids.
    """
    first = store.next_id("proposal_id", "crm.proposal")
    ids = range(first, first + made.height)
    store.append(
        "crm.proposal",
        made.with_columns(
            pl.Series("proposal_id", ids, dtype=pl.Int64), pl.lit(OPEN).alias("status")
        ),
    )
    return list(ids)


def decide_proposals(
    store: Store,
    proposal_ids: Sequence[int] | pl.Series,
    status: str,
    *,
    actor: str,
    reason: str,
    moment: datetime,
) -> None:
    """Say what became of proposals.

    Args:
        store: Inside its transaction.
        proposal_ids: Which.
        status: One of `STATUSES`.
        actor: Who decided.
        reason: Why.
        moment: When, UTC.
    """
    decided = pl.DataFrame({"proposal_id": proposal_ids}, schema={"proposal_id": pl.Int64})
    with store.staged(decided, "decided"):
        store.execute(
            "UPDATE crm.proposal SET status = ?, decided_at = ?, decided_by = ?, reason = ?"
            " WHERE proposal_id IN (FROM decided)",
            [status, moment, actor, reason],
        )


def golden_since(store: Store, entity: str, among: pl.DataFrame) -> pl.DataFrame:
    """As of when golden values are true, and which of them are overrides.

    Args:
        store: Open store.
        entity: Name of the entity.
        among: ``entity_id`` of the customers in question.

    Returns:
        ``entity_id``, ``field`` (null = every other field), ``updated_at`` (UTC: as the giving
        record's source says, else when it came; of an enriched value, as its proposal says) and
        ``kind`` (pinned, enriched; null = a record gives it).
    """
    with store.staged(among.select("entity_id").unique(), "among"):
        return store.frame(
            f"""
            SELECT o.entity_id, o.field, p.kind,
                   max(CASE WHEN p.kind IS NULL THEN coalesce(v.updated_at, b.received_at)
                            ELSE coalesce(e.updated_at, p.made_at) END) AS updated_at
            FROM crm.value_origin o SEMI JOIN among a ON a.entity_id = o.entity_id
            JOIN landing.record r ON r.record_id = o.record_id
            LEFT JOIN {version_table(entity)} v ON v.version_id = r.current_version
            LEFT JOIN landing.batch b ON b.batch_id = v.batch_id
            LEFT JOIN crm.override p ON p.override_id = o.override_id
            LEFT JOIN crm.proposal e ON e.proposal_id = p.proposal_id
            WHERE o.entity = ? GROUP BY ALL
            UNION ALL
            SELECT g.entity_id, NULL, NULL, coalesce(v.updated_at, b.received_at)
            FROM {golden_table(entity)} g SEMI JOIN among a ON a.entity_id = g.entity_id
            JOIN matching.membership m ON m.entity_id = g.entity_id
            JOIN landing.record r ON r.record_id = m.record_id
            JOIN {version_table(entity)} v ON v.version_id = r.current_version
            JOIN landing.batch b ON b.batch_id = v.batch_id
            WHERE g.records = 1 AND r.ended_at IS NULL AND r.entity = ?
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity, entity],
        )


def owners_of_mail(
    store: Store, entity: str, fields: Sequence[str], mails: pl.DataFrame
) -> pl.DataFrame:
    """Who has an address, in a record in force or in the golden record.

    Args:
        store: Open store.
        entity: Name of the entity.
        fields: Its fields that hold one address.
        mails: ``mail``, canonical.

    Returns:
        ``mail``, ``entity_id``, each pair once.
    """
    golden = " UNION ALL ".join(
        f'SELECT w.mail, g.entity_id FROM {golden_table(entity)} g JOIN wanted w ON w.mail = g."{name}"'  # noqa: S608, E501
        for name in fields
    )
    with store.staged(mails.select("mail").unique(), "wanted"):
        return store.frame(
            f"""
            SELECT DISTINCT mail, entity_id FROM (
                SELECT w.mail, m.entity_id
                FROM landing.contact_point c JOIN wanted w ON w.mail = c.value
                JOIN landing.record r
                  ON r.record_id = c.record_id AND r.current_version = c.version_id
                JOIN matching.membership m ON m.record_id = r.record_id
                WHERE c.entity = ? AND c.kind = 'email' AND r.ended_at IS NULL
                {"UNION ALL " + golden if golden else ""}
            ) ORDER BY ALL
            """,  # noqa: S608
            [entity],
        )


def customers_by_key(store: Store, entity: str, keys: pl.DataFrame) -> pl.DataFrame:
    """``source``, ``source_key``, ``record_id``, ``entity_id`` of records that were accepted."""
    with store.staged(keys.select("source", "source_key").unique(), "wanted"):
        return store.frame(
            """
            SELECT r.source, r.source_key, r.record_id, m.entity_id FROM landing.record r
            JOIN wanted w ON w.source = r.source AND w.source_key = r.source_key
            JOIN matching.membership m USING (record_id) WHERE r.entity = ?
            """,
            [entity],
        )


def customers_by_id(store: Store, entity: str, ids: pl.DataFrame) -> pl.DataFrame:
    """``asked``, ``entity_id``: the customers that ids (``asked``) stand for now."""
    with store.staged(ids.select("asked").unique(), "wanted"):
        return store.frame(
            """
            SELECT w.asked, m.entity_id FROM wanted w
            JOIN matching.membership m ON m.record_id = w.asked
            JOIN landing.record r ON r.record_id = w.asked WHERE r.entity = ?
            """,
            [entity],
        )
