"""Records and customers as people name them: a number, ``source:key``, ``entity:number``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.store.lookup import find_record

if TYPE_CHECKING:
    from crm_quality.store.connection import Store

#: In front of the id of a customer, where a bare number would be that of a record.
CUSTOMER = "entity:"

_FIND = """
SELECT record_id, entity, source, source_key, entity_id, status FROM crm.crosswalk
"""


@dataclass(frozen=True)
class RecordReference:
    """One source record and where it belongs.

    Attributes:
        record_id: Its number.
        entity: What it is.
        source: Where it comes from.
        source_key: Its key there.
        entity_id: The customer it belongs to.
        status: accepted, quarantined or ended.
    """

    record_id: int
    entity: str
    source: str
    source_key: str
    entity_id: int
    status: str

    def __str__(self) -> str:
        return f"{self.source}:{self.source_key}"


def record_named(store: Store, text: str, entity: str | None = None) -> RecordReference:
    """The record that ``text`` names, see `crm_quality.store.lookup.find_record`."""
    _, record_id = find_record(store, text, entity=entity)
    return RecordReference(*store.rows(f"{_FIND} WHERE record_id = ?", [record_id])[0])


def find_members(store: Store, text: str, entity: str | None = None) -> list[RecordReference]:
    """The live records of the customer that ``text`` names, or the one record.

    Args:
        store: The open store.
        text: ``entity:NUMBER`` for a customer; else a record.
        entity: Where the same key stands for several entities: which.

    Raises:
        NotFoundError: There is none.
    """
    if not text.strip().startswith(CUSTOMER):
        return [record_named(store, text, entity)]
    anchor = record_named(store, text.strip().removeprefix(CUSTOMER), entity)
    rows = store.rows(
        f"{_FIND} WHERE entity = ? AND entity_id = ? AND status = 'accepted' ORDER BY record_id",
        [anchor.entity, anchor.entity_id],
    )
    return [RecordReference(*row) for row in rows] or [anchor]
