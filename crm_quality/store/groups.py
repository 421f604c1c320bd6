"""Households, workplaces and the like: which customers are linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crm_quality.store.connection import Store


def write_groups(
    store: Store,
    entity: str,
    groups: pl.DataFrame,
    *,
    run_id: int,
    among: pl.DataFrame | None = None,
) -> None:
    """Replace the groups of ``entity``.

    Args:
        store: Inside its transaction.
        entity: What the records are.
        groups: ``record_id``, ``group_id``, ``relation`` and ``group`` (its kind), see
            `crm_quality.match.groups.relation_groups`.
        run_id: This run.
        among: ``record_id``, ``relation``: only groups of that relation that these records are in
            are replaced; null = all.
    """
    if among is None:
        store.execute("DELETE FROM matching.group_member WHERE entity = ?", [entity])
    else:
        with store.staged(among.select("record_id", "relation"), "regrouped"):
            store.execute(
                "DELETE FROM matching.group_member WHERE entity = ? AND rowid IN ("
                " SELECT m.rowid FROM matching.group_member m"
                " SEMI JOIN regrouped USING (record_id, relation))",
                [entity],
            )
    store.append(
        "matching.group_member",
        groups.select(
            pl.lit(entity).alias("entity"),
            pl.col("group").alias("group_kind"),
            "relation",
            "group_id",
            "record_id",
            pl.lit(run_id, pl.Int64).alias("run_id"),
        ),
    )
