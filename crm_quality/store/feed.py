"""The change feed: what became of entities after a moment that a cursor names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import RefusedError, UsageError
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from crm_quality.store.connection import Store

_CURSOR = re.compile(r"(?P<run>\d+)(?:-(?P<seal>[0-9a-f]{12}))?")

#: Within one run, ids are made before they are told to have changed, merged or gone.
_ORDER = (
    "created", "changed", "split", "unmerged", "merged", "ended", "withdrawn", "erased",
)  # fmt: skip

#: Shape of the feed.
FEED = pl.Schema(
    [
        ("cursor", pl.String),
        ("run_id", pl.Int64),
        ("occurred_at", pl.Datetime("us")),
        ("entity", pl.String),
        ("kind", pl.String),
        ("entity_id", pl.Int64),
        ("former_id", pl.Int64),
        ("is_live", pl.Boolean),
        ("former_is_live", pl.Boolean),
        ("version", pl.Int64),
        ("golden", pl.String),
    ]
)


def cursor_now(store: Store) -> str:
    """The moment after the last run; ``0`` before the first."""
    last = store.value("SELECT max(run_id) FROM audit.run")
    return "0" if last is None else f"{last}-{_seal(store, last)}"


def run_of_cursor(store: Store, cursor: str) -> int:
    """The run after which a cursor stands.

    Args:
        store: The open store.
        cursor: As the feed gave it, or the number of a run; ``0`` = before the first.

    Raises:
        UsageError: It is neither.
        RefusedError: The store has another history than the one that gave the cursor.
    """
    found = _CURSOR.fullmatch(cursor.strip())
    if found is None:
        raise UsageError(
            f"{cursor!r} is no cursor; give one that the feed gave (12-0a1b2c3d4e5f), the number "
            "of a run, or 0 for everything"
        )
    run_id, seal = int(found["run"]), found["seal"]
    last = int(store.value("SELECT coalesce(max(run_id), 0) FROM audit.run"))
    if run_id > last or (seal is not None and run_id and _seal(store, run_id) != seal):
        raise RefusedError(
            f"the cursor {cursor} is not of this store's history, as after `crmq store restore`; "
            "what it was followed with cannot be brought up to date by changes alone: take the "
            "feed with --since 0, and delete what it does not name"
        )
    return run_id


def changes_since(store: Store, run_id: int, entities: list[str]) -> pl.DataFrame:
    """What runs after ``run_id`` did to entities, with the golden records as they are now.

    Args:
        store: The open store.
        run_id: 0 = all runs.
        entities: Entities that have golden records.

    Returns:
        Frame of `FEED`, in order. ``kind``: created, changed, merged (``former_id`` went into
        ``entity_id``), split and unmerged (``entity_id`` has left ``former_id``), ended (no record
        of it is in force any more), withdrawn (the run that made it was undone), erased.
        ``is_live`` and ``former_is_live``: there is such a golden record now (null = there is no
        former id). ``version`` and ``golden`` (JSON of its fields) where ``entity_id`` is live.
        ``cursor`` is the moment after the row's run.
    """
    parts = [FEED.to_frame()]
    seals = dict(
        store.rows(
            "SELECT run_id, run_id || '-' || left(arg_min(hash, event_id), 12) FROM audit.event"
            " WHERE run_id > ? GROUP BY run_id",
            [run_id],
        )
    )
    for entity in entities:
        golden = f"crm.{quoted(entity)}"
        found = store.frame(
            f"""
            WITH change AS (
                SELECT * FROM audit.change WHERE run_id > ? AND entity = ?
            ), named AS (
                SELECT g.entity_id, g.version, to_json(g) AS golden
                FROM (SELECT * EXCLUDE (run_id) FROM {golden}
                      WHERE entity_id IN (SELECT entity_id FROM change)) g
            )
            SELECT c.run_id, a.finished_at AS occurred_at, c.entity,
                   CASE WHEN c.kind = 'split' AND EXISTS (
                            FROM matching.act t WHERE t.kind = 'unmerge' AND t.run_id = c.run_id
                             AND t.entity = c.entity AND t.entity_id = c.former_id)
                        THEN 'unmerged' ELSE c.kind END AS kind,
                   c.entity_id, c.former_id, g.entity_id IS NOT NULL AS is_live,
                   CASE WHEN c.former_id IS NOT NULL THEN
                        c.former_id IN (SELECT entity_id FROM {golden}) END AS former_is_live,
                   g.version, g.golden::VARCHAR AS golden
            FROM change c JOIN audit.run a USING (run_id) LEFT JOIN named g USING (entity_id)
            """,  # noqa: S608 - the name is quoted
            [run_id, entity],
        )
        cursor = pl.col("run_id").replace_strict(seals, default=None, return_dtype=pl.String)
        parts.append(found.with_columns(cursor.alias("cursor")).select(FEED.names()))
    place = pl.col("kind").replace_strict(
        {kind: place for place, kind in enumerate(_ORDER)}, default=len(_ORDER)
    )
    return pl.concat(parts).sort("run_id", "entity", place, "entity_id", "former_id")


def _seal(store: Store, run_id: int) -> str:
    """What tells this history of the store from another with the same numbers."""
    sealed = store.value(
        "SELECT left(arg_min(hash, event_id), 12) FROM audit.event WHERE run_id = ?", [run_id]
    )
    return str(sealed or "")
