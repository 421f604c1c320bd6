"""Households, workplaces and the like: clusters that the model's other relations tie together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.clusters import components

if TYPE_CHECKING:
    from crm_quality.definitions import MatchingDefinition

_SCHEMA = {
    "record_id": pl.Int64,
    "group_id": pl.Int64,
    "relation": pl.String,
    "group": pl.String,
}


def relation_groups(
    pairs: pl.DataFrame, clusters: pl.DataFrame, definition: MatchingDefinition
) -> pl.DataFrame:
    """Groups of entities that are linked, not merged.

    Args:
        pairs: Scored pairs with ``relation``.
        clusters: ``record_id``, ``cluster_id``.
        definition: Names the groups of its relations.

    Returns:
        ``record_id``, ``group_id`` (smallest record of the group), ``relation`` and ``group``
        (``household`` …), for groups of at least two clusters.
    """
    found = [pl.DataFrame(schema=_SCHEMA)]
    place = clusters.with_row_index("place").select("record_id", pl.col("place").cast(pl.Int64))
    ids = clusters["record_id"].to_numpy()
    # a cluster may be named after a record that has ended and is not among them
    first = clusters.select(
        "record_id", pl.col("record_id").min().over("cluster_id").alias("first")
    )
    home = first.join(place, left_on="first", right_on="record_id", maintain_order="left")
    for name, relation in definition.relations.items():
        if relation.group is None:
            continue
        tied = (
            pairs.lazy()
            .filter(pl.col("relation") == name)
            .select("record_id_l", "record_id_r")
            .join(place.lazy().rename({"record_id": "record_id_l", "place": "a"}), on="record_id_l")
            .join(place.lazy().rename({"record_id": "record_id_r", "place": "b"}), on="record_id_r")
            .select("a", "b")
            .collect()
        )
        if tied.is_empty():
            continue
        base = home["place"].to_numpy()
        label = components(len(ids), base[tied["a"].to_numpy()], base[tied["b"].to_numpy()])[base]
        made = pl.DataFrame({"record_id": ids, "group_id": ids[label], "cluster": ids[base]})
        several = pl.col("cluster").n_unique().over("group_id") > 1
        found.append(
            made.filter(several).select(
                "record_id",
                "group_id",
                pl.lit(name).alias("relation"),
                pl.lit(relation.group).alias("group"),
            )
        )
    return pl.concat(found)
