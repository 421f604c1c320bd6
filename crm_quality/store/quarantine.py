"""Quarantine: which versions are set aside, each step of their way, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from crm_quality.store.connection import Store

#: The steps of a version's way through quarantine.
STEPS = pl.Schema(
    {
        "record_id": pl.Int64,
        "version_id": pl.Int64,
        "status": pl.String,
        "became": pl.Int64,
        "reason": pl.String,
    }
)


def set_aside(
    store: Store, entity: str, rows: pl.DataFrame, *, run_id: int, moment: datetime, actor: str
) -> None:
    """Put versions into quarantine, each with its first step.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        rows: ``record_id``, ``version_id``, ``status`` (open; waived: accepted at once under a
            waiver), ``opened_at`` (null = now), ``given`` (JSON: field → text as its source gave
            it), ``problem``, ``became``, ``reason``.
        run_id: This run.
        moment: When it started, UTC.
        actor: Who is recorded.
    """
    now = pl.lit(moment, pl.Datetime("us"))
    store.append(
        "quality.quarantine",
        rows.select(
            pl.lit(entity).alias("entity"),
            "record_id",
            "version_id",
            pl.lit(run_id, pl.Int64).alias("run_id"),
            "status",
            pl.coalesce(pl.col("opened_at").cast(pl.Datetime("us")), now).alias("opened_at"),
            "reason",
            "given",
            "problem",
            "became",
        ),
    )
    _append_steps(store, entity, rows, run_id=run_id, moment=moment, actor=actor)


def take_steps(
    store: Store, entity: str, steps: pl.DataFrame, *, run_id: int, moment: datetime, actor: str
) -> None:
    """Let versions in quarantine go on; the last step of each is its status from now on.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        steps: Frame of `STEPS` in order; ``became`` is the version that took its place.
        run_id: This run.
        moment: When it started, UTC.
        actor: Who is recorded.
    """
    _append_steps(store, entity, steps, run_id=run_id, moment=moment, actor=actor)
    last = steps.unique(["record_id", "version_id"], keep="last", maintain_order=True)
    with store.staged(last.select(STEPS.names()), "steps"):
        store.execute(
            """
            UPDATE quality.quarantine q
            SET status = s.status, closed_at = ?, closed_run = ?, reason = s.reason,
                became = s.became
            FROM steps s
            WHERE q.entity = ? AND q.record_id = s.record_id AND q.version_id = s.version_id
            """,
            [moment, run_id, entity],
        )


def _append_steps(
    store: Store, entity: str, steps: pl.DataFrame, *, run_id: int, moment: datetime, actor: str
) -> None:
    store.append(
        "quality.quarantine_step",
        steps.select(
            pl.lit(entity).alias("entity"),
            "record_id",
            "version_id",
            pl.lit(run_id, pl.Int64).alias("run_id"),
            "status",
            pl.lit(moment, pl.Datetime("us")).alias("occurred_at"),
            pl.lit(actor).alias("actor"),
            "reason",
            "became",
        ),
    )


def supersede(store: Store, entity: str, *, run_id: int, moment: datetime, actor: str) -> None:
    """Close what waited for records that a later version of came, as ``settled`` says.

    The temporary table ``settled`` has ``record_id`` and ``last_version`` of the records touched.
    """
    found = store.frame(
        """
        SELECT q.record_id, q.version_id, 'superseded' AS status, s.last_version AS became,
               'a later row of its source came' AS reason
        FROM quality.quarantine q JOIN settled s USING (record_id)
        WHERE q.entity = ? AND q.status = 'open' AND q.version_id < s.last_version
        """,
        [entity],
    )
    take_steps(store, entity, found, run_id=run_id, moment=moment, actor=actor)


def waiting_records(store: Store, entity: str | None = None) -> pl.DataFrame:
    """What waits: ``quality.waiting``, of one entity or of all, in order of arrival."""
    return store.frame(
        "SELECT * FROM quality.waiting WHERE entity = coalesce(?, entity) ORDER BY record_id",
        [entity],
    )


def last_versions(store: Store, entity: str, records: Sequence[int]) -> pl.DataFrame:
    """The last version of each record and what quarantine knows of the row it was made from.

    Args:
        store: The open store.
        entity: Name of the entity.
        records: Record ids.

    Returns:
        One row per record of ``entity``: ``record_id``, ``source``, ``source_key``, ``ended``,
        ``current_version``, every column of its last version, and of the last version in
        quarantine that was made from the same row of the source: ``set_aside`` (its version id;
        null = the row was never set aside), ``quarantine_status``, ``opened_at``, ``given``,
        ``problem``. ``set_aside_values`` is JSON: field → text that an issue of the last version
        shows.
    """
    with store.staged(pl.DataFrame({"record_id": records}, schema={"record_id": pl.Int64})) as name:
        return store.frame(
            f"""
            WITH version AS (
                SELECT v.* FROM landing.{entity}_version v SEMI JOIN {name} USING (record_id)
            ), aside AS (
                SELECT q.record_id, q.version_id AS set_aside, q.status AS quarantine_status,
                       q.opened_at, q.given, q.problem, v.content_hash
                FROM quality.quarantine q JOIN version v USING (record_id, version_id)
                WHERE q.entity = ?
                QUALIFY row_number() OVER (
                    PARTITION BY q.record_id, v.content_hash ORDER BY q.version_id DESC) = 1
            ), newest AS (
                SELECT v.* FROM version v LEFT JOIN quality.waiting w USING (record_id, version_id)
                -- what waits came last, also where an earlier row was judged again since
                QUALIFY row_number() OVER (PARTITION BY v.record_id
                    ORDER BY w.version_id IS NOT NULL DESC, v.version_id DESC) = 1
            )
            SELECT r.source, r.source_key, r.current_version, r.ended_at IS NOT NULL AS ended, n.*,
                   a.set_aside, a.quarantine_status, a.opened_at, a.given, a.problem,
                   (SELECT json_group_object(i.field, i.value) FROM quality.issue i
                    WHERE i.entity = r.entity AND i.version_id = n.version_id
                      AND i.field IS NOT NULL AND i.value IS NOT NULL) AS set_aside_values
            FROM newest n JOIN landing.record r USING (record_id)
            LEFT JOIN aside a ON a.record_id = n.record_id AND a.content_hash = n.content_hash
            WHERE r.entity = ? ORDER BY r.record_id
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity, entity],
        )


def relying_on_lapsed_waivers(store: Store, as_of: date) -> pl.DataFrame:
    """Versions of records that were accepted under a waiver which holds no longer.

    Returns:
        ``entity``, ``record_id``, ``version_id`` (the version that was waived), ``became`` (the
        version that was accepted because of it), ``is_current`` (that one is in force).
    """
    return store.frame(
        """
        SELECT DISTINCT q.entity, q.record_id, q.version_id, q.became,
               coalesce(q.became = r.current_version, false) AS is_current
        FROM quality.quarantine q JOIN landing.record r USING (record_id)
        JOIN quality.waiver w
          ON (w.entity, w.source, w.source_key) = (r.entity, r.source, r.source_key)
        WHERE q.status = 'waived' AND r.ended_at IS NULL
          AND (w.withdrawn_at IS NOT NULL OR w.expires_on < ?)
          AND NOT EXISTS (
              FROM quality.waiver n
              WHERE (n.entity, n.source, n.source_key, n.rule)
                  = (w.entity, w.source, w.source_key, w.rule)
                AND n.withdrawn_at IS NULL AND n.expires_on >= ?)
        ORDER BY ALL
        """,
        [as_of, as_of],
    )


def withdraw_versions(store: Store, entity: str, versions: pl.DataFrame) -> None:
    """Let versions that were accepted under a waiver no longer count as accepted.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        versions: ``version_id``.
    """
    with store.staged(versions.select("version_id"), "withdrawn"):
        store.execute(
            f"UPDATE landing.{entity}_version SET status = 'withdrawn'"  # noqa: S608
            " WHERE version_id IN (SELECT version_id FROM withdrawn)"
        )


def error_issues(store: Store, entity: str | None = None) -> pl.DataFrame:
    """The errors that hold what waits.

    Returns:
        ``entity``, ``record_id``, ``field``, ``rule``, ``severity``, ``value``, ``message``,
        ``suggestion``; in order of the records and rules.
    """
    return _issues_of_waiting(store, entity, ("error",))


def mendable_issues(store: Store, entity: str | None = None) -> pl.DataFrame:
    """The errors and warnings of what waits; columns as in `error_issues`."""
    return _issues_of_waiting(store, entity, ("error", "warning"))


def _issues_of_waiting(
    store: Store, entity: str | None, severities: tuple[str, ...]
) -> pl.DataFrame:
    return store.frame(
        """
        SELECT i.entity, i.record_id, i.field, i.rule, i.severity, i.value, i.message, i.suggestion
        FROM quality.issue i JOIN quality.waiting w USING (entity, record_id, version_id)
        WHERE w.entity = coalesce(?, w.entity) AND i.severity IN (SELECT unnest(?))
        ORDER BY i.record_id, i.severity, i.rule, i.field
        """,
        [entity, list(severities)],
    )
