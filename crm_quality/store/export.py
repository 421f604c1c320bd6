"""Tables that others read, each with a documented shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store

#: Name → (what it is, the query that gives it).
EXPORTS: dict[str, tuple[str, str]] = {
    "crosswalk": (
        "one row per source record: the entity it belongs to",
        """
        SELECT entity, source, source_key, record_id, entity_id, status FROM crm.crosswalk
        ORDER BY record_id
        """,
    ),
    "contacts": (
        "golden contacts",
        "SELECT * EXCLUDE (run_id) FROM crm.contact ORDER BY entity_id",
    ),
    "companies": (
        "golden companies",
        "SELECT * EXCLUDE (run_id) FROM crm.company ORDER BY entity_id",
    ),
    "issues": (
        "issues of current and quarantined versions, and of rules about many records",
        """
        SELECT i.entity, coalesce(r.source, i.segment) AS source, r.source_key, i.record_id,
               i.field, i.rule, i.severity, i.value, i.message, i.suggestion, i.run_id, i.entity_id
        FROM quality.issue i LEFT JOIN landing.record r USING (record_id)
        LEFT JOIN quality.quarantine q ON q.version_id = i.version_id AND q.entity = i.entity
        WHERE r.current_version = i.version_id OR q.status = 'open' OR i.version_id IS NULL
        ORDER BY i.record_id, i.rule, i.field, source
        """,
    ),
    "quarantine": (
        "records that wait, with the reasons",
        """
        SELECT q.entity, r.source, r.source_key, q.record_id, q.status, q.opened_at, q.closed_at,
               string_agg(i.rule, ', ' ORDER BY i.rule) AS rules,
               string_agg(i.message, '; ' ORDER BY i.rule) AS reasons
        FROM quality.quarantine q JOIN landing.record r USING (record_id)
        LEFT JOIN quality.issue i
          ON i.version_id = q.version_id AND i.entity = q.entity AND i.severity = 'error'
        GROUP BY ALL ORDER BY q.record_id, q.opened_at
        """,
    ),
    "pairs": (
        "pairs of records that were compared and may be the same",
        """
        SELECT entity, record_id_l, record_id_r, match_weight, match_probability, relation
        FROM matching.pair ORDER BY entity, record_id_l, record_id_r
        """,
    ),
    "changes": (
        "what runs did to entities: created, changed, merged, split",
        """
        SELECT run_id, entity, kind, entity_id, former_id FROM audit.change
        ORDER BY run_id, entity, kind, entity_id, former_id
        """,
    ),
    "provenance": (
        "the record behind each value of golden records with several records",
        """
        SELECT o.entity, o.entity_id, o.field, o.record_id, r.source, r.source_key, o.rule, o.run_id
        FROM crm.value_origin o JOIN landing.record r USING (record_id)
        ORDER BY o.entity, o.entity_id, o.field, o.record_id
        """,
    ),
    "runs": (
        "the runs of this store",
        """
        SELECT run_id, started_at, finished_at, command, actor, as_of, changed FROM audit.run
        ORDER BY run_id
        """,
    ),
}


def export_frame(store: Store, what: str) -> pl.DataFrame:
    """The table called ``what`` in `EXPORTS`; times are UTC without a zone."""
    return store.frame(EXPORTS[what][1])
