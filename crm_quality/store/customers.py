"""Customers as people name them, and their golden records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_quality.errors import RefusedError
from crm_quality.store.golden import golden_of
from crm_quality.store.reference import CUSTOMER, record_named

if TYPE_CHECKING:
    from crm_quality.store.connection import Store


def customer_named(store: Store, name: str | int, entity: str | None = None) -> tuple[str, int]:
    """The customer that somebody named, by its id or by any of its records.

    Args:
        store: Open store.
        name: ``entity:NUMBER``, a record id, or ``source:key``.
        entity: Where records of several entities have that key.

    Returns:
        Its entity and its entity id: of a customer that went into another, that one.

    Raises:
        NotFoundError: There is no such record.
        RefusedError: No live record gives it a golden record.
    """
    text = str(name).strip().removeprefix(CUSTOMER)
    found = record_named(store, text, entity)
    if golden_record(store, found.entity, found.entity_id) is None:
        why = {
            "quarantined": "it waits in quarantine; see crmq quarantine show",
            "ended": "its source has deleted it",
        }.get(found.status, "its records give no values")
        raise RefusedError(
            f"{found.entity} {found.entity_id} ({found}) has no golden record: {why}"
        )
    return found.entity, found.entity_id


def golden_record(store: Store, entity: str, entity_id: int) -> dict[str, Any] | None:
    """One golden record with its ``version``; null = there is none."""
    found = golden_of(store, entity, [entity_id])
    return found.to_dicts()[0] if found.height else None
