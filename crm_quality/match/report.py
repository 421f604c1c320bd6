"""What matching did, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.match.blocking import Blocked
    from crm_quality.match.model import MatchModel

#: Version of the report's shape.
SCHEMA_VERSION = 1


def match_report(
    pairs: pl.DataFrame,
    clusters: pl.DataFrame,
    review: pl.DataFrame,
    blocked: Blocked,
    model: MatchModel,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Counts, blocks, relations and the model of one run of matching, ready for JSON."""
    sizes = clusters.group_by("cluster_id").len()["len"]
    relations = pairs["relation"].value_counts(name="pairs").sort("relation")
    return {
        "schema_version": SCHEMA_VERSION,
        "records": clusters.height,
        "candidate_pairs": blocked.pairs.height,
        "scored_pairs": pairs.height,
        "review_pairs": review.height,
        "clusters": sizes.len(),
        "largest_cluster": int(sizes.max() or 0),  # type: ignore[arg-type]
        "relations": dict(relations.iter_rows()),
        "estimated_recall": estimated_recall(pairs, model),
        "model": {"origin": model.origin, "why": model.why, "records": model.records},
        "blocking": [
            {
                "key": entry.key,
                "blocks": entry.blocks,
                "pairs": entry.pairs,
                "largest_block": entry.cap,
                "skipped": entry.cap == 0 and not entry.poor,
                "dropped": entry.poor,
                "over_budget": [{"value": v, "records": n} for v, n in entry.over],
                "records_over_budget": entry.over_records,
            }
            for entry in blocked.report
        ],
        "seconds": dict(seconds),
    }


def estimated_recall(pairs: pl.DataFrame, model: MatchModel) -> float | None:
    """Share of the true pairs that blocking brought, estimated from how many keys brought each.

    Chao's lower bound (1987) on what was missed: f1² / 2·f2, where f1 pairs met under one key only
    and f2 under two. Null when every pair was compared or none is true.
    """
    same = pairs.filter(pl.col("match_weight") >= model.accept)
    if same.is_empty() or not model.caps:
        return None
    met = same["keys"].list.len()
    once, twice = int((met == 1).sum()), int((met == 2).sum())
    missed = once * once / (2 * twice) if twice else once * max(once - 1, 0) / 2
    return round(same.height / (same.height + missed), 4)
