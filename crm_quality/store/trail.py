"""The audit trail: append-only events, each sealed by a hash over the one before it."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from crm_quality.store.connection import Store

_START = "0" * 64


def record_event(
    store: Store,
    kind: str,
    payload: Mapping[str, object],
    *,
    actor: str,
    occurred_at: datetime,
    run_id: int | None = None,
) -> int:
    """Append one event; call it inside the transaction whose work it tells of.

    The hash covers a salted digest of the payload instead of the payload, so that a person's data
    can be taken out of it later without breaking the chain.

    Returns:
        The event's id.
    """
    last = store.rows("SELECT event_id, hash FROM audit.event ORDER BY event_id DESC LIMIT 1")
    event_id, previous = (last[0][0] + 1, last[0][1]) if last else (1, _START)
    salt = secrets.token_hex(16)
    text = json.dumps(payload, sort_keys=True, default=str)
    digest = _sha256(salt, text)
    sealed = _seal(previous, digest, event_id, kind, actor, occurred_at)
    store.execute(
        "INSERT INTO audit.event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [event_id, run_id, occurred_at, actor, kind, text, salt, digest, previous, sealed],
    )
    return event_id


def verify_trail(store: Store) -> list[str]:
    """Check every link of the chain.

    Returns:
        What is wrong, one sentence per broken event; empty when the trail is whole. An event whose
        payload was erased (null) is checked by its digest alone.
    """
    wrong = []
    previous = _START
    events = store.rows(
        "SELECT event_id, kind, actor, occurred_at, payload, salt, payload_digest, previous_hash,"
        " hash FROM audit.event ORDER BY event_id"
    )
    for number, event in enumerate(events, start=1):
        event_id, kind, actor, occurred_at, payload, salt, digest, claimed, sealed = event
        if event_id != number:
            wrong.append(f"event {number} is missing before event {event_id}")
        if payload is not None and _sha256(salt, payload) != digest:
            wrong.append(f"the payload of event {event_id} was changed")
        expected = _seal(previous, digest, event_id, kind, actor, occurred_at)
        if claimed != previous or sealed != expected:
            wrong.append(f"event {event_id} does not follow from the one before it")
        previous = sealed
    return wrong


def _seal(
    previous: str, digest: str, event_id: int, kind: str, actor: str, occurred_at: datetime
) -> str:
    return _sha256(previous, digest, str(event_id), kind, actor, occurred_at.isoformat())


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
