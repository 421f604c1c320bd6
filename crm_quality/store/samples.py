"""Samples of pairs for a steward to label, and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.sampling import Stratum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crm_quality.store.connection import Store


def joined_pairs(store: Store, entity: str) -> pl.DataFrame:
    """All pairs of live records of one customer.

    Returns:
        ``record_id_l`` < ``record_id_r``, ``match_weight`` (null = never compared).
    """
    return store.frame(
        """
        WITH live AS (
            SELECT m.record_id, m.entity_id FROM matching.membership m
            JOIN landing.record r USING (record_id)
            WHERE r.entity = ? AND r.current_version IS NOT NULL AND r.ended_at IS NULL
        )
        SELECT a.record_id AS record_id_l, b.record_id AS record_id_r, p.match_weight
        FROM live a JOIN live b ON a.entity_id = b.entity_id AND a.record_id < b.record_id
        LEFT JOIN matching.pair p
          ON p.entity = ? AND p.record_id_l = a.record_id AND p.record_id_r = b.record_id
        """,
        [entity, entity],
    )


def separate_pairs_from(store: Store, entity: str, *, at_least: float) -> pl.DataFrame:
    """Compared pairs of two customers that weigh at least ``at_least``; as `joined_pairs`."""
    return store.frame(
        """
        SELECT p.record_id_l, p.record_id_r, p.match_weight FROM matching.pair p
        JOIN matching.membership l ON l.record_id = p.record_id_l
        JOIN matching.membership r ON r.record_id = p.record_id_r
        WHERE p.entity = ? AND l.entity_id <> r.entity_id AND p.match_weight >= ?
        """,
        [entity, at_least],
    )


def write_sample(
    store: Store,
    entity: str,
    drawn: pl.DataFrame,
    strata: Sequence[Stratum],
    *,
    sample_id: int,
    actor: str,
    reason: str,
    moment: datetime,
) -> None:
    """Keep a sample.

    Args:
        store: Inside its transaction.
        entity: What the records are.
        drawn: ``record_id_l``, ``record_id_r``, ``stratum``, in the order to be labelled.
        strata: In the order of their numbers.
        sample_id: Its number.
        actor: Who asked for it.
        reason: What for.
        moment: When, UTC.
    """
    store.execute(
        "INSERT INTO matching.sample SELECT ?, ?, ?, ?, ?, max(run_id) FROM audit.run",
        [sample_id, entity, moment, actor, reason],
    )
    number = pl.lit(sample_id, pl.Int64).alias("sample_id")
    store.append(
        "matching.sample_stratum",
        pl.DataFrame(
            {
                "stratum": range(len(strata)),
                "joined": [one.joined for one in strata],
                "at_least": [one.at_least for one in strata],
                "below": [one.below for one in strata],
                "pairs": [one.pairs for one in strata],
            },
            schema_overrides={"at_least": pl.Float64, "below": pl.Float64},
        ).with_columns(number),
    )
    store.append(
        "matching.sample_pair",
        drawn.with_row_index("place").with_columns(number, pl.col("place").cast(pl.Int64)),
    )


def label_pairs(
    store: Store, sample_id: int, labels: pl.DataFrame, *, actor: str, moment: datetime
) -> int:
    """Keep labels of a sample's pairs; gives how many of them are pairs of the sample.

    Args:
        store: Inside its transaction.
        sample_id: Which sample.
        labels: ``record_id_l`` < ``record_id_r``, ``verdict``.
        actor: Who labelled.
        moment: When, UTC.
    """
    with store.staged(labels, "labels"):
        store.execute(
            """
            UPDATE matching.sample_pair s
            SET verdict = l.verdict, actor = ?, labelled_at = ?
            FROM labels l
            WHERE s.sample_id = ? AND s.record_id_l = l.record_id_l
              AND s.record_id_r = l.record_id_r
            """,
            [actor, moment, sample_id],
        )
        return int(
            store.value(
                "SELECT count(*) FROM matching.sample_pair s JOIN labels l"
                " USING (record_id_l, record_id_r) WHERE s.sample_id = ?",
                [sample_id],
            )
        )


def sample_strata(store: Store, sample_id: int) -> tuple[list[Stratum], int]:
    """The strata of a sample with their labels, and how many pairs it has."""
    rows = store.rows(
        """
        SELECT s.joined, s.at_least, s.below, s.pairs, count(p.verdict),
               count(*) FILTER (p.verdict = 'same'), count(p.place)
        FROM matching.sample_stratum s
        LEFT JOIN matching.sample_pair p USING (sample_id, stratum)
        WHERE s.sample_id = ?
        GROUP BY s.stratum, s.joined, s.at_least, s.below, s.pairs ORDER BY s.stratum
        """,
        [sample_id],
    )
    return [Stratum(*row[:6]) for row in rows], sum(row[6] for row in rows)


def last_sample(store: Store, entity: str, *, labelled: bool) -> int | None:
    """The newest sample of ``entity``; null = there is none.

    Args:
        store: The open store.
        entity: What the records are.
        labelled: Only one that has labels.
    """
    found: int | None = store.value(
        """
        SELECT max(s.sample_id) FROM matching.sample s
        WHERE s.entity = ? AND (NOT ? OR EXISTS (
            SELECT 1 FROM matching.sample_pair p
            WHERE p.sample_id = s.sample_id AND p.verdict IS NOT NULL))
        """,
        [entity, labelled],
    )
    return found


def sample_pairs(store: Store, sample_id: int) -> pl.DataFrame:
    """``record_id_l``, ``record_id_r``, ``verdict`` of a sample, in the order to be labelled."""
    return store.frame(
        "SELECT record_id_l, record_id_r, verdict FROM matching.sample_pair"
        " WHERE sample_id = ? ORDER BY place",
        [sample_id],
    )
