"""Clusters against a truth, counted by contingency, never by listing pairs."""

from __future__ import annotations

import polars as pl


def evaluate(clusters: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """Precision, recall and F1 of a clustering.

    Args:
        clusters: ``record_id`` and ``cluster_id``.
        truth: ``record_id`` and ``entity_id``; records in only one of the two frames are left out.

    Returns:
        ``precision``, ``recall``, ``f1`` (pairwise); ``bcubed_*`` (Bagga and Baldwin 1998);
        ``cluster_*`` (clusters that equal an entity, wholly); ``records``, ``clusters``,
        ``entities``, ``largest_cluster``, ``largest_entity``.
    """
    both = clusters.join(truth, on="record_id", how="inner")
    cells = (
        both.group_by("cluster_id", "entity_id").len("n").with_columns(pl.col("n").cast(pl.Float64))
    )
    cells = cells.with_columns(
        pl.col("n").sum().over("cluster_id").alias("in_cluster"),
        pl.col("n").sum().over("entity_id").alias("in_entity"),
    )
    of_cluster = cells.unique("cluster_id")["in_cluster"]
    of_entity = cells.unique("entity_id")["in_entity"]

    def pairs(counts: pl.Series) -> float:
        return float((counts * (counts - 1) / 2).sum())

    hits, found, true = pairs(cells["n"]), pairs(of_cluster), pairs(of_entity)
    total = float(both.height)
    squares = cells.select(
        (pl.col("n") ** 2 / pl.col("in_cluster")).sum().alias("p"),
        (pl.col("n") ** 2 / pl.col("in_entity")).sum().alias("r"),
    )
    whole = cells.filter(
        (pl.col("n") == pl.col("in_cluster")) & (pl.col("n") == pl.col("in_entity"))
    ).height
    result = {
        **_scores("", hits, found, true),
        **_rates("bcubed_", _share(squares["p"][0], total), _share(squares["r"][0], total)),
        **_scores("cluster_", whole, of_cluster.len(), of_entity.len()),
        "records": total,
        "clusters": float(of_cluster.len()),
        "entities": float(of_entity.len()),
        "largest_cluster": float(of_cluster.max() or 0),  # type: ignore[arg-type]
        "largest_entity": float(of_entity.max() or 0),  # type: ignore[arg-type]
    }
    return {name: round(value, 6) for name, value in result.items()}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _scores(prefix: str, hits: float, found: float, true: float) -> dict[str, float]:
    return _rates(prefix, _share(hits, found), _share(hits, true))


def _rates(prefix: str, precision: float, recall: float) -> dict[str, float]:
    both = precision + recall
    return {
        f"{prefix}precision": precision,
        f"{prefix}recall": recall,
        f"{prefix}f1": 2 * precision * recall / both if both else 0.0,
    }
