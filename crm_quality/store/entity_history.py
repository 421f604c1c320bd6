"""What is on record about a customer: ids, arrivals, runs, decisions, acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def ids_of(store: Store, entity: str, entity_id: int) -> pl.DataFrame:
    """The ids that went into a customer or came out of it, however many steps away.

    Returns:
        ``entity_id``, ``became`` (the customer that it is part of now), ``kind`` (this, merged,
        split, unmerged; of the last change), ``run_id`` and ``occurred_at`` (UTC) of that change;
        the customer itself first.
    """
    return store.frame(
        """
        WITH RECURSIVE link AS (
            SELECT entity_id AS one, former_id AS other, kind, run_id FROM audit.change
            WHERE entity = $1 AND former_id IS NOT NULL
        ), reached AS (
            SELECT $2::BIGINT AS id
            UNION
            SELECT CASE WHEN l.one = r.id THEN l.other ELSE l.one END
            FROM reached r JOIN link l ON r.id IN (l.one, l.other)
        ), told AS (
            SELECT r.id,
                   arg_max(CASE WHEN l.kind = 'merged' AND l.other = r.id THEN 'merged'
                                WHEN l.kind IN ('split', 'unmerged') AND l.one = r.id
                                THEN l.kind END,
                           l.run_id) FILTER (
                       (l.kind = 'merged' AND l.other = r.id)
                       OR (l.kind IN ('split', 'unmerged') AND l.one = r.id)) AS kind,
                   max(l.run_id) FILTER (
                       (l.kind = 'merged' AND l.other = r.id)
                       OR (l.kind IN ('split', 'unmerged') AND l.one = r.id)) AS run_id
            FROM reached r LEFT JOIN link l ON r.id IN (l.one, l.other) GROUP BY r.id
        )
        SELECT t.id AS entity_id, m.entity_id AS became,
               CASE WHEN t.id = $2 THEN 'this' ELSE t.kind END AS kind,
               CASE WHEN t.id <> $2 THEN t.run_id END AS run_id,
               CASE WHEN t.id <> $2 THEN a.finished_at END AS occurred_at
        FROM told t LEFT JOIN matching.membership m ON m.record_id = t.id
        LEFT JOIN audit.run a ON a.run_id = t.run_id
        ORDER BY t.id <> $2, t.id
        """,
        [entity, entity_id],
    )


def events_of(store: Store, entity: str, ids: pl.Series, entity_id: int) -> pl.DataFrame:
    """Everything on record about a customer, in order of time.

    Args:
        store: The open store.
        entity: What it is.
        ids: Ids that it has or had.
        entity_id: The one it has.

    Returns:
        ``occurred_at`` (UTC), ``run_id``, ``event``, ``entity_id``, ``record_id`` (whichever it is
        about), ``actor``, ``command``, ``reason``, ``detail``.
    """
    with store.staged(ids.to_frame("entity_id"), "asked_ids"):
        return store.frame(
            f"""
            WITH own AS (
                SELECT record_id FROM matching.membership WHERE entity_id = $2
                UNION SELECT entity_id FROM asked_ids
                UNION SELECT record_id FROM audit.move
                WHERE entity = $1 AND $2 IN (entity_before, entity_after)
            ), mine AS (
                SELECT r.* FROM landing.record r SEMI JOIN own USING (record_id)
                WHERE r.entity = $1
            ), event AS (
                SELECT a.finished_at AS occurred_at, c.run_id, c.kind AS event, c.entity_id,
                       NULL::BIGINT AS record_id, a.actor, a.command, NULL AS reason,
                       CASE c.kind WHEN 'merged' THEN c.former_id || ' went into it'
                                   WHEN 'split' THEN 'out of ' || c.former_id
                                   WHEN 'unmerged' THEN 'out of ' || c.former_id END AS detail
                FROM audit.change c JOIN audit.run a USING (run_id)
                WHERE c.entity = $1 AND (c.entity_id IN (FROM asked_ids)
                                         OR c.former_id IN (FROM asked_ids))
                UNION ALL
                SELECT b.received_at, v.run_id, 'version ' || v.status, NULL, v.record_id, a.actor,
                       a.command, NULL, r.source || ':' || r.source_key || ' from ' || b.origin
                FROM {version_table(entity)} v JOIN mine r USING (record_id)
                JOIN landing.batch b USING (batch_id) JOIN audit.run a ON a.run_id = v.run_id
                UNION ALL
                SELECT e.ended_at, e.run_id, CASE WHEN e.ended_at IS NULL THEN 'came back'
                                                  ELSE 'deleted by its source' END,
                       NULL, e.record_id, a.actor, a.command, NULL, NULL
                FROM landing.record_end e JOIN mine r USING (record_id)
                JOIN audit.run a ON a.run_id = e.run_id
                UNION ALL
                SELECT t.acted_at, t.run_id, t.kind || ' by a steward', t.entity_id, NULL, t.actor,
                       a.command, t.reason,
                       'act:' || t.act_id || CASE WHEN t.taken_back_run IS NULL THEN ''
                           ELSE ', taken back in run ' || t.taken_back_run END
                FROM matching.act t JOIN audit.run a USING (run_id)
                WHERE t.entity = $1 AND t.act_id IN (
                    SELECT act_id FROM matching.act_record SEMI JOIN mine USING (record_id))
                UNION ALL
                SELECT o.made_at, o.run_id, o.kind || ' ' || o.field, NULL, o.record_id, o.actor,
                       a.command, o.reason,
                       CASE o.kind WHEN 'pinned' THEN 'pin ' || o.override_id
                            || coalesce(' until ' || o.expires_on, '')
                            ELSE 'proposal ' || o.proposal_id END
                FROM crm.override o JOIN mine r USING (record_id)
                LEFT JOIN audit.run a ON a.run_id = o.run_id
                UNION ALL
                SELECT o.withdrawn_at, NULL, 'un' || o.kind || ' ' || o.field, NULL, o.record_id,
                       o.withdrawn_by, NULL, o.withdrawn_because, NULL
                FROM crm.override o JOIN mine r USING (record_id) WHERE o.withdrawn_at IS NOT NULL
                UNION ALL
                SELECT d.decided_at, d.run_id, 'decided ' || d.verdict, NULL, l.record_id, d.actor,
                       NULL, d.reason,
                       l.record_id || ' ' || d.verdict || ' ' || r.record_id || ' (decision '
                       || d.decision_id || CASE WHEN d.withdrawn_at IS NULL THEN ')'
                           ELSE ', withdrawn)' END
                FROM matching.decision d
                JOIN landing.record l ON l.record_id = d.record_id_l
                JOIN landing.record r ON r.record_id = d.record_id_r
                WHERE d.entity = $1
                  AND (l.record_id IN (FROM own) OR r.record_id IN (FROM own))
                  AND d.decision_id NOT IN (SELECT decision_id FROM matching.act_decision)
            )
            SELECT coalesce(e.occurred_at, a.finished_at) AS occurred_at, e.* EXCLUDE (occurred_at)
            FROM event e LEFT JOIN audit.run a USING (run_id)
            ORDER BY e.run_id NULLS LAST, occurred_at, e.event DESC, e.entity_id, e.record_id
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity, entity_id],
        )
