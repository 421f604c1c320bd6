"""What the store kept of its records' rows, read again so that later rules can be applied to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import SourceDefinition
from crm_quality.engine.run import KeptBatch
from crm_quality.intake import kept_records
from crm_quality.store.values import batch_readings, batches_of

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store


def kept_batches(
    store: Store, rules: RuleSet, entity: str, records: pl.DataFrame
) -> tuple[list[KeptBatch], RuleSet, int]:
    """Batches in which some records came, as intake read them.

    Every row is read by the definition that its batch was mapped by, and compared with what was
    read then; a row that gives anything else is left out.

    Args:
        store: The open store.
        rules: The rules of today.
        entity: Name of the entity.
        records: ``record_id`` of the records that are wanted.

    Returns:
        The batches; the rules, with the sources of mapping files that the batches came with among
        them; and how many of ``records`` cannot be read again.
    """
    rows = batches_of(store, entity, records)
    readings = batch_readings(store, rows["batch_id"].unique().to_list())
    sources = dict(rules.sources)
    batches, unread = [], 0
    for batch_id, mapping, kept_definition in readings.iter_rows():
        own = None
        if kept_definition is not None:
            own = SourceDefinition.model_validate_json(kept_definition)
            sources.setdefault(own.source, own)
        part = rows.filter(pl.col("batch_id") == batch_id)
        read, same = kept_records(part, rules.entity(entity), own, json.loads(mapping))
        whole = read.with_columns(part["record_id"], part["is_asked"])
        unread += int((part["is_asked"] & ~same).sum())
        batches.append(KeptBatch(entity, batch_id, whole.filter(same)))
    batches = [batch for batch in batches if batch.rows["is_asked"].any()]
    return batches, replace(rules, sources=sources), unread
