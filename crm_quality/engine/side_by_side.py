"""Pairs of records with the values of both beside each other, as people decide on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.engine.lookup import safe
from crm_quality.store.pairs import records_by_id

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.store import Store


def with_values(store: Store, definition: EntityDefinition, pairs: pl.DataFrame) -> pl.DataFrame:
    """``pairs`` with the keys and values of both records beside each other.

    Args:
        store: The open store.
        definition: The entity.
        pairs: ``record_id_l``, ``record_id_r`` and any other columns.

    Returns:
        The same rows with ``source_l``, ``source_r``, ``source_key_l``, ``source_key_r`` and, for
        each field that is evidence, ``<field>_l`` and ``<field>_r`` as text.
    """
    ids = {*pairs["record_id_l"], *pairs["record_id_r"]}
    records = records_by_id(store, definition.entity, ids)
    fields = [n for n in telling(definition) if n in records.columns]
    texts = records.select(
        "record_id",
        "source",
        "source_key",
        *(
            (pl.col(name).list.join("; ") if records.schema[name] == pl.List else pl.col(name))
            .cast(pl.String)
            .alias(name)
            for name in fields
        ),
    )
    for side in "lr":
        named = texts.rename({name: f"{name}_{side}" for name in texts.columns})
        pairs = pairs.join(named, on=f"record_id_{side}", how="left", maintain_order="left")
    columns = [f"{name}_{side}" for name in ("source", "source_key", *fields) for side in "lr"]
    return pairs.select([n for n in pairs.columns if n not in columns] + columns)


def telling(definition: EntityDefinition) -> list[str]:
    """Fields that are evidence of who a record is, in the order of the definition."""
    return [
        name
        for name, field in definition.fields.items()
        if field.match is not None and field.match is not MatchRole.PARENT
    ]


def masked_pairs(frame: pl.DataFrame, rules: RuleSet, entity: str) -> pl.DataFrame:
    """The frame of `with_values` with personal values hidden."""
    fields = {"source_key", *rules.entity(entity).fields}
    for name in frame.columns:
        field = name.removesuffix("_l").removesuffix("_r")
        if field == name or field not in fields:
            continue
        shown = [safe(rules, entity, field, value, show=False) for value in frame[name]]
        frame = frame.with_columns(pl.Series(name, shown, dtype=pl.String))
    return frame
