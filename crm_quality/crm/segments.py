"""Segments: who is in one, who came and went, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    import polars as pl

    from crm_quality.definitions.insight import Segment
    from crm_quality.store import Store

_MEMBERS = """
SELECT {columns} FROM (SELECT *, $as_of::DATE AS as_of FROM {customers}) c WHERE ({condition}
) ORDER BY entity_id
"""
_WERE_MEMBERS = """
SELECT contact_id FROM crm.segment_change WHERE segment = $segment AND snapshot_id <= $snapshot
GROUP BY contact_id HAVING sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END) > 0
"""
#: Why somebody came or went, the first that holds.
_CHANGES = """
WITH moved AS (
    SELECT n.contact_id, 'entered' AS change FROM now_in n ANTI JOIN were_in w USING (contact_id)
    UNION ALL
    SELECT w.contact_id, 'left' FROM were_in w ANTI JOIN now_in n USING (contact_id)
), merged AS (
    SELECT entity_id, max(former_id) AS former_id FROM audit.change
    WHERE entity = 'contact' AND kind = 'merged' AND run_id > $run GROUP BY entity_id
), parted AS (
    SELECT entity_id, max(former_id) AS former_id FROM audit.change
    WHERE entity = 'contact' AND kind = 'split' AND run_id > $run GROUP BY entity_id
)
INSERT INTO crm.segment_change
SELECT $segment, $snapshot, v.contact_id, v.change,
       CASE WHEN $snapshot = 1 THEN 'first_snapshot'
            WHEN v.change = 'left' AND c.entity_id IS NULL AND m.entity_id <> v.contact_id
                 THEN 'merged'
            WHEN v.change = 'left' AND c.entity_id IS NULL THEN 'gone'
            WHEN v.change = 'entered' AND g.entity_id IS NOT NULL THEN 'merged'
            WHEN p.entity_id IS NOT NULL OR l.former_id IS NOT NULL THEN 'split'
            WHEN v.change = 'entered' AND r.first_run > $run THEN 'new'
            WHEN $condition <> $former_condition THEN 'condition'
            WHEN $as_of::DATE <> $former_as_of::DATE AND {reads_day} THEN 'values or day'
            ELSE 'values' END AS why,
       CASE WHEN $snapshot = 1 THEN NULL
            WHEN v.change = 'left' AND c.entity_id IS NULL
                 THEN nullif(m.entity_id, v.contact_id)
            WHEN v.change = 'entered' AND g.entity_id IS NOT NULL THEN g.former_id
            ELSE coalesce(p.former_id, l.entity_id) END AS other_id,
       s.seen
FROM moved v
LEFT JOIN crm.contact c ON c.entity_id = v.contact_id
LEFT JOIN matching.membership m ON m.record_id = v.contact_id
LEFT JOIN landing.record r ON r.record_id = v.contact_id
LEFT JOIN merged g ON g.entity_id = v.contact_id
LEFT JOIN parted p ON p.entity_id = v.contact_id
LEFT JOIN (SELECT former_id, min(entity_id) AS entity_id FROM parted GROUP BY former_id) l
       ON l.former_id = v.contact_id
LEFT JOIN (SELECT entity_id, {seen} AS seen FROM {customers}
           WHERE entity_id IN (SELECT contact_id FROM moved)) s ON s.entity_id = v.contact_id
"""
_BETWEEN = """
WITH steps AS (
    SELECT *, CASE change WHEN 'entered' THEN 1 ELSE -1 END AS step
    FROM crm.segment_change WHERE segment = $segment AND snapshot_id <= $until
), net AS (
    SELECT contact_id,
           coalesce(sum(step) FILTER (snapshot_id <= $since), 0) AS before, sum(step) AS after,
           arg_max(why, snapshot_id) AS why, arg_max(other_id, snapshot_id) AS other_id,
           arg_max(seen, snapshot_id) FILTER (snapshot_id <= $since) AS was,
           arg_max(seen, snapshot_id) AS is_now, max(snapshot_id) AS snapshot_id
    FROM steps GROUP BY contact_id
)
SELECT contact_id, CASE WHEN after > before THEN 'entered' ELSE 'left' END AS change, why, other_id,
       was, is_now, snapshot_id
FROM net WHERE before <> after ORDER BY change, contact_id
"""
_LAST = """
SELECT snapshot_id, condition, as_of, coalesce(run_id, 0) FROM crm.segment_snapshot
WHERE segment = ? ORDER BY snapshot_id DESC LIMIT 1
"""
#: Why somebody came or went → in words.
WHYS = {
    "first_snapshot": "was in it when it was first looked at",
    "condition": "the condition was changed",
    "new": "is a new customer",
    "merged": "records were joined: came by what other_id brought, or is part of other_id now",
    "split": "records were parted; the other part is other_id",
    "values": "what the condition reads has changed",
    "values or day": "what the condition reads has changed, or time has passed",
    "gone": "has no records in force any more",
}


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot found.

    Attributes:
        segment: Its name.
        snapshot_id: Counts up within the segment.
        members: So many are in it.
        entered: So many came since the one before.
        left: So many went.
    """

    segment: str
    snapshot_id: int
    members: int
    entered: int
    left: int


def members(
    store: Store,
    segment: Segment,
    *,
    as_of: date,
    columns: Iterable[str] = (),
    customers: str = "crm.customer",
) -> pl.DataFrame:
    """Who is in a segment.

    Args:
        store: Open; nothing is written.
        segment: Its condition was checked.
        as_of: The day that counts as today.
        columns: More columns of ``crm.customer`` to show.
        customers: SQL of what says the same, such as `crm_quality.crm.kept.KEPT_CUSTOMERS`.

    Returns:
        ``contact_id`` and the columns, by number.
    """
    shown = "".join(f", {quoted(name)}" for name in dict.fromkeys(columns))
    return store.named(
        _MEMBERS.format(
            columns=f"entity_id AS contact_id{shown}",
            condition=segment.condition,
            customers=customers,
        ),
        {"as_of": as_of},
    )


def take_snapshot(
    store: Store,
    segment: Segment,
    *,
    as_of: date,
    taken_at: datetime,
    actor: str,
    reads: Iterable[str],
    customers: str = "crm.customer",
) -> Snapshot:
    """Keep who is in a segment now, and why it differs from the snapshot before.

    Args:
        store: Inside a transaction.
        segment: Its condition was checked.
        as_of: The day that counts as today.
        taken_at: Now (UTC).
        actor: Who asks for it.
        reads: Columns of ``crm.customer`` that the condition reads and that are not personal; what
            they held is kept with each change.
        customers: As for `members`.
    """
    last = store.rows(_LAST, [segment.segment])
    former, former_condition, former_as_of, run = last[0] if last else (0, "", as_of, 0)
    number = former + 1
    found = members(store, segment, as_of=as_of, customers=customers)
    were = store.named(_WERE_MEMBERS, {"segment": segment.segment, "snapshot": former})
    names = sorted(set(reads))
    packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in names)
    seen = f"to_json(struct_pack({packed}))::VARCHAR" if names else "NULL::VARCHAR"
    with store.staged(found.select("contact_id"), "now_in"), store.staged(were, "were_in"):
        store.connection.execute(
            _CHANGES.format(
                seen=seen,
                reads_day=str("as_of" in segment.condition.lower()),
                customers=customers,
            ),
            {
                "segment": segment.segment,
                "snapshot": number,
                "run": run,
                "condition": segment.condition,
                "former_condition": former_condition,
                "as_of": as_of,
                "former_as_of": former_as_of,
            },
        ).fetchall()
    store.execute(
        "INSERT INTO crm.segment_snapshot VALUES"
        " (?, ?, ?, ?, ?, ?, (SELECT max(run_id) FROM audit.run), ?)",
        [segment.segment, number, segment.condition, as_of, taken_at, actor, found.height],
    )
    counts = dict(
        store.rows(
            "SELECT change, count(*) FROM crm.segment_change"
            " WHERE segment = ? AND snapshot_id = ? GROUP BY change",
            [segment.segment, number],
        )
    )
    return Snapshot(
        segment.segment, number, found.height, counts.get("entered", 0), counts.get("left", 0)
    )


def members_then(store: Store, name: str, snapshot_id: int) -> pl.DataFrame:
    """``contact_id`` of who was in a segment at a snapshot, by number."""
    return store.named(
        f"{_WERE_MEMBERS} ORDER BY contact_id", {"segment": name, "snapshot": snapshot_id}
    )


def changes_between(store: Store, name: str, since: int, until: int) -> pl.DataFrame:
    """Who came and went between two snapshots of a segment, one row each.

    Returns:
        ``contact_id``, ``change`` (entered, left), ``why`` (see `WHYS`), ``other_id``, ``was`` and
        ``is_now`` (JSON of what the condition reads, then and since; null = not known),
        ``snapshot_id`` (the last that moved it). Entered minus left is the change in size.
    """
    return store.named(_BETWEEN, {"segment": name, "since": since, "until": until})
