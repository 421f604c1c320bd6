"""What runs did to customers: the rows of ``audit.change`` and ``audit.move``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def entities_changed(store: Store, entity: str, run_id: int) -> set[int]:
    """Ids of customers that a run made, changed, merged or split."""
    rows = store.rows(
        "SELECT DISTINCT entity_id FROM audit.change WHERE entity = ? AND run_id = ?",
        [entity, run_id],
    )
    return {entity_id for (entity_id,) in rows}


def id_changes(store: Store, run_id: int) -> pl.DataFrame:
    """Merges and splits of a run.

    Returns:
        ``entity``, ``kind`` (merged, split), ``entity_id`` (as it is now), ``former_id`` (merged:
        the id that went into it; split: where it came from).
    """
    return store.frame(
        "SELECT entity, kind, entity_id, former_id FROM audit.change"
        " WHERE run_id = ? AND kind IN ('merged', 'split') ORDER BY ALL",
        [run_id],
    )


def records_by_status(store: Store) -> pl.DataFrame:
    """``entity``, ``status`` (accepted, quarantined, ended), ``records`` of the whole store."""
    return store.frame(
        "SELECT entity, status, count(*) AS records FROM crm.crosswalk GROUP BY ALL ORDER BY ALL"
    )


def records_ended(store: Store, run_id: int) -> int:
    """How many accepted records a run has ended."""
    found: int = store.value(
        "SELECT count(*) FROM landing.record WHERE ended_run = ? AND accepted_no IS NOT NULL",
        [run_id],
    )
    return found


def call_unmerged(store: Store, entity: str, run_id: int) -> None:
    """Say of the customers that a run parted that a merge was taken back."""
    store.execute(
        "UPDATE audit.change SET kind = 'unmerged'"
        " WHERE run_id = ? AND entity = ? AND kind = 'split'",
        [run_id, entity],
    )
