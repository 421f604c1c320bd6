"""What must be true of every store at any time: named checks, each one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.trail import verify_trail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.store.connection import Store

#: How many examples of a violation are given.
EXAMPLES = 5

#: Shape of what `violations` gives.
VIOLATIONS = pl.Schema(
    [
        ("check", pl.String),
        ("says", pl.String),
        ("violations", pl.Int64),
        ("examples", pl.List(pl.String)),
    ]
)


@dataclass(frozen=True)
class Invariant:
    """Something that is always true.

    Attributes:
        name: What reports call it.
        says: The sentence that is true.
        query: Gives ``example``, one row per violation.
    """

    name: str
    says: str
    query: str


def _unique(name: str, says: str, table: str, key: str) -> Invariant:
    shown = f"concat_ws(' ', {key})"
    return Invariant(
        name,
        says,
        f"SELECT {shown} AS example FROM {table} GROUP BY {key} HAVING count(*) > 1",  # noqa: S608
    )


_OF_EVERY_STORE = (
    _unique(
        "record.key",
        "a source key of an entity is one record",
        "landing.record",
        "entity, source, source_key",
    ),
    _unique("record.id", "a record_id is there once", "landing.record", "record_id"),
    Invariant(
        "record.accepted",
        "a record in force has a place in the order of acceptance, of its own",
        """
        SELECT record_id AS example FROM landing.record
        WHERE current_version IS NOT NULL AND accepted_no IS NULL
        UNION ALL
        SELECT min(record_id) FROM landing.record WHERE accepted_no IS NOT NULL
        GROUP BY accepted_no HAVING count(*) > 1
        """,
    ),
    _unique("run.id", "a run_id is there once", "audit.run", "run_id"),
    _unique("batch.id", "a batch_id is there once", "landing.batch", "batch_id"),
    _unique("decision.id", "a decision_id is there once", "matching.decision", "decision_id"),
    _unique("correction.id", "a correction is there once", "quality.correction", "correction_id"),
    _unique("waiver.id", "a waiver_id is there once", "quality.waiver", "waiver_id"),
    _unique("override.id", "an override_id is there once", "crm.override", "override_id"),
    _unique("proposal.id", "a proposal_id is there once", "crm.proposal", "proposal_id"),
    Invariant(
        "override.origin",
        "a golden value that names an override names one that is not withdrawn",
        """
        SELECT o.override_id AS example FROM crm.value_origin o
        LEFT JOIN crm.override p USING (override_id)
        WHERE o.override_id IS NOT NULL
          AND (p.override_id IS NULL OR p.withdrawn_at IS NOT NULL OR NOT p.applied)
        """,
    ),
    _unique("model.id", "a model_id is there once", "matching.model", "model_id"),
    _unique(
        "model.in_use",
        "an entity has one model in use",
        "(FROM matching.model WHERE in_use)",
        "entity",
    ),
    _unique("state.token", "an entity has one state of matching", "matching.state", "entity"),
    _unique(
        "crosswalk.membership",
        "a record is in one entity",
        "matching.membership",
        "record_id",
    ),
    Invariant(
        "crosswalk.record",
        "a membership is of a record that exists",
        """
        SELECT record_id AS example
        FROM matching.membership ANTI JOIN landing.record USING (record_id)
        """,
    ),
    Invariant(
        "crosswalk.complete",
        "every record that was ever accepted is in an entity",
        """
        SELECT record_id AS example
        FROM landing.record ANTI JOIN matching.membership USING (record_id)
        WHERE accepted_no IS NOT NULL AND entity IN (SELECT entity FROM golden_entity)
        """,
    ),
    Invariant(
        "crosswalk.anchor",
        "an entity's id is that of the member accepted first",
        """
        SELECT m.entity_id AS example
        FROM matching.membership m JOIN landing.record r USING (record_id)
        GROUP BY m.entity_id HAVING m.entity_id IS DISTINCT FROM arg_min(record_id, r.accepted_no)
        """,
    ),
    Invariant(
        "crosswalk.one_kind",
        "the members of an entity are of one kind",
        """
        SELECT m.entity_id AS example
        FROM matching.membership m JOIN landing.record r USING (record_id)
        GROUP BY m.entity_id HAVING count(DISTINCT r.entity) > 1
        """,
    ),
    Invariant(
        "pair.order",
        "a pair names the lesser record first, and is there once",
        """
        SELECT concat_ws(' ', record_id_l, record_id_r) AS example FROM matching.pair
        GROUP BY entity, record_id_l, record_id_r
        HAVING count(*) > 1 OR record_id_l >= record_id_r
        """,
    ),
    Invariant(
        "pair.record",
        "a pair is of records that exist",
        """
        SELECT concat_ws(' ', record_id_l, record_id_r) AS example FROM matching.pair
        WHERE record_id_l NOT IN (SELECT record_id FROM landing.record)
           OR record_id_r NOT IN (SELECT record_id FROM landing.record)
        """,
    ),
    Invariant(
        "decision.record",
        "a decision of a steward names records that exist",
        """
        SELECT DISTINCT n.decision_id AS example FROM (
            SELECT decision_id, entity, unnest([record_id_l, record_id_r]) AS record_id,
                   unnest([source_l, source_r]) AS source,
                   unnest([source_key_l, source_key_r]) AS source_key
            FROM matching.decision
            WHERE withdrawn_at IS NULL AND NOT starts_with(actor, 'source ')
        ) n
        ANTI JOIN landing.record r ON (r.record_id, r.entity, r.source, r.source_key)
                                    = (n.record_id, n.entity, n.source, n.source_key)
        ANTI JOIN landing.withdrawn_record w ON w.record_id = n.record_id
        """,
    ),
    Invariant(
        "decision.applied",
        "what a steward decided holds: the same in one entity, the different in two",
        """
        SELECT d.decision_id AS example
        FROM matching.decision d
        JOIN landing.record l ON l.record_id = d.record_id_l
        JOIN landing.record r ON r.record_id = d.record_id_r
        JOIN matching.membership a ON a.record_id = l.record_id
        JOIN matching.membership b ON b.record_id = r.record_id
        WHERE d.withdrawn_at IS NULL AND d.run_id IS NOT NULL
          AND NOT starts_with(d.actor, 'source ')
          AND l.ended_at IS NULL AND l.current_version IS NOT NULL
          AND r.ended_at IS NULL AND r.current_version IS NOT NULL
          AND (d.verdict = 'same') <> (a.entity_id = b.entity_id)
        """,
    ),
    Invariant(
        "group.record",
        "a household or workplace is of records that exist",
        """
        SELECT record_id AS example
        FROM matching.group_member ANTI JOIN landing.record USING (record_id)
        """,
    ),
    Invariant(
        "quarantine.explained",
        "a record that is not in force has ended or waits",
        """
        SELECT record_id AS example FROM landing.record
        WHERE current_version IS NULL AND ended_at IS NULL
          AND entity IN (SELECT entity FROM golden_entity)
          AND record_id NOT IN (SELECT record_id FROM quality.waiting)
        """,
    ),
    Invariant(
        "quarantine.status",
        "a version in quarantine is open, or closed with a time",
        """
        SELECT concat_ws(' ', entity, version_id) AS example FROM quality.quarantine
        WHERE status NOT IN ('open', 'fixed', 'released', 'waived', 'lapsed', 'superseded',
                             'withdrawn')
           OR (status IN ('fixed', 'released', 'superseded') AND closed_at IS NULL)
        """,
    ),
    Invariant(
        "quarantine.step",
        "the last step of a version in quarantine is its status",
        """
        SELECT concat_ws(' ', q.entity, q.version_id) AS example
        FROM quality.quarantine q
        WHERE NOT EXISTS (FROM quality.quarantine_step s
                          WHERE (s.entity, s.record_id, s.version_id, s.status)
                              = (q.entity, q.record_id, q.version_id, q.status))
        """,
    ),
    Invariant(
        "change.record",
        "the change feed names ids that resolve",
        """
        SELECT entity_id AS example FROM audit.change
        WHERE entity_id NOT IN (
                SELECT record_id FROM landing.record
                UNION ALL SELECT record_id FROM landing.withdrawn_record)
           OR former_id NOT IN (
                SELECT record_id FROM landing.record
                UNION ALL SELECT record_id FROM landing.withdrawn_record)
        """,
    ),
)


def _of_versions(entity: str) -> Iterator[Invariant]:
    versions = f"landing.{quoted(entity + '_version')}"
    kind = "'" + entity.replace("'", "''") + "'"
    yield _unique(f"{entity}.version.id", "a version_id is there once", versions, "version_id")
    yield Invariant(
        f"{entity}.version.record",
        "a version is of a record that exists",
        f"""
        SELECT v.version_id AS example FROM {versions} v
        ANTI JOIN (FROM landing.record WHERE entity = {kind}) r USING (record_id)
        """,  # noqa: S608 - names are quoted
    )
    yield Invariant(
        f"{entity}.version.current",
        "the version in force of a record exists, is its own and was accepted",
        f"""
        SELECT r.record_id AS example FROM landing.record r
        LEFT JOIN {versions} v ON v.version_id = r.current_version AND v.record_id = r.record_id
        WHERE r.entity = {kind} AND r.current_version IS NOT NULL
          AND v.status IS DISTINCT FROM 'accepted'
        """,  # noqa: S608
    )
    yield Invariant(
        f"{entity}.version.batch",
        "a version came with a batch that is known",
        f"""
        SELECT version_id AS example FROM {versions} ANTI JOIN landing.batch USING (batch_id)
        """,  # noqa: S608
    )
    yield Invariant(
        f"{entity}.quarantine.version",
        "what waits is a version that exists and does not count as accepted",
        f"""
        SELECT q.version_id AS example FROM quality.quarantine q
        LEFT JOIN {versions} v USING (record_id, version_id)
        WHERE q.entity = {kind} AND q.status = 'open'
          AND coalesce(v.status, 'accepted') = 'accepted'
        """,  # noqa: S608
    )
    yield Invariant(
        f"{entity}.issue.version",
        "an issue is of a version that exists",
        f"""
        SELECT version_id AS example FROM quality.issue ANTI JOIN {versions} USING (version_id)
        WHERE entity = {kind} AND version_id IS NOT NULL
        """,  # noqa: S608
    )


def _of_golden(entity: str) -> Iterator[Invariant]:
    golden = f"crm.{quoted(entity)}"
    kind = "'" + entity.replace("'", "''") + "'"
    live = f"""
        SELECT m.entity_id, count(*) AS records
        FROM matching.membership m JOIN landing.record r USING (record_id)
        WHERE r.entity = {kind} AND r.ended_at IS NULL AND r.current_version IS NOT NULL
        GROUP BY m.entity_id
    """  # noqa: S608
    yield _unique(
        f"{entity}.golden.id", "an entity has one golden record", f"{golden}", "entity_id"
    )
    yield Invariant(
        f"{entity}.golden.live",
        "golden records are those of entities with a record in force, and count these",
        f"""
        SELECT coalesce(g.entity_id, l.entity_id) AS example
        FROM {golden} g FULL JOIN ({live}) l USING (entity_id)
        WHERE g.records IS DISTINCT FROM l.records
        """,  # noqa: S608
    )
    yield Invariant(
        f"{entity}.golden.origin",
        "a golden value comes from a record of its entity",
        f"""
        SELECT DISTINCT o.entity_id AS example FROM crm.value_origin o
        LEFT JOIN matching.membership m ON m.record_id = o.record_id
        WHERE o.entity = {kind} AND o.record_id IS NOT NULL
          AND m.entity_id IS DISTINCT FROM o.entity_id
        """,  # noqa: S608
    )


def _of_rows(entity: str) -> Iterator[Invariant]:
    rows = f"crm.{quoted(entity + '_row')}"
    kind = "'" + entity.replace("'", "''") + "'"
    yield _unique(f"{entity}.row.id", "a row is there once", rows, "entity_id")
    yield Invariant(
        f"{entity}.row.live",
        "the rows in force are those of records in force",
        f"""
        SELECT coalesce(o.entity_id, r.record_id) AS example FROM {rows} o
        FULL JOIN (SELECT record_id FROM landing.record WHERE entity = {kind}
                   AND ended_at IS NULL AND current_version IS NOT NULL) r
          ON r.record_id = o.entity_id
        WHERE o.entity_id IS NULL OR r.record_id IS NULL
        """,  # noqa: S608
    )


def violations(store: Store) -> pl.DataFrame:
    """Check everything that must be true of a store, and its audit trail.

    Returns:
        Frame of `VIOLATIONS`, one row per check: what it is called, the sentence that should be
        true, how many times it is not, and the ids of up to `EXAMPLES` such cases.
    """
    tables = set(store.rows("SELECT schema_name, table_name FROM duckdb_tables()"))
    entities = sorted(
        table.removesuffix("_version")
        for schema, table in tables
        if schema == "landing" and table.endswith("_version")
    )
    with_golden = [entity for entity in entities if ("crm", entity) in tables]
    with_rows = [entity for entity in entities if ("crm", f"{entity}_row") in tables]
    broken = verify_trail(store)
    rows: list[tuple[str, str, int, list[str]]] = [
        ("audit.trail", "every event follows from the one before", len(broken), broken[:EXAMPLES])
    ]
    with store.staged(
        pl.DataFrame({"entity": with_golden}, schema={"entity": pl.String}), "golden_entity"
    ):
        rows.extend(
            (invariant.name, invariant.says, *_found(store, invariant))
            for invariant in (
                *_OF_EVERY_STORE,
                *(one for entity in entities for one in _of_versions(entity)),
                *(one for entity in with_golden for one in _of_golden(entity)),
                *(one for entity in with_rows for one in _of_rows(entity)),
            )
        )
    return pl.DataFrame(rows, schema=VIOLATIONS, orient="row")


def _found(store: Store, invariant: Invariant) -> tuple[int, list[str]]:
    count, examples = store.rows(
        f"SELECT count(*), list(example::VARCHAR ORDER BY example)[1:{EXAMPLES}]"  # noqa: S608
        f" FROM ({invariant.query})"
    )[0]
    return count, examples or []
