"""Numbered SQL migrations: a store of any release becomes one of this, or stays as it was."""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb

from crm_quality.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MADE = """
CREATE TABLE IF NOT EXISTS main.migration (
    number BIGINT NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
)
"""


def migrations() -> list[tuple[int, str, str]]:
    """Every migration of this version as (number, name, SQL), in order."""
    found = []
    for file in files("crm_quality.store").joinpath("migrations").iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql") and number.isdigit():
            found.append((int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found)


def pending(connection: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[int, str, str]]:
    """The migrations that a store lacks, in order; a new file lacks all of them.

    Raises:
        StoreError: The store comes from a later version, or is no store.
    """
    tables = {
        f"{schema}.{table}"
        for schema, table in connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables()"
        ).fetchall()
    }
    if tables and "main.migration" not in tables:
        raise StoreError(f"{path} is a DuckDB file, but not a crm-quality store; use another name")
    done = 0
    if tables:
        done = connection.execute("SELECT max(number) FROM main.migration").fetchall()[0][0] or 0
    known = migrations()
    if done > known[-1][0]:
        raise StoreError(
            f"{path} was written by a later version (migration {done}, this one knows "
            f"{known[-1][0]}); upgrade crm-quality"
        )
    return [entry for entry in known if entry[0] > done]


def migrate(
    connection: duckdb.DuckDBPyConnection, path: Path, missing: Sequence[tuple[int, str, str]]
) -> None:
    """Apply migrations, all of them in one transaction.

    Args:
        connection: To the store.
        path: Its file, for messages.
        missing: As `pending` gives them.

    Raises:
        StoreError: One failed; the store is as it was.
    """
    try:
        connection.execute("BEGIN TRANSACTION")
        connection.execute(_MADE)
        for number, name, script in missing:
            connection.execute(script)
            connection.execute(
                "INSERT INTO main.migration VALUES (?, ?, current_localtimestamp())", [number, name]
            )
        connection.execute("COMMIT")
    except duckdb.Error as error:
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")  # DuckDB does so by itself where COMMIT fails
        raise StoreError(f"{path} could not be upgraded and is as it was: {error}") from error
