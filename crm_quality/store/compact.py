"""Rewriting the store's file: DuckDB keeps the room of what was deleted, and this gives it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from crm_quality.errors import StoreError
from crm_quality.store.connection import open_store, quoted
from crm_quality.store.snapshots import replace, replacement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from crm_quality.store.connection import Store

_TABLES = """
SELECT schema_name, table_name FROM duckdb_tables()
WHERE database_name = ? AND NOT temporary ORDER BY ALL
"""
_VIEWS = """
SELECT schema_name, view_name FROM duckdb_views()
WHERE database_name = ? AND NOT internal AND NOT temporary ORDER BY ALL
"""


def rewrite(store: Store, seal: Callable[[Store], None]) -> tuple[int, int]:
    """Write the store into a new file without holes and put that in place, in one step.

    The file that was opened is no longer the store's afterwards: close it.

    Args:
        store: Open for writing, outside a transaction.
        seal: Called with the new store inside a transaction of its own, to note what was done.

    Returns:
        Bytes before and after.

    Raises:
        StoreError: There is no room, or a table did not arrive whole; the store is as before.
    """
    before = store.path.stat().st_size
    with replacement(store.path, before, "a rewritten store") as made:
        try:
            _write(store, made)
            with open_store(made) as new:
                with new.transaction():
                    seal(new)
                new.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise StoreError(
                f"{store.path} could not be rewritten and is as before: "
                f"{str(error).strip().splitlines()[0].replace(str(made), 'the new file')}"
            ) from error
        after = made.stat().st_size
        replace(made, store.path)
    return before, after


def _write(store: Store, made: Path) -> None:
    """Write the store into the new file ``made``."""
    store.execute("CHECKPOINT")
    own = str(store.value("SELECT current_database()"))
    name = str(made).replace("'", "''")
    store.execute(f"ATTACH '{name}' AS rewritten")
    store.execute(f"COPY FROM DATABASE {quoted(own)} TO rewritten")
    if _counted(store, own) != _counted(store, "rewritten"):
        raise StoreError(f"{store.path} was not rewritten whole and is as before")
    store.execute("DETACH rewritten")


def _counted(store: Store, database: str) -> dict[tuple[str, str], int | None]:
    """Tables with their rows, and views."""
    counted: dict[tuple[str, str], int | None] = {
        (schema, table): store.value(
            f"SELECT count(*) FROM {quoted(database)}.{quoted(schema)}.{quoted(table)}"  # noqa: S608
        )
        for schema, table in store.rows(_TABLES, [database])
    }
    return counted | dict.fromkeys(store.rows(_VIEWS, [database]))


def drop_raw_rows(store: Store, before: datetime) -> int:
    """Let go of the rows as they came of versions that count no more and arrived before ``before``.

    The versions stay, with their canonical values and hashes; so do rows in force and rows that
    wait.

    Args:
        store: Inside its transaction.
        before: UTC.

    Returns:
        How many rows were dropped.
    """
    dropped = 0
    for (table,) in store.rows(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'landing'"
        " AND ends_with(table_name, '_version') ORDER BY 1"
    ):
        versions = f"landing.{quoted(table)}"
        condition = """
            v.raw IS NOT NULL
            AND v.batch_id IN (SELECT batch_id FROM landing.batch WHERE received_at < $before)
            AND NOT EXISTS (FROM landing.record r WHERE r.current_version = v.version_id
                            AND r.record_id = v.record_id)
            AND NOT EXISTS (FROM quality.waiting w WHERE w.version_id = v.version_id
                            AND w.record_id = v.record_id)
        """
        found = store.named(
            f"SELECT count(*) AS n FROM {versions} v WHERE {condition}",  # noqa: S608
            {"before": before},
        )["n"][0]
        if found:
            store.connection.execute(
                f"UPDATE {versions} v SET raw = NULL WHERE {condition}",  # noqa: S608
                {"before": before},
            ).fetchall()
        dropped += found
    return dropped
