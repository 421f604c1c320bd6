"""Entities and their ids: clusters → crosswalk, and what that changes in the meaning of ids."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Changes:
    """What became of entities between two crosswalks.

    Attributes:
        created: ``entity_id`` of entities whose records are all new.
        merged: ``entity_id`` (the survivor), ``former_id`` (the id that went into it).
        split: ``entity_id`` (the new one), ``former_id`` (the entity that its records left).
        touched: ``entity_id`` of every entity of now that has gained or lost a record.
        vanished: ``entity_id`` of entities that no longer are.
    """

    created: pl.DataFrame
    merged: pl.DataFrame
    split: pl.DataFrame
    touched: pl.DataFrame
    vanished: pl.DataFrame


def place(clusters: pl.DataFrame, records: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """Give every accepted record its entity; the id is that of the member accepted first.

    A record that its source has ended gives no evidence, so it has no cluster; it stays with the
    live record of its former entity that was accepted first, or where it was if none is left.

    Args:
        clusters: ``record_id``, ``cluster_id`` of every live record.
        records: ``record_id``, ``accepted_no`` of every record ever accepted, ended ones included.
        former: ``record_id``, ``entity_id`` as they were.

    Returns:
        ``record_id``, ``entity_id``, one row per row of ``records``.
    """
    with_cluster = records.join(clusters, on="record_id", how="left").join(
        former, on="record_id", how="left"
    )
    refuge = (
        with_cluster.filter(pl.col("cluster_id").is_not_null(), pl.col("entity_id").is_not_null())
        .sort("accepted_no")
        .unique("entity_id", keep="first", maintain_order=True)
        .select("entity_id", pl.col("cluster_id").alias("refuge"))
    )
    # Ended records of an entity without live ones keep to themselves: negative ids cannot clash.
    alone = -1 - pl.coalesce("entity_id", "record_id")
    grouped = with_cluster.join(refuge, on="entity_id", how="left").with_columns(
        pl.coalesce("cluster_id", "refuge", alone).alias("group")
    )
    anchor = pl.col("record_id").sort_by("accepted_no").first().over("group")
    return grouped.select("record_id", anchor.alias("entity_id")).sort("record_id")


def changes(former: pl.DataFrame, current: pl.DataFrame) -> Changes:
    """Compare two crosswalks.

    Args:
        former: ``record_id``, ``entity_id`` before.
        current: ``record_id``, ``entity_id`` now; holds every record of ``former``.

    Returns:
        What was created, merged, split and touched.
    """
    both = current.join(former.rename({"entity_id": "former_id"}), on="record_id", how="left")
    known = both.filter(pl.col("former_id").is_not_null())
    ids_before = former.select("entity_id").unique()
    ids_now = current.select("entity_id").unique()
    fresh = ids_now.join(ids_before, on="entity_id", how="anti")
    vanished = ids_before.join(ids_now, on="entity_id", how="anti")
    merged = (
        known.filter(pl.col("record_id") == pl.col("former_id"))
        .join(vanished, left_on="former_id", right_on="entity_id", how="semi")
        .select("entity_id", "former_id")
    )
    split = (
        known.join(fresh, on="entity_id", how="semi")
        .filter(pl.col("entity_id") == pl.col("record_id"))
        .select("entity_id", "former_id")
    )
    created = fresh.join(split, on="entity_id", how="anti")
    moved = both.filter(pl.col("former_id").ne_missing(pl.col("entity_id")))
    touched = (
        pl.concat([moved.select("entity_id"), moved.select(pl.col("former_id").alias("entity_id"))])
        .drop_nulls()
        .unique()
        .join(ids_now, on="entity_id", how="semi")
    )
    return Changes(
        *(part.sort(part.columns) for part in (created, merged, split, touched, vanished))
    )
