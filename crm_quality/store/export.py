"""Tables that others read, each with a documented shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.questions import probability

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store

_GROUPS = """
SELECT g.entity, g.group_kind, g.group_id, m.entity_id, g.record_id, r.source, r.source_key
FROM matching.group_member g
JOIN landing.record r USING (record_id)
JOIN matching.membership m USING (record_id)
WHERE r.ended_at IS NULL
"""
_IN_ORDER = "ORDER BY g.entity, g.group_kind, g.group_id, m.entity_id, g.record_id"

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
        LEFT JOIN quality.waiting w ON w.record_id = i.record_id AND w.version_id = i.version_id
        WHERE r.current_version = i.version_id OR w.version_id IS NOT NULL OR i.version_id IS NULL
        ORDER BY i.record_id, i.rule, i.field, source
        """,
    ),
    "quarantine": (
        "records that wait, with the reasons; in_force: an earlier version is used meanwhile",
        """
        SELECT w.entity, w.source, w.source_key, w.record_id, 'open' AS status, w.in_force,
               w.opened_at,
               string_agg(i.rule, ', ' ORDER BY i.rule) AS rules,
               string_agg(i.message, '; ' ORDER BY i.rule) AS reasons
        FROM quality.waiting w LEFT JOIN quality.issue i
          ON i.version_id = w.version_id AND i.entity = w.entity AND i.severity = 'error'
        GROUP BY ALL ORDER BY w.record_id
        """,
    ),
    "quarantine_steps": (
        "everything that was done about records in quarantine",
        """
        SELECT s.entity, r.source, r.source_key, s.record_id, s.version_id, s.run_id, s.status,
               s.occurred_at, s.actor, s.reason
        FROM quality.quarantine_step s JOIN landing.record r USING (record_id)
        ORDER BY s.record_id, s.run_id, s.rowid
        """,
    ),
    "corrections": (
        "what stewards have corrected; current: a value of the version in force comes from it",
        """
        SELECT c.correction_id, c.entity, c.source, c.source_key, r.record_id, c.field,
               c.old_value, c.new_value, c.actor, c.reason, c.corrected_at, c.run_id,
               u.correction_id IS NOT NULL AS current
        FROM quality.correction c JOIN landing.record r USING (entity, source, source_key)
        LEFT JOIN quality.version_correction u
          ON u.entity = c.entity AND u.version_id = r.current_version
         AND u.correction_id = c.correction_id
        ORDER BY c.correction_id
        """,
    ),
    "waivers": (
        "rules that records are accepted in spite of, and until when",
        """
        SELECT w.waiver_id, w.entity, w.source, w.source_key, r.record_id, w.rule, w.expires_on,
               w.actor, w.reason, w.decided_at, w.run_id, w.withdrawn_at
        FROM quality.waiver w JOIN landing.record r USING (entity, source, source_key)
        ORDER BY w.waiver_id
        """,
    ),
    "pairs": (
        "pairs of records that were compared and may be the same",
        f"""
        SELECT entity, record_id_l, record_id_r, match_weight,
               {probability("match_weight")} AS match_probability, relation
        FROM matching.pair ORDER BY entity, record_id_l, record_id_r
        """,  # noqa: S608 - a constant
    ),
    "households": (
        "customers who live together, as the evidence says: linked, not merged",
        f"{_GROUPS} AND g.group_kind = 'household' {_IN_ORDER}",
    ),
    "groups": (
        "households, workplaces and other groups of customers: linked, not merged",
        f"{_GROUPS} {_IN_ORDER}",
    ),
    "changes": (
        "what runs did to entities: created, changed, merged, split, ended …",
        """
        SELECT run_id, entity, kind, entity_id, former_id FROM audit.change
        ORDER BY run_id, entity, kind, entity_id, former_id
        """,
    ),
    "provenance": (
        "every golden value: the record, rule and run that gave it, who pinned it, what lost",
        """
        SELECT p.*, l.losing FROM crm.provenance p
        LEFT JOIN (
            SELECT entity, entity_id, field, list_sort(list(DISTINCT losing_value)) AS losing
            FROM crm.conflict GROUP BY ALL
        ) l USING (entity, entity_id, field)
        ORDER BY p.entity, p.entity_id, p.field, p.record_id
        """,
    ),
    "conflicts": (
        "what records say otherwise than their golden record: the winner, and each that lost",
        """
        SELECT * FROM crm.conflict ORDER BY entity, entity_id, field, losing_record_id
        """,
    ),
    "pins": (
        "values that people put in place of what records say, pinned or accepted, in force or not",
        """
        SELECT o.override_id, o.entity, coalesce(m.entity_id, o.record_id) AS entity_id,
               o.record_id, o.field, o.kind, o.value, o.actor, o.reason, o.made_at, o.expires_on,
               o.proposal_id, o.run_id, o.applied, o.withdrawn_at, o.withdrawn_by,
               o.withdrawn_because
        FROM crm.override o LEFT JOIN matching.membership m USING (record_id)
        ORDER BY o.override_id
        """,
    ),
    "proposals": (
        "what enrichment proposed, and what became of it",
        """
        SELECT p.proposal_id, p.entity, coalesce(m.entity_id, p.record_id) AS entity_id,
               p.* EXCLUDE (proposal_id, entity)
        FROM crm.proposal p LEFT JOIN matching.membership m USING (record_id)
        ORDER BY p.proposal_id
        """,
    ),
    "runs": (
        "the runs of this store; undone_run: the run that undid one",
        """
        SELECT run_id, started_at, finished_at, command, actor, as_of, changed, undone_run
        FROM audit.run
        ORDER BY run_id
        """,
    ),
}


def export_frame(store: Store, what: str) -> pl.DataFrame:
    """The table called ``what`` in `EXPORTS`; times are UTC without a zone."""
    return store.frame(EXPORTS[what][1])
