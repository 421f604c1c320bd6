"""Pairs on which a decision would change something, by whole frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def probability(weight: str) -> str:
    """SQL: how probable it is that two records are the same, by the SQL of their match weight."""
    return f"1 / (1 + pow(2, -greatest(least({weight}, 500), -500)))"


#: Scored pairs with the customers of both records and the size of these.
_PAIRS = """
WITH sizes AS (
    SELECT m.entity_id, count(*) AS records
    FROM matching.membership m JOIN landing.record r USING (record_id)
    WHERE r.entity = $entity AND r.current_version IS NOT NULL AND r.ended_at IS NULL
    GROUP BY ALL
), pairs AS (
    SELECT p.record_id_l, p.record_id_r, p.match_weight, p.relation,
           greatest(least(p.match_weight, $most), $least) AS clipped,
           l.entity_id AS entity_l, r.entity_id AS entity_r
    FROM matching.pair p
    JOIN matching.membership l ON l.record_id = p.record_id_l
    JOIN matching.membership r ON r.record_id = p.record_id_r
    WHERE p.entity = $entity
)
"""

_APART = f"""
, between AS (
    SELECT least(entity_l, entity_r) AS entity_a, greatest(entity_l, entity_r) AS entity_b,
           sum(clipped) AS total, count(*) AS seen, max(match_weight) AS best,
           arg_max(struct_pack(record_id_l, record_id_r, relation),
                   (match_weight, -record_id_l, -record_id_r)) AS pair
    FROM pairs WHERE entity_l <> entity_r
    GROUP BY ALL HAVING max(match_weight) >= $review
)
SELECT pair.record_id_l, pair.record_id_r, best AS match_weight,
       {probability("best")} AS match_probability, pair.relation, a.records * b.records AS changes,
       (total + (a.records * b.records - seen) * $least) / (a.records * b.records) AS mean_weight
FROM between
JOIN sizes a ON a.entity_id = entity_a
JOIN sizes b ON b.entity_id = entity_b
"""  # noqa: S608 - a constant

_JOINED = f"""
, inside AS (
    SELECT entity_l AS entity_id, record_id_l AS record_id, record_id_r AS other_id, * FROM pairs
    WHERE entity_l = entity_r
    UNION ALL
    SELECT entity_l AS entity_id, record_id_r AS record_id, record_id_l AS other_id, * FROM pairs
    WHERE entity_l = entity_r
), fits AS (
    SELECT entity_id, record_id, sum(clipped) AS total, count(*) AS seen,
           min(match_weight) AS worst,
           arg_max(struct_pack(other_id, match_weight, relation),
                   (match_weight, -other_id)) AS nearest
    FROM inside GROUP BY ALL
), worst AS (
    SELECT f.*, s.records,
           (total + (s.records - 1 - seen) * $least) / (s.records - 1) AS mean_weight
    FROM fits f JOIN sizes s USING (entity_id)
    WHERE s.records > 1
    -- a pair that is not kept was never compared, or weighs so little that no run keeps it
    QUALIFY min(CASE WHEN seen < s.records - 1 THEN $least ELSE worst END)
                OVER (PARTITION BY entity_id) < $accept
        AND row_number() OVER (PARTITION BY entity_id ORDER BY mean_weight, record_id DESC) = 1
)
SELECT least(record_id, nearest.other_id) AS record_id_l,
       greatest(record_id, nearest.other_id) AS record_id_r,
       nearest.match_weight AS match_weight,
       {probability("nearest.match_weight")} AS match_probability, nearest.relation,
       records - 1 AS changes, mean_weight
FROM worst
"""  # noqa: S608 - a constant


def separate_pairs(
    store: Store, entity: str, *, review: float, clip: tuple[float, float]
) -> pl.DataFrame:
    """For each two customers with a pair that weighs enough, the pair that weighs most.

    Args:
        store: The open store.
        entity: What the records are.
        review: Weight from which a pair is looked at.
        clip: Least and greatest weight of a pair in a mean; a pair never compared has the least.

    Returns:
        ``record_id_l``, ``record_id_r``, ``match_weight``, ``match_probability``, ``relation``,
        ``changes`` (pairs of records that a join would make) and ``mean_weight`` between the two.
    """
    asked = {"entity": entity, "review": review, "least": clip[0], "most": clip[1]}
    return store.named(_PAIRS + _APART, asked)


def doubtful_members(
    store: Store, entity: str, *, accept: float, clip: tuple[float, float]
) -> pl.DataFrame:
    """For each customer with a pair of records below ``accept``, the record that fits worst.

    Args:
        store: The open store.
        entity: What the records are.
        accept: Weight from which records are joined.
        clip: See `separate_pairs`.

    Returns:
        As `separate_pairs`: that record with the one that fits it best; ``changes`` is the pairs
        that parting it would undo, ``mean_weight`` that of its pairs with the other records.
    """
    asked = {"entity": entity, "accept": accept, "least": clip[0], "most": clip[1]}
    return store.named(_PAIRS + _JOINED, asked)


def homes_of(store: Store, entity: str) -> dict[int, int]:
    """Record → customer, of every record of ``entity`` that a decision in force is about."""
    return dict(
        store.rows(
            """
            SELECT record_id, entity_id FROM matching.membership SEMI JOIN (
                SELECT unnest([record_id_l, record_id_r]) AS record_id FROM matching.decision
                WHERE entity = ? AND withdrawn_at IS NULL
            ) USING (record_id)
            """,
            [entity],
        )
    )
