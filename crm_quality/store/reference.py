"""Records and customers as people name them: a number, ``source:key``, ``entity:number``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.errors import NotFoundError

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


def find_record(store: Store, text: str, entity: str | None = None) -> RecordReference:
    """The record that ``text`` names.

    Args:
        store: The open store.
        text: Its number, or ``source:key``.
        entity: Where the same key stands for several entities: which.

    Raises:
        NotFoundError: There is none, or there are several.
    """
    named = text.strip()
    if named.isdigit():
        rows = store.rows(f"{_FIND} WHERE record_id = ?", [int(named)])
    else:
        # a source may have a colon in its name: every way to cut is tried
        parts = named.split(":")
        cuts = [
            (":".join(parts[:place]), ":".join(parts[place:])) for place in range(1, len(parts))
        ]
        rows = [
            row
            for source, key in cuts
            for row in store.rows(f"{_FIND} WHERE source = ? AND source_key = ?", [source, key])
        ]
    found = [RecordReference(*row) for row in rows]
    if entity is not None:
        found = [one for one in found if one.entity == entity]
    if not found:
        kind = entity or "record"
        raise NotFoundError(
            f"there is no {kind} {named!r} in this store; name a record by its number or as "
            f"SOURCE:KEY (crmq export crosswalk lists them), a customer as {CUSTOMER}NUMBER"
        )
    if len(found) > 1:
        kinds = ", ".join(f"{one.record_id} ({one.entity})" for one in found)
        raise NotFoundError(
            f"{named!r} stands for several records: {kinds}; name one by its number"
        )
    return found[0]


def find_members(store: Store, text: str, entity: str | None = None) -> list[RecordReference]:
    """The live records of the customer that ``text`` names, or the one record.

    Args:
        store: The open store.
        text: ``entity:NUMBER`` for a customer; else as for `find_record`.
        entity: See `find_record`.

    Raises:
        NotFoundError: There is none.
    """
    if not text.strip().startswith(CUSTOMER):
        return [find_record(store, text, entity)]
    anchor = find_record(store, text.strip().removeprefix(CUSTOMER), entity)
    rows = store.rows(
        f"{_FIND} WHERE entity = ? AND entity_id = ? AND status = 'accepted' ORDER BY record_id",
        [anchor.entity, anchor.entity_id],
    )
    return [RecordReference(*row) for row in rows] or [anchor]
