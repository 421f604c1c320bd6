"""What stewards have decided about records in quarantine: corrections and waivers, by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from datetime import date, datetime

    from crm_quality.store.connection import Store

#: What a record of a source is known by.
KEY = ("source", "source_key")


def corrections_in_force(store: Store, entity: str) -> pl.DataFrame:
    """The last correction of each field of each row of a source that was corrected.

    Returns:
        ``source``, ``source_key``, ``content_hash`` (the row), ``field``, ``new_value`` (null =
        to be empty), ``correction_id``.
    """
    return store.frame(
        """
        SELECT source, source_key, content_hash, field, new_value, correction_id
        FROM quality.correction WHERE entity = ?
        QUALIFY row_number() OVER (
            PARTITION BY source, source_key, content_hash, field ORDER BY correction_id DESC) = 1
        ORDER BY correction_id
        """,
        [entity],
    )


def keep_corrections(
    store: Store, entity: str, corrections: pl.DataFrame, *, run_id: int, moment: datetime
) -> None:
    """Keep corrections.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        corrections: ``source``, ``source_key``, ``content_hash``, ``field``, ``old_value``,
            ``new_value``, ``actor``, ``reason``.
        run_id: This run.
        moment: When it started, UTC.
    """
    first = store.next_id("correction_id", "quality.correction")
    store.append(
        "quality.correction",
        corrections.with_row_index("n").select(
            (pl.col("n").cast(pl.Int64) + first).alias("correction_id"),
            pl.lit(entity).alias("entity"),
            pl.all().exclude("n"),
            pl.lit(moment, pl.Datetime("us")).alias("corrected_at"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
        ),
    )


def note_applied(store: Store, entity: str, applied: pl.DataFrame) -> None:
    """Note which correction gave which value of which version.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        applied: ``version_id``, ``field``, ``correction_id``.
    """
    store.append("quality.version_correction", applied.with_columns(pl.lit(entity).alias("entity")))


def waivers_in_force(store: Store, entity: str, as_of: date) -> pl.DataFrame:
    """Waivers that hold on a day.

    Returns:
        ``source``, ``source_key``, ``rule``, ``expires_on``.
    """
    return store.frame(
        """
        SELECT source, source_key, rule, max(expires_on) AS expires_on
        FROM quality.waiver
        WHERE entity = ? AND withdrawn_at IS NULL AND expires_on >= ?
        GROUP BY ALL ORDER BY ALL
        """,
        [entity, as_of],
    )


def keep_waivers(
    store: Store, entity: str, waivers: pl.DataFrame, *, run_id: int, moment: datetime
) -> None:
    """Keep waivers; one takes the place of earlier ones of its record and rule.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        waivers: ``source``, ``source_key``, ``rule``, ``expires_on``, ``actor``, ``reason``.
        run_id: This run.
        moment: When it started, UTC.
    """
    withdraw_waivers(store, entity, waivers, moment=moment)
    first = store.next_id("waiver_id", "quality.waiver")
    store.append(
        "quality.waiver",
        waivers.with_row_index("n").select(
            (pl.col("n").cast(pl.Int64) + first).alias("waiver_id"),
            pl.lit(entity).alias("entity"),
            pl.all().exclude("n"),
            pl.lit(moment, pl.Datetime("us")).alias("decided_at"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
        ),
    )


def withdraw_waivers(store: Store, entity: str, waivers: pl.DataFrame, *, moment: datetime) -> None:
    """Take back waivers.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        waivers: ``source``, ``source_key``, ``rule``.
        moment: When, UTC.
    """
    with store.staged(waivers.select(*KEY, "rule"), "decided"):
        store.execute(
            """
            UPDATE quality.waiver w SET withdrawn_at = ?
            FROM decided d
            WHERE w.entity = ? AND w.withdrawn_at IS NULL
              AND (w.source, w.source_key, w.rule) = (d.source, d.source_key, d.rule)
            """,
            [moment, entity],
        )


def forget_stewards_words(store: Store, entity: str, *, run_id: int) -> None:
    """Take out the corrections and waivers that a run kept; waivers that it took back hold again.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        run_id: The run that is undone.
    """
    for table in ("quality.correction", "quality.waiver"):
        store.execute(
            f"DELETE FROM {table} WHERE entity = ? AND run_id = ?",  # noqa: S608
            [entity, run_id],
        )
    store.execute(
        "UPDATE quality.waiver SET withdrawn_at = NULL WHERE entity = ?"
        " AND withdrawn_at = (SELECT started_at FROM audit.run WHERE run_id = ?)",
        [entity, run_id],
    )
