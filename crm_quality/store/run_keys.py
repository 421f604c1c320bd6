"""Keys that a scheduler gives its runs, so that the same run is done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from crm_quality.store.connection import Store


def run_of_key(store: Store, run_key: str) -> tuple[int, datetime, str] | None:
    """The run that was first given ``run_key``: its id, when it ended (UTC), its summary as JSON.

    Null when the key is new, and when the run was undone or is no longer on record.
    """
    found = store.rows(
        "SELECT r.run_id, r.finished_at, r.summary::VARCHAR FROM audit.run_key k"
        " JOIN audit.run r USING (run_id) WHERE k.run_key = ?"
        " AND r.undone_run IS NULL ORDER BY r.run_id LIMIT 1",
        [run_key],
    )
    return found[0] if found else None


def keep_run_key(store: Store, run_key: str, run_id: int) -> None:
    """Note inside the run's transaction that it was given ``run_key``."""
    store.execute("INSERT INTO audit.run_key VALUES (?, ?)", [run_key, run_id])


def last_change(store: Store) -> tuple[int | None, int | None]:
    """The last run that changed anything, and the last event that is not of a run."""
    return (
        store.value("SELECT max(run_id) FROM audit.run WHERE changed"),
        store.value("SELECT max(event_id) FROM audit.event WHERE kind <> 'run.committed'"),
    )
