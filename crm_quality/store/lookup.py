"""Records as people name them: by number, or by source and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import NotFoundError, UsageError
from crm_quality.store.suppression import digest_sql, secret_of, withdrawn_digested

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
        _mind_withdrawn(store, text)
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


def find_withdrawn(store: Store, text: str) -> tuple[int, int] | None:
    """The number of a record that an undone run had brought, and the run that undid it.

    Args:
        store: The open store.
        text: Its number, or ``source:key``; the key may be kept as a digest.

    Returns:
        Null when there is none of that name.
    """
    gone = store.rows(
        "SELECT record_id, withdrawn_run FROM landing.withdrawn_record"
        " WHERE record_id::VARCHAR = ? OR source || ':' || source_key = ? LIMIT 1",
        [text, text],
    )
    if not gone and ":" in text and withdrawn_digested(store):
        # either side may hold a colon itself
        parts = text.split(":")
        sides = [(":".join(parts[:n]), ":".join(parts[n:])) for n in range(1, len(parts))]
        asked = pl.DataFrame(sides, schema=["source", "source_key"], orient="row")
        with store.staged(asked, "keys_asked"):
            gone = store.connection.execute(
                "SELECT w.record_id, w.withdrawn_run FROM landing.withdrawn_record w"  # noqa: S608
                " JOIN keys_asked k ON w.source = k.source AND w.source_key ="
                f" {digest_sql('w.entity', 'k.source', 'k.source_key')} LIMIT 1",
                {"secret": secret_of(store)},
            ).fetchall()
    return gone[0] if gone else None


def _mind_withdrawn(store: Store, text: str) -> None:
    """Raise for a record that an undone run had brought.

    Raises:
        NotFoundError: It is one.
    """
    gone = find_withdrawn(store, text)
    if gone is not None:
        raise NotFoundError(
            f"record {gone[0]} was brought by a run that run {gone[1]} has undone; import "
            "its file again to have it back, under the same number"
        )
