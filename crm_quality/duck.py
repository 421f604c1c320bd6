"""Connections to DuckDB that keep quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path


def connect(
    database: str | Path = ":memory:", *, read_only: bool = False, closed: bool = False
) -> duckdb.DuckDBPyConnection:
    """Connect to a database file, or to a new one in memory.

    DuckDB draws a progress bar on standard output when it thinks that a person is watching, which
    would spoil the data that commands print there.

    Args:
        database: The file.
        read_only: Nothing will be written.
        closed: Let queries reach no file and no network.
    """
    config: dict[str, str | bool | int | float | list[str]] = {}
    if closed:
        config["enable_external_access"] = "false"
    connection = duckdb.connect(str(database), read_only=read_only, config=config)
    connection.execute("SET enable_progress_bar = false").fetchall()
    return connection
