"""The outbox: what workflows tell people, handed over once to whatever sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import RefusedError
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from crm_quality.store import Store

_LISTED = "FROM crm.notification{where} ORDER BY noted_at, notification_id, record_id"
_SENT = """
INSERT INTO crm.notification_sent BY NAME
SELECT workflow, entity, record_id, event, place, ? AS actor, ?::TIMESTAMP AS sent_at FROM taken
"""


def notifications(store: Store, *, everything: bool = False) -> pl.DataFrame:
    """What waits to be sent, the oldest first; with ``everything`` what was sent, too."""
    return store.frame(_LISTED.format(where="" if everything else " WHERE sent_at IS NULL"))


def send(store: Store, file: Path, *, actor: str, moment: datetime) -> int:
    """Add what waits to a file of JSON lines, and note it as sent.

    The lines are written before the note is: should the note fail, they come again, with the same
    ``notification_id``, so that a sender can tell.

    Args:
        store: Inside a transaction.
        file: Lines are added at its end; made if missing.
        actor: Who takes it.
        moment: When, UTC.

    Returns:
        How many.

    Raises:
        RefusedError: The file takes none; all wait on.
    """
    waiting = notifications(store)
    if waiting.is_empty():
        return 0
    noted = pl.col("noted_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = waiting.drop("sent_at", "sent_by").with_columns(noted).write_ndjson()
    try:
        with file.open("a", encoding="utf-8") as out:
            out.write(lines)
    except OSError as error:
        raise RefusedError(
            f"{file} cannot be written: {error.strerror or error}; nothing was taken"
        ) from error
    with store.staged(waiting, "taken"):
        store.execute(_SENT, [actor, moment])
    told = {"notifications": waiting.height, "ids": waiting["notification_id"].to_list()}
    record_event(store, "notification.sent", told, actor=actor, occurred_at=moment)
    return waiting.height
