"""Households, workplaces and the like: clusters that the model's other relations tie together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.clusters import components
from crm_quality.match.comparisons import OF_ROLE

if TYPE_CHECKING:
    from crm_quality.definitions import MatchingDefinition

_SCHEMA = {
    "record_id": pl.Int64,
    "group_id": pl.Int64,
    "relation": pl.String,
    "group": pl.String,
}


def with_ties(pairs: pl.DataFrame, definition: MatchingDefinition) -> pl.DataFrame:
    """``pairs`` with ``ties``: whether the pair makes a group of its relation.

    A surname in common makes two people relatives, but no household: one of the comparisons that
    the relation names under ``ties`` must agree.

    Args:
        pairs: Scored pairs with ``relation`` and their gammas.
        definition: The matching.
    """
    known = {comparison.name: comparison for comparison in OF_ROLE.values()}
    tied = pl.lit(value=False)
    for name, relation in definition.relations.items():
        if relation.group is None:
            continue
        agree = [pl.lit(not relation.ties)]
        for comparison in relation.ties:
            column = f"gamma_{comparison}"
            if comparison in known and column in pairs.columns:
                degrees = known[comparison].agrees()
                same = [gamma for gamma, degree in enumerate(degrees) if degree == 2]
                agree.append(pl.col(column).is_in(same))
        tied = tied | ((pl.col("relation") == name) & pl.any_horizontal(agree))
    return pairs.with_columns(tied.alias("ties"))


def relation_groups(
    pairs: pl.DataFrame, clusters: pl.DataFrame, definition: MatchingDefinition
) -> pl.DataFrame:
    """Groups of entities that are linked, not merged.

    Records are tied, not customers: one who has moved is in two households, which are not one for
    that.

    Args:
        pairs: Scored pairs with ``relation``, and ``ties`` as `with_ties` tells or their gammas.
        clusters: ``record_id``, ``cluster_id``.
        definition: Names the groups of its relations.

    Returns:
        ``record_id``, ``group_id`` (smallest record of the group), ``relation`` and ``group``
        (``household`` …), for groups of at least two clusters.
    """
    found = [pl.DataFrame(schema=_SCHEMA)]
    if "ties" not in pairs.columns:
        pairs = with_ties(pairs, definition)
    tying = pairs.filter(pl.col("ties").fill_null(value=True))
    ordered = clusters.sort("record_id").select("record_id", "cluster_id")
    ids = ordered["record_id"].to_numpy()
    place = ordered.select("record_id").with_row_index("place").cast(pl.Int64)
    for name, relation in definition.relations.items():
        if relation.group is None:
            continue
        tied = (
            tying.lazy()
            .filter(pl.col("relation") == name)
            .select("record_id_l", "record_id_r")
            .join(place.lazy().rename({"record_id": "record_id_l", "place": "a"}), on="record_id_l")
            .join(place.lazy().rename({"record_id": "record_id_r", "place": "b"}), on="record_id_r")
            .select("a", "b")
            .collect()
        )
        if tied.is_empty():
            continue
        label = components(len(ids), tied["a"].to_numpy(), tied["b"].to_numpy())
        made = ordered.with_columns(pl.Series("group_id", ids[label]))
        several = pl.col("cluster_id").n_unique().over("group_id") > 1
        found.append(
            made.filter(several).select(
                "record_id",
                "group_id",
                pl.lit(name).alias("relation"),
                pl.lit(relation.group).alias("group"),
            )
        )
    return pl.concat(found)
