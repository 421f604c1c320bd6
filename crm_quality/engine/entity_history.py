"""What became of a customer: its records, the runs and the people that changed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_quality.store.entity_history import events_of, ids_of
from crm_quality.store.golden import golden_of
from crm_quality.store.reference import CUSTOMER, record_named

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store import Store

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class EntityHistory:
    """Everything that happened to a customer and to those that went into it.

    Attributes:
        entity: What it is.
        asked: The record that was named.
        entity_id: The customer that it belongs to now.
        version: Of its golden record; null = it has none, as it waits or has ended.
        status: Of the record that was named: accepted, quarantined or ended.
        ids: ``entity_id`` of this customer and of those that went into it or came out of it,
            ``became`` (the customer that its first record belongs to now), ``kind`` (this, merged,
            split), ``run_id`` of the last time, and ``occurred_at`` (UTC).
        events: In order of time: ``occurred_at`` (UTC), ``run_id``, ``event``, ``entity_id`` or
            ``record_id`` (whose), ``actor``, ``command``, ``reason``, ``detail``.
    """

    entity: str
    asked: int
    entity_id: int
    version: int | None
    status: str
    ids: pl.DataFrame
    events: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "entity": self.entity,
            "asked": self.asked,
            "entity_id": self.entity_id,
            "version": self.version,
            "status": self.status,
            "ids": self.ids.to_dicts(),
            "events": self.events.to_dicts(),
        }


def entity_history(store: Store, name: str, entity: str | None = None) -> EntityHistory:
    """The history of the customer that somebody named.

    Args:
        store: The open store.
        name: A record of it, or an id that it has or had; ``entity:NUMBER`` is the same.
        entity: What it is, where a key stands for several.

    Raises:
        NotFoundError: There is no such record.
    """
    found = record_named(store, name.strip().removeprefix(CUSTOMER), entity)
    ids = ids_of(store, found.entity, found.entity_id)
    golden = golden_of(store, found.entity, [found.entity_id])
    return EntityHistory(
        entity=found.entity,
        asked=found.record_id,
        entity_id=found.entity_id,
        version=None if golden.is_empty() else int(golden["version"][0]),
        status=found.status,
        ids=ids,
        events=events_of(store, found.entity, ids["entity_id"], found.entity_id),
    )
