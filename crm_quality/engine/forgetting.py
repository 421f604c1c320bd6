"""Match models forget values that only erased people had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.lookup import feature_maker
from crm_quality.match import MatchModel
from crm_quality.match.frequency import CLASSED
from crm_quality.store.landing import current_records

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store

_WORDS = "company_t"


def forget_terms(store: Store, definition: EntityDefinition, records: pl.DataFrame) -> int:
    """Take values out of all models of an entity that no other record in force has.

    A model holds values of three records or more (words of company names: of two), so this finds
    something only where the erased person had several records.

    Args:
        store: Inside its transaction, the records still there.
        definition: The entity.
        records: ``record_id`` of the records that are about to be erased.

    Returns:
        How many models changed.
    """
    models = store.rows(
        "SELECT model_id, content FROM matching.model WHERE entity = ?", [definition.entity]
    )
    if definition.matching is None or not models:
        return 0
    mine = current_records(store, definition.entity, records=records)
    plain = [(model_id, json.loads(content)) for model_id, content in models]
    newest = MatchModel.from_json(models[-1][1])
    if mine.is_empty():
        return 0
    maker = feature_maker(store, definition, newest)
    theirs = _values(maker.of(mine))
    listed = {name: values & _listed(plain, name) for name, values in theirs.items()}
    if not any(listed.values()):
        return 0
    others = current_records(store, definition.entity).join(records, on="record_id", how="anti")
    kept = _values(maker.of(others)) if others.height else {}
    gone = {name: values - kept.get(name, set()) for name, values in listed.items()}
    changed = 0
    for model_id, content in plain:
        if _without(content["terms"], gone):
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            store.execute(
                "UPDATE matching.model SET content = ? WHERE model_id = ?", [text, model_id]
            )
            changed += 1
    return changed


def _values(features: pl.DataFrame) -> dict[str, set[str]]:
    """Column → its values as models list them."""
    found = {
        name: set(features[name].drop_nulls().cast(pl.String)) for name in CLASSED
        if name in features.columns
    }  # fmt: skip
    if _WORDS in features.columns:
        found[_WORDS] = set(features[_WORDS].explode(empty_as_null=True).drop_nulls())
    return found


def _listed(models: list[tuple[int, dict[str, Any]]], name: str) -> set[str]:
    found: set[str] = set()
    for _, content in models:
        terms = content["terms"]
        if name == _WORDS:
            found.update(terms["words"])
        for values in terms["classes"].get(name, {}).values():
            found.update(values)
    return found


def _without(terms: dict[str, Any], gone: dict[str, set[str]]) -> bool:
    """Take the values out of the terms of one model; whether there were any."""
    tables = [
        (values, gone[name])
        for name, places in terms["classes"].items()
        for values in places.values()
        if name in gone
    ]
    tables.append((terms["words"], gone.get(_WORDS, set())))
    lost = False
    for values, names in tables:
        for value in names & values.keys():
            del values[value]
            lost = True
    return lost
