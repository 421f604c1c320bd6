"""Taking out of a store what one run brought, and bringing back what it had replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.store.golden import note_gone
from crm_quality.store.landing import table_columns, version_table

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from crm_quality.definitions import EntityDefinition
    from crm_quality.store.connection import Store


@dataclass(frozen=True)
class RunRow:
    """A run as the list of runs has it.

    Attributes:
        run_id: Its number.
        command: How it was asked for.
        undone_run: The run that undid it; null = it stands.
        undoes: The run that it undid itself; null = it is no undo.
        batches: How many files or frames it brought something new of.
    """

    run_id: int
    command: str
    undone_run: int | None
    undoes: int | None
    batches: int


def run_numbered(store: Store, run_id: int) -> RunRow | None:
    """The run of that number; null = there is none."""
    rows = store.rows(
        """
        SELECT r.run_id, r.command, r.undone_run,
               (SELECT max(run_id) FROM audit.run u WHERE u.undone_run = r.run_id),
               (SELECT count(*) FROM landing.batch b WHERE b.run_id = r.run_id)
        FROM audit.run r WHERE r.run_id = ?
        """,
        [run_id],
    )
    return RunRow(*rows[0]) if rows else None


def note_undone(store: Store, run_id: int, *, by: int) -> None:
    """Say in the list of runs that ``run_id`` was undone."""
    store.execute("UPDATE audit.run SET undone_run = ? WHERE run_id = ?", [by, run_id])


def later_runs_that_repeated(store: Store, run_id: int) -> list[tuple[int, int]]:
    """Later runs that stand and found rows unchanged: their number and how many rows."""
    return store.rows(
        """
        SELECT run_id, (summary->>'$.records.unchanged')::BIGINT AS unchanged FROM audit.run
        WHERE run_id > ? AND undone_run IS NULL AND unchanged > 0 ORDER BY run_id
        """,
        [run_id],
    )


def versions_of_run(
    store: Store, definition: EntityDefinition, run_id: int
) -> tuple[pl.DataFrame, int]:
    """What a run brought, and what was made of its rows since: by a correction, or other rules.

    Returns:
        ``version_id``, ``record_id``; and how many of the records were opt-outs.
    """
    table = version_table(definition.entity)
    have = table_columns(store, table)
    said = {"email_opt_out": "email_opt_out", "do_not_call": "do_not_call",
            "consent_status": "consent_status = 'withdrawn'"}  # fmt: skip
    opted = " OR ".join(f"coalesce({text}, false)" for name, text in said.items() if name in have)
    found = store.frame(
        f"""
        SELECT version_id, record_id, {opted or "false"} AS opted_out
        FROM {table} v JOIN landing.record r USING (record_id)
        WHERE r.erased_at IS NULL AND (v.run_id = ? OR v.batch_id IN (
            SELECT batch_id FROM landing.batch WHERE run_id = ?))
        ORDER BY version_id
        """,  # noqa: S608 - the entity's name is checked against the definitions
        [run_id, run_id],
    )
    return found.drop("opted_out"), found.filter("opted_out")["record_id"].n_unique()


def states_of(store: Store, records: pl.DataFrame) -> pl.DataFrame:
    """``record_id``, ``ended`` (Boolean) of those among ``records`` that there are."""
    with store.staged(records.select("record_id"), "asked"):
        return store.frame(
            "SELECT record_id, ended_at IS NOT NULL AS ended FROM landing.record"
            " SEMI JOIN asked USING (record_id) ORDER BY record_id"
        )


def records_ended_by(store: Store, entity: str, run_id: int) -> pl.DataFrame:
    """``record_id`` of records that a run ended or brought back."""
    return store.frame(
        "SELECT DISTINCT record_id FROM landing.record_end e SEMI JOIN landing.record r"
        " ON r.record_id = e.record_id AND r.entity = ? WHERE e.run_id = ? ORDER BY ALL",
        [entity, run_id],
    )


def remove_versions(
    store: Store, entity: str, versions: pl.DataFrame, *, run_id: int
) -> pl.DataFrame:
    """Take versions out, with their issues, contact points, corrections applied and quarantine.

    What a run did to versions of before in quarantine is taken back too.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        versions: ``version_id``, as `versions_of_run` gives them.
        run_id: The run that is undone.

    Returns:
        ``record_id`` of records that have versions of before in another state of quarantine now.
    """
    with store.staged(versions.select("version_id"), "taken_out"):
        for table, condition in (
            (version_table(entity), "true"),
            ("landing.contact_point", "entity = $1"),
            ("quality.issue", "entity = $1"),
            ("quality.quarantine", "entity = $1"),
            ("quality.quarantine_step", "entity = $1"),
            ("quality.version_correction", "entity = $1"),
        ):
            parameters = [entity] if "$1" in condition else []
            store.execute(
                f"DELETE FROM {table} WHERE {condition}"  # noqa: S608
                " AND version_id IN (SELECT version_id FROM taken_out)",
                parameters,
            )
        store.execute(
            """
            CREATE OR REPLACE TEMP TABLE reverted AS
            SELECT record_id, version_id FROM quality.quarantine_step
            WHERE entity = $1 AND run_id = $2
            UNION
            SELECT record_id, version_id FROM quality.quarantine
            WHERE entity = $1 AND became IN (SELECT version_id FROM taken_out)
            """,
            [entity, run_id],
        )
    store.execute(
        "DELETE FROM quality.quarantine_step WHERE entity = ? AND run_id = ?", [entity, run_id]
    )
    _revert_quarantine(store, entity)
    reverted = store.frame("SELECT DISTINCT record_id FROM reverted ORDER BY ALL")
    store.execute("DROP TABLE reverted")
    return reverted


def _revert_quarantine(store: Store, entity: str) -> None:
    """Give versions in ``reverted`` the state of the last step that is left of their way."""
    store.execute(
        """
        CREATE OR REPLACE TEMP TABLE restored AS
        SELECT s.record_id, s.version_id, s.status, s.occurred_at, s.run_id, s.reason, s.became,
               count(*) OVER (PARTITION BY s.record_id, s.version_id) = 1 AS is_first
        FROM quality.quarantine_step s SEMI JOIN reverted USING (record_id, version_id)
        WHERE s.entity = $1
        QUALIFY row_number() OVER (PARTITION BY s.record_id, s.version_id
                                   ORDER BY s.run_id DESC, s.rowid DESC) = 1
        """,
        [entity],
    )
    store.execute(
        """
        UPDATE quality.quarantine q
        SET status = r.status, reason = r.reason, became = r.became,
            closed_at = CASE WHEN NOT r.is_first THEN r.occurred_at END,
            closed_run = CASE WHEN NOT r.is_first THEN r.run_id END
        FROM restored r
        WHERE q.entity = $1 AND q.record_id = r.record_id AND q.version_id = r.version_id
        """,
        [entity],
    )
    store.execute(
        f"""
        UPDATE {version_table(entity)} SET status = 'accepted'
        WHERE status = 'withdrawn'
          AND version_id IN (SELECT became FROM restored WHERE status = 'waived')
        """  # noqa: S608
    )
    store.execute("DROP TABLE restored")


def revert_ends(store: Store, records: pl.DataFrame, *, run_id: int) -> None:
    """Forget which records a run ended or brought back.

    Args:
        store: Inside its transaction.
        records: ``record_id`` of those.
        run_id: The run that is undone.
    """
    with store.staged(records.select("record_id"), "reverted_ends"):
        store.execute(
            "DELETE FROM landing.record_end WHERE run_id = ?"
            " AND record_id IN (SELECT record_id FROM reverted_ends)",
            [run_id],
        )
        store.execute(
            """
            UPDATE landing.record r SET ended_at = e.ended_at, ended_run = e.ended_run
            FROM (
                WITH back AS (
                    SELECT record_id, max(run_id) FILTER (ended_at IS NULL) AS since
                    FROM landing.record_end SEMI JOIN reverted_ends USING (record_id) GROUP BY ALL
                )
                SELECT d.record_id, arg_min(x.ended_at, x.run_id) AS ended_at,
                       min(x.run_id) AS ended_run
                FROM reverted_ends d LEFT JOIN back b USING (record_id)
                LEFT JOIN landing.record_end x ON x.record_id = d.record_id
                     AND x.ended_at IS NOT NULL AND x.run_id > coalesce(b.since, -1)
                GROUP BY d.record_id
            ) e
            WHERE r.record_id = e.record_id
            """
        )


def remove_records(
    store: Store, entity: str, records: pl.DataFrame, *, run_id: int, by: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Let records go that only the undone run had brought; their numbers stay theirs.

    Args:
        store: Inside its transaction, versions taken out.
        entity: Name of the entity.
        records: ``record_id`` of records that versions were taken out of.
        run_id: The run that is undone.
        by: The run that undoes it.

    Returns:
        ``record_id`` of records that are no more, and of those that nothing was ever accepted of.
    """
    versions = version_table(entity)
    with store.staged(records.select("record_id").unique(), "emptied"):
        gone = store.frame(
            f"SELECT record_id FROM emptied ANTI JOIN {versions} USING (record_id) ORDER BY ALL"  # noqa: S608
        )
        never = store.frame(
            f"""
            SELECT r.record_id FROM landing.record r SEMI JOIN emptied USING (record_id)
            ANTI JOIN (SELECT record_id FROM {versions} WHERE status IN ('accepted', 'withdrawn'))
            USING (record_id)
            WHERE r.accepted_no IS NOT NULL ORDER BY ALL
            """  # noqa: S608
        )
        store.execute(
            f"""
            UPDATE landing.record r SET first_run = v.first_run FROM (
                SELECT record_id, min(run_id) AS first_run FROM {versions}
                SEMI JOIN emptied USING (record_id) GROUP BY ALL
            ) v WHERE r.record_id = v.record_id AND r.first_run = ?
            """,  # noqa: S608
            [run_id],
        )
    with store.staged(gone, "gone"):
        store.execute(
            "INSERT INTO landing.withdrawn_record"
            " SELECT record_id, entity, source, source_key, ? FROM landing.record"
            " SEMI JOIN gone USING (record_id)",
            [by],
        )
        for table in ("landing.record", "landing.record_end"):
            store.execute(f"DELETE FROM {table} WHERE record_id IN (FROM gone)")  # noqa: S608
    with store.staged(never, "never"):
        store.execute(
            "UPDATE landing.record SET accepted_no = NULL, current_version = NULL"
            " WHERE record_id IN (FROM never)"
        )
    return gone, never


def leave_customers(
    store: Store, entity: str, table: str, records: pl.DataFrame, *, by: int
) -> tuple[pl.DataFrame, int]:
    """Take records out of the crosswalk, and customers out whose first record is among them.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        table: Where what is in force of it is written.
        records: ``record_id`` of those that are no more, or were never accepted.
        by: The run that undoes.

    Returns:
        ``record_id`` of the records that were of one customer with them, and how many customers
        are no more.
    """
    with store.staged(records.select("record_id"), "leaving"):
        others = store.frame(
            """
            SELECT record_id FROM matching.membership WHERE entity_id IN (
                SELECT entity_id FROM matching.membership SEMI JOIN leaving USING (record_id))
            ORDER BY ALL
            """
        )
        store.execute(
            "DELETE FROM matching.membership WHERE record_id IN (SELECT record_id FROM leaving)"
        )
        lost = store.frame(
            f"""
            SELECT entity_id FROM {table}
            WHERE entity_id IN (SELECT record_id FROM leaving) ORDER BY ALL
            """  # noqa: S608
        )
    with store.staged(lost, "gone"):
        note_gone(store, entity, table)
    with store.staged(lost, "lost"):
        store.execute(f"DELETE FROM {table} WHERE entity_id IN (FROM lost)")  # noqa: S608
        store.execute(
            "DELETE FROM crm.value_origin WHERE entity = ? AND entity_id IN (FROM lost)", [entity]
        )
        store.execute(
            "INSERT INTO audit.change (run_id, entity, kind, entity_id)"
            " SELECT ?, ?, 'withdrawn', entity_id FROM lost",
            [by, entity],
        )
    return others, lost.height


def remove_run_figures(store: Store, run_id: int) -> None:
    """Take out what a run told of the store as it left it, and the batches that it brought."""
    for table in ("quality.metric", "quality.check_result", "landing.batch"):
        store.execute(f"DELETE FROM {table} WHERE run_id = ?", [run_id])  # noqa: S608


def remove_learnt_decisions(store: Store, entity: str, run_id: int) -> tuple[pl.DataFrame, int]:
    """Forget merges that a source told of in the files of a run, unless a steward took them back.

    Returns:
        ``record_id`` of the records that they were about, and how many there were.
    """
    learnt = """
        FROM matching.decision d WHERE d.entity = $1 AND d.run_id = $2 AND d.withdrawn_at IS NULL
        AND d.actor = 'source ' || d.source_l
        AND d.decided_at = (SELECT started_at FROM audit.run WHERE run_id = $2)
    """
    records = store.frame(
        f"""
        SELECT record_id FROM landing.record
        SEMI JOIN (SELECT unnest([record_id_l, record_id_r]) AS record_id {learnt})
        USING (record_id)
        """,  # noqa: S608
        [entity, run_id],
    )
    numbers = store.frame(f"SELECT decision_id {learnt}", [entity, run_id])
    with store.staged(numbers, "unlearnt"):
        store.execute("DELETE FROM matching.decision WHERE decision_id IN (FROM unlearnt)")
    return records, numbers.height


def remove_model(store: Store, entity: str, run_id: int) -> bool:
    """Give up a model that an undone run has learnt and that is in use; the one before is used."""
    found = store.rows(
        "SELECT model_id FROM matching.model WHERE entity = ? AND run_id = ? AND in_use",
        [entity, run_id],
    )
    if not found:
        return False
    store.execute("DELETE FROM matching.model WHERE model_id = ?", [found[0][0]])
    store.execute(
        "UPDATE matching.model SET in_use = true WHERE model_id = ("
        " SELECT max(model_id) FROM matching.model WHERE entity = ?)",
        [entity],
    )
    return True


def former_homes(store: Store, entity: str, run_id: int) -> pl.DataFrame:
    """``record_id``, ``entity_id``: of which customer records were that a run moved and that ended.

    Live records are placed by the evidence; ended ones give none.
    """
    return store.frame(
        """
        SELECT v.record_id, v.entity_before AS entity_id FROM audit.move v
        JOIN landing.record r USING (record_id)
        JOIN matching.membership m ON m.record_id = v.record_id AND m.entity_id = v.entity_after
        WHERE v.entity = ? AND v.run_id = ? AND r.ended_at IS NOT NULL ORDER BY ALL
        """,
        [entity, run_id],
    )


def turn_overrides(
    store: Store, run_id: int, *, actor: str, reason: str, moment: datetime
) -> dict[str, int]:
    """Withdraw pins and enriched values that a run made; those that it withdrew hold again.

    Proposals that it accepted are open again.

    Returns:
        Entity → how many overrides were turned.
    """
    took = "withdrawn_at = (SELECT started_at FROM audit.run WHERE run_id = $1)"
    made = "run_id = $1 AND withdrawn_at IS NULL"
    turned = dict(
        store.rows(
            "SELECT entity, count(*) FROM crm.override"  # noqa: S608
            f" WHERE ({made}) OR (run_id <> $1 AND {took}) GROUP BY ALL ORDER BY ALL",
            [run_id],
        )
    )
    store.execute(
        "UPDATE crm.proposal SET status = 'open', decided_at = NULL, decided_by = NULL,"  # noqa: S608
        f" reason = NULL WHERE proposal_id IN (SELECT proposal_id FROM crm.override WHERE {made})",
        [run_id],
    )
    store.execute(
        "UPDATE crm.override SET withdrawn_at = NULL, withdrawn_by = NULL,"  # noqa: S608
        f" withdrawn_because = NULL WHERE run_id <> $1 AND {took}",
        [run_id],
    )
    store.execute(
        "UPDATE crm.override SET withdrawn_at = $2, withdrawn_by = $3, withdrawn_because = $4"  # noqa: S608
        f" WHERE {made}",
        [run_id, moment, actor, reason],
    )
    return turned
