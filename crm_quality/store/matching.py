"""Models, pairs, decisions and shared values, as matching left them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime

    from crm_quality.store.connection import Store


def model_in_use(store: Store, entity: str) -> str | None:
    """The JSON of the model that ``entity`` is matched under; null before the first training."""
    content: str | None = store.value(
        "SELECT content FROM matching.model WHERE entity = ? AND in_use"
        " ORDER BY model_id DESC LIMIT 1",
        [entity],
    )
    return content


def keep_model(store: Store, entity: str, content: str, origin: str, *, run_id: int) -> None:
    """Make ``content`` the model in use; earlier ones stay, no longer in use."""
    store.execute("UPDATE matching.model SET in_use = false WHERE entity = ? AND in_use", [entity])
    store.execute(
        "INSERT INTO matching.model VALUES (?, ?, ?, ?, true, ?)",
        [store.next_id("model_id", "matching.model"), entity, run_id, origin, content],
    )


def state_token(store: Store, entity: str) -> str | None:
    """The name of the state in which ``entity`` was last matched; null when it never was."""
    token: str | None = store.value("SELECT token FROM matching.state WHERE entity = ?", [entity])
    return token


def new_state_token(store: Store, entity: str) -> str:
    """Name the state that matching leaves now; the name before is void."""
    token = secrets.token_hex(8)
    store.execute("DELETE FROM matching.state WHERE entity = ?", [entity])
    store.execute("INSERT INTO matching.state VALUES (?, ?)", [entity, token])
    return token


_PAIR = ("record_id_l", "record_id_r", "match_weight", "relation", "ties")


def known_pairs(store: Store, entity: str) -> pl.DataFrame:
    """The pairs of ``entity`` that are kept.

    Returns:
        ``record_id_l`` < ``record_id_r``, ``match_weight``, ``relation``, ``ties``
        (the pair makes a household, a workplace …; null in pairs of earlier versions).
    """
    return store.frame(f"SELECT {', '.join(_PAIR)} FROM matching.pair WHERE entity = ?", [entity])  # noqa: S608


def write_pairs(
    store: Store,
    entity: str,
    pairs: pl.DataFrame,
    *,
    run_id: int,
    of: pl.DataFrame | None = None,
) -> None:
    """Replace the scored pairs of ``entity``.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        pairs: As `known_pairs` gives them.
        run_id: This run.
        of: ``record_id`` of records; only pairs of theirs are replaced. Null = all are.
    """
    if of is None:
        store.execute("DELETE FROM matching.pair WHERE entity = ?", [entity])
    else:
        with store.staged(of.select("record_id"), "redone"):
            store.execute(
                "DELETE FROM matching.pair WHERE entity = ? AND ("
                " record_id_l IN (SELECT record_id FROM redone)"
                " OR record_id_r IN (SELECT record_id FROM redone))",
                [entity],
            )
    store.append(
        "matching.pair",
        pairs.select(_PAIR).with_columns(
            pl.lit(entity).alias("entity"), pl.lit(run_id, pl.Int64).alias("run_id")
        ),
    )


def decisions_by_record(store: Store, entity: str) -> pl.DataFrame:
    """Decisions whose two records are both known.

    Returns:
        ``record_id_l`` < ``record_id_r``, ``verdict`` (same, different; withdrawn where none of
        the pair's decisions is in force any more).
    """
    return store.frame(
        """
        WITH decided AS (
            SELECT least(record_id_l, record_id_r) AS record_id_l,
                   greatest(record_id_l, record_id_r) AS record_id_r, verdict, withdrawn_at
            FROM matching.decision WHERE entity = ? AND record_id_l <> record_id_r
              AND record_id_l IN (SELECT record_id FROM landing.record)
              AND record_id_r IN (SELECT record_id FROM landing.record)
        )
        SELECT DISTINCT record_id_l, record_id_r,
               CASE WHEN withdrawn_at IS NULL THEN verdict ELSE 'withdrawn' END AS verdict
        FROM decided
        QUALIFY withdrawn_at IS NULL OR count(*) FILTER (withdrawn_at IS NULL) OVER (
            PARTITION BY record_id_l, record_id_r) = 0
        ORDER BY ALL
        """,
        [entity],
    )


def labels_by_record(store: Store, entity: str) -> pl.DataFrame:
    """Decisions in force as labels to learn from.

    Returns:
        ``record_id_l`` < ``record_id_r``, ``verdict`` (same, different), ``chosen``: false where a
        source told of its own merges, which says nothing of pairs that are not the same.
    """
    return store.frame(
        """
        SELECT least(l.record_id, r.record_id) AS record_id_l,
               greatest(l.record_id, r.record_id) AS record_id_r,
               arg_max(d.verdict, d.decision_id) AS verdict,
               bool_or(d.actor <> 'source ' || d.source_l) AS chosen
        FROM matching.decision d
        JOIN landing.record l ON l.record_id = d.record_id_l
        JOIN landing.record r ON r.record_id = d.record_id_r
        WHERE d.entity = ? AND d.withdrawn_at IS NULL AND l.record_id <> r.record_id
        GROUP BY ALL ORDER BY ALL
        """,
        [entity],
    )


def learn_merges(
    store: Store, entity: str, told: pl.DataFrame, *, run_id: int, moment: datetime
) -> int:
    """Keep the merges that a source tells of (``MasterRecordId`` …) as its own "same" decisions.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        told: ``source``, ``source_key``, ``merged_into`` (the survivor's key in the same source).
        run_id: This run.
        moment: When it started, UTC.

    Returns:
        How many were new.
    """
    if told.is_empty():
        return 0
    told = told.unique().sort(told.columns)
    with store.staged(told, "told"):
        fresh = store.frame(
            """
            SELECT t.source AS source_l, t.source_key AS source_key_l, l.record_id AS record_id_l,
                   t.source AS source_r, t.merged_into AS source_key_r, r.record_id AS record_id_r
            FROM (FROM told t ANTI JOIN matching.decision d
              ON d.entity = $1 AND d.verdict = 'same'
             AND (d.source_l, d.source_key_l, d.source_r, d.source_key_r)
               = (t.source, t.source_key, t.source, t.merged_into)) t
            LEFT JOIN landing.record l
              ON (l.entity, l.source, l.source_key) = ($1, t.source, t.source_key)
            LEFT JOIN landing.record r
              ON (r.entity, r.source, r.source_key) = ($1, t.source, t.merged_into)
            ORDER BY ALL
            """,
            [entity],
        )
    first = store.next_id("decision_id", "matching.decision")
    store.append(
        "matching.decision",
        fresh.with_row_index("n").select(
            (pl.col("n").cast(pl.Int64) + first).alias("decision_id"),
            pl.lit(entity).alias("entity"),
            pl.lit("same").alias("verdict"),
            "source_l",
            "source_key_l",
            "source_r",
            "source_key_r",
            "record_id_l",
            "record_id_r",
            pl.concat_str(pl.lit("source "), "source_l").alias("actor"),
            pl.lit("the source tells that it has merged them").alias("reason"),
            pl.lit(moment).alias("decided_at"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
        ),
    )
    return fresh.height
