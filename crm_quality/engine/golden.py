"""Golden records of customers that something changed for, derived again and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.merge import survive
from crm_quality.store.golden import lone_records, with_golden, write_golden, write_origins
from crm_quality.store.issues import issues_of
from crm_quality.store.landing import current_records
from crm_quality.store.overrides import mark_overrides, overrides_in_force

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from crm_quality.definitions import EntityDefinition, SourceDefinition
    from crm_quality.engine.summary import Clock
    from crm_quality.merge import Survived
    from crm_quality.store import Store


@dataclass(frozen=True)
class Policy:
    """What golden records depend on besides records, crosswalk and rules of the entity.

    Attributes:
        sources: Say how far each source is trusted.
        as_of: The day that counts as today: overrides expire by it.
    """

    sources: Mapping[str, SourceDefinition]
    as_of: date


@dataclass(frozen=True)
class Rewritten:
    """What deriving again did.

    Attributes:
        created: ``entity_id`` of golden records that there were none of.
        changed: ``entity_id`` of those whose values or records changed.
        ended: ``entity_id`` of those that are no more, as no record of theirs is in force.
    """

    created: pl.DataFrame
    changed: pl.DataFrame
    ended: pl.DataFrame


def survived(
    store: Store,
    definition: EntityDefinition,
    touched: pl.DataFrame,
    policy: Policy,
) -> Survived:
    """Golden records as the store's records, rules and overrides make them; nothing is written.

    Args:
        store: Open store, membership up to date.
        definition: The entity.
        touched: ``entity_id`` of the customers in question.
        policy: Trust in sources, and the day.
    """
    entity, sources = definition.entity, policy.sources
    records = current_records(store, entity, among=touched)
    return survive(
        records,
        definition,
        priorities={name: source.priority for name, source in sources.items()},
        floors=floors(sources),
        issues=issues_of(store, entity, records),
        overrides=overrides_in_force(store, entity, touched, policy.as_of),
    )


def floors(sources: Mapping[str, SourceDefinition]) -> dict[str, int]:
    """Source → what is left of the trust in it at least, of those that say so."""
    return {
        name: source.least_priority
        for name, source in sources.items()
        if source.least_priority is not None
    }


def rewrite_golden(
    store: Store,
    definition: EntityDefinition,
    touched: pl.DataFrame,
    vanished: pl.DataFrame,
    *,
    run_id: int,
    clock: Clock,
    policy: Policy,
) -> Rewritten:
    """Derive golden records again and write those that come out otherwise.

    Args:
        store: Inside its transaction, membership up to date.
        definition: The entity.
        touched: ``entity_id`` of customers that something changed for.
        vanished: ``entity_id`` of customers that are no more.
        run_id: This run.
        clock: Takes the seconds of merging and storing.
        policy: Trust in sources, and the day.
    """
    entity = definition.entity
    with clock.stage("merge"):
        lone = lone_records(store, entity, touched)
        rest = touched.join(lone, on="entity_id", how="anti")
        derived = survived(store, definition, rest, policy)
    with clock.stage("store"):
        lifeless = rest.join(derived.golden, on="entity_id", how="anti")
        ended = with_golden(store, entity, lifeless)
        gone = pl.concat([vanished, lifeless]).unique()
        created, changed = write_golden(store, entity, derived.golden, lone, gone, run_id=run_id)
        write_origins(
            store, entity, derived.origins, pl.concat([touched, gone]).unique(), run_id=run_id
        )
        mark_overrides(store, entity, touched, policy.as_of)
    return Rewritten(created, changed, ended)
