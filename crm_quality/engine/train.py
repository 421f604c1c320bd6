"""A new match model: what it would change against the one in use, before it takes over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.run import RunRequest, execute_within
from crm_quality.engine.workplaces import evidence_of
from crm_quality.errors import MatchError
from crm_quality.match import MatchModel, match_records
from crm_quality.match.decided import decided_clusters
from crm_quality.merge import changes, place
from crm_quality.store.golden import membership
from crm_quality.store.landing import accepted_records, current_records
from crm_quality.store.matching import (
    decisions_by_record,
    keep_model,
    labels_by_record,
    model_in_use,
)
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.decide import Author
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.engine.summary import Clock
    from crm_quality.store import Store


@dataclass(frozen=True)
class Training:
    """A model learnt from the records of a store, and what it would do to its customers.

    Attributes:
        entity: Of what.
        records: Records in force that it was learnt from.
        before: Records that the model in use was learnt from; null = there is none, the shipped one
            serves.
        origin: ``trained``, or ``prior`` where the records are too few or training went wrong.
        why: Why this origin.
        relations: Relation → pairs that the model expects of it.
        labels: What labels have shown: ``pairs``, ``same``, ``used`` (1 = the model has learnt from
            them, 0 = it was no better for it), and without and with them, each judged on labels
            that were held out, ``wrong_*`` (pairs on the wrong side) and ``surprise_*`` (mean bits;
            1 is a coin). Empty = nobody has decided anything.
        customers: Customers under the model in use.
        customers_after: Customers under the new one.
        merged: ``entity_id``, ``former_id`` (the customer that would go into it).
        split: ``entity_id`` (a customer that would be new), ``former_id`` (the one it leaves).
        outcome: The run under the new model; null = nothing was written.
    """

    entity: str
    records: int
    before: int | None
    origin: str
    why: str
    relations: dict[str, float]
    labels: dict[str, float]
    customers: int
    customers_after: int
    merged: pl.DataFrame
    split: pl.DataFrame
    outcome: RunOutcome | None = None

    @property
    def kept(self) -> int:
        """Customers whose id and records stay as they are."""
        touched = pl.concat(
            frame[name] for frame in (self.merged, self.split) for name in frame.columns
        )
        return self.customers - (touched.n_unique() - self.split_off)

    @property
    def merged_away(self) -> int:
        """Customers that would go into others."""
        return self.merged["former_id"].n_unique()

    @property
    def split_off(self) -> int:
        """Customers that would be new."""
        return self.split["entity_id"].n_unique()

    def to_dict(self) -> dict[str, Any]:
        """The training as plain data; ``schema_version`` 1."""
        return {
            "schema_version": 1,
            "entity": self.entity,
            "records": self.records,
            "records_of_model_in_use": self.before,
            "origin": self.origin,
            "why": self.why,
            "relations": self.relations,
            "labels": self.labels,
            "customers": {
                "before": self.customers,
                "after": self.customers_after,
                "unchanged": self.kept,
                "merged_away": self.merged_away,
                "split_off": self.split_off,
            },
            "run_id": None if self.outcome is None else self.outcome.summary.run_id,
        }


def train(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    entity: str,
    author: Author,
    clock: Clock,
    *,
    apply: bool,
) -> Training:
    """Learn a model from the records in force and from what was decided about pairs.

    Args:
        store: Open for writing.
        rules: The project's.
        config: The project's settings.
        entity: What to match.
        author: Who asks.
        clock: Takes the seconds of each stage.
        apply: Put the model in use and match everything under it, in one transaction.

    Raises:
        MatchError: The entity is not matched, has no records, or there is no model to put in use.
    """
    definition = rules.entity(entity)
    if definition.matching is None:
        raise MatchError(f"{entity} is not matched: there is no rules/matching/{entity}.yml")
    with store.transaction():
        found, model = _tried(store, definition, clock, proposing=config.merging == "propose")
        if not apply:
            return found
        if model.origin != "trained":
            raise MatchError(f"there is no new model to put in use: {model.why}")
        run_id = store.next_id("run_id", "audit.run")
        keep_model(store, entity, model.to_json(), model.origin, run_id=run_id)
        request = RunRequest(
            [], author.actor, author.command, datetime.now(UTC).date(), again=(entity,)
        )
        outcome = execute_within(store, rules, config, request, clock)
        record_event(
            store,
            "model.trained",
            {"entity": entity, "records": found.records, "labels": found.labels.get("pairs", 0)},
            actor=author.actor,
            occurred_at=datetime.now(UTC).replace(tzinfo=None),
            run_id=run_id,
        )
    return replace(found, outcome=outcome)


def _tried(
    store: Store, definition: EntityDefinition, clock: Clock, *, proposing: bool
) -> tuple[Training, MatchModel]:
    entity = definition.entity
    records = evidence_of(store, definition, current_records(store, entity))
    if records.is_empty():
        raise MatchError(f"the store holds no {entity} to learn from; crmq run FILE takes some in")
    kept = model_in_use(store, entity)
    in_use = None if kept is None else MatchModel.from_json(kept)
    decisions = decisions_by_record(store, entity)
    with clock.stage("match"):
        result = match_records(
            records,
            definition,
            decisions=decisions.filter(pl.col("verdict") != "withdrawn"),
            labels=labels_by_record(store, entity),
        )
    model = result.model
    clusters = decided_clusters(records["record_id"], decisions) if proposing else result.clusters
    former = membership(store, entity)
    placed = place(clusters, accepted_records(store, entity), former)
    moved = changes(former, placed)
    return Training(
        entity=entity,
        records=records.height,
        before=None if in_use is None else in_use.records,
        origin=model.origin,
        why=model.why,
        relations=dict(
            zip(model.mixture.classes, (float(x) for x in model.mixture.counts), strict=True)
        ),
        labels=dict(model.labels),
        customers=former["entity_id"].n_unique(),
        customers_after=placed["entity_id"].n_unique(),
        merged=moved.merged,
        split=moved.split,
    ), model
