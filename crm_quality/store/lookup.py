"""Records as people name them: by number, or by source and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from crm_quality.store.connection import Store


def find_record(store: Store, name: str | int, *, entity: str | None = None) -> tuple[str, int]:
    """The record that somebody named.

    Args:
        store: The open store.
        name: A record id, or ``source:key``.
        entity: Of this entity only; null = of any.

    Returns:
        Its entity and its record id.

    Raises:
        NotFoundError: There is no such record.
        UsageError: Several records have that source and key.
    """
    text = str(name).strip()
    if text.isdecimal() and len(text) <= len(str(2**63 - 1)) - 1:
        found = store.rows(
            "SELECT entity, record_id FROM landing.record"
            " WHERE record_id = ? AND entity = coalesce(?, entity)",
            [int(text), entity],
        )
    else:
        # either side may hold a colon itself
        found = store.rows(
            "SELECT entity, record_id FROM landing.record"
            " WHERE source || ':' || source_key = ? AND entity = coalesce(?, entity) ORDER BY ALL",
            [text, entity],
        )
    if not found:
        of = f"{entity} " if entity else ""
        raise NotFoundError(
            f"there is no {of}record {text!r}; name one by its record_id (12) or by its source "
            "and key (crm:0031), as `crmq quarantine list` shows them"
        )
    if len(found) > 1:
        listed = ", ".join(f"{kind} {number}" for kind, number in found)
        raise UsageError(f"{text!r} names several records: {listed}; name one by its record_id")
    kind, record_id = found[0]
    return kind, record_id
