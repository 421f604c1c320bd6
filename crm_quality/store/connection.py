"""Opening the store: who holds it, its migrations, its transactions, frames in and out."""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from crm_quality.duck import connect
from crm_quality.errors import StoreError, StoreInUseError
from crm_quality.store.migrate import migrate, migrations, pending
from crm_quality.store.snapshots import BACKUPS, back_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_RETRY_SECONDS = 0.2
_LOG = logging.getLogger(__name__)


def quoted(identifier: str) -> str:
    """``identifier`` as SQL takes it, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'


class Store:
    """An open store.

    Attributes:
        path: The DuckDB file.
        connection: The connection that holds it.
    """

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.connection = connection
        self._when_committed: list[Callable[[], None]] = []

    def frame(self, query: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The result of ``query`` as a frame; times are UTC without a zone."""
        relation = self.connection.sql(query, params=list(parameters))
        if relation is None:
            raise StoreError(f"not a query: {query}")
        return pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))

    def named(self, query: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """As `frame`, for a query whose parameters have names (``$entity``)."""
        relation = self.connection.sql(query, params=dict(parameters))
        if relation is None:
            raise StoreError(f"not a query: {query}")
        return pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The result of ``query`` as tuples, all of them fetched."""
        return self.connection.execute(query, list(parameters)).fetchall()

    def value(self, query: str, parameters: Sequence[object] = ()) -> Any:  # noqa: ANN401 - any cell
        """The first cell of the result; null when there is no row."""
        rows = self.rows(query, parameters)
        return rows[0][0] if rows else None

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement that returns nothing."""
        self.connection.execute(statement, list(parameters)).fetchall()

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Append ``frame`` to ``table`` (``schema.table``), column by column name.

        Columns of the table that the frame lacks become null; times with a zone are stored as UTC.
        """
        if frame.is_empty():
            return
        with self.staged(frame) as name:
            # table is a constant of this package or comes from a checked entity name
            self.execute(f"INSERT INTO {table} BY NAME SELECT * FROM {name}")  # noqa: S608

    @contextmanager
    def staged(self, frame: pl.DataFrame, name: str = "staged") -> Iterator[str]:
        """Let SQL read ``frame`` under ``name`` for the time of the block."""
        arrow = _without_zones(frame).to_arrow(compat_level=pl.CompatLevel.newest())
        self.connection.register(name, arrow)
        try:
            yield name
        finally:
            self.connection.unregister(name)

    def next_id(self, column: str, table: str) -> int:
        """One more than the greatest ``column`` of ``table``; 1 for an empty table."""
        greatest = self.value(f"SELECT max({quoted(column)}) FROM {table}")  # noqa: S608
        return 1 + int(greatest or 0)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commit at the end of the block, roll back on any error."""
        self.execute("BEGIN TRANSACTION")
        self._when_committed = []
        try:
            yield
            self.execute("COMMIT")
        except BaseException as error:
            self._when_committed = []
            self._roll_back()
            if isinstance(error, duckdb.Error):
                raise StoreError(
                    f"{self.path} could not be written and is as before: {_first_line(error)}"
                ) from error
            raise
        for action in self._when_committed:
            action()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """A transaction that is taken back at the end of the block, whatever happens in it.

        What was to be done when it commits is not done.
        """
        self.execute("BEGIN TRANSACTION")
        self._when_committed = []
        try:
            yield
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {_first_line(error)}") from error
        finally:
            self._when_committed = []
            self._roll_back()

    def when_committed(self, action: Callable[[], None]) -> None:
        """Do ``action`` after the transaction under way has been committed, else not at all."""
        self._when_committed.append(action)

    def _roll_back(self) -> None:
        try:
            self.execute("ROLLBACK")
        except duckdb.Error:
            # DuckDB has rolled back by itself, as it does when COMMIT fails
            return


def _without_zones(frame: pl.DataFrame) -> pl.DataFrame:
    zoned = [
        pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    ]
    return frame.with_columns(zoned) if zoned else frame


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]


@contextmanager
def open_store(
    path: Path,
    *,
    wait: float = 0.0,
    create: bool = False,
    read_only: bool = False,
    keep_former: bool = True,
) -> Iterator[Store]:
    """Hold the store for the time of the block; nobody else can open it meanwhile.

    A store of an earlier version is upgraded. Before that a backup of it goes into ``backups/``
    beside it, and a warning is logged that says so.

    Args:
        path: The DuckDB file.
        wait: Seconds to wait for another process to let go of it.
        create: Make the file if it is missing.
        read_only: Nothing will be written; the store must be of this version already.
        keep_former: Back up a store of an earlier version before it is upgraded.

    Yields:
        The open store, migrated to this version.

    Raises:
        StoreInUseError: Another process holds it; its pid is in the message.
        StoreError: It is missing, no DuckDB file, not writable or of a later version.
    """
    if not create and not path.exists():
        raise StoreError(f"{path} does not exist; run `crmq init` to make a project")
    connection = _connect(path, wait, read_only=read_only)
    try:
        store = Store(path, connection)
        if not read_only:
            _upgrade(store, keep_former=keep_former)
        yield store
    finally:
        connection.close()


@contextmanager
def hold_file(path: Path, *, wait: float = 0.0) -> Iterator[Store | None]:
    """Keep everybody else from the store's file, whatever its version, while it is replaced.

    Args:
        path: The DuckDB file.
        wait: Seconds to wait for another process to let go of it.

    Yields:
        The store with nothing left in its log; null when it is missing or cannot be read.

    Raises:
        StoreInUseError: Another process holds it.
    """
    try:
        connection = _connect(path, wait, read_only=False) if path.exists() else None
    except StoreInUseError:
        raise
    except StoreError:
        connection = None
    if connection is None:
        yield None
        return
    try:
        connection.execute("CHECKPOINT").fetchall()
        yield Store(path, connection)
    finally:
        connection.close()


def _upgrade(store: Store, *, keep_former: bool) -> None:
    """Make a store of an earlier version one of this, or leave it as it was."""
    missing = pending(store.connection, store.path)
    if not missing:
        return
    if not keep_former or len(missing) == len(migrations()):
        migrate(store.connection, store.path, missing)
        return
    kept = back_up(store, store.path.parent / BACKUPS, "before-upgrade")
    try:
        migrate(store.connection, store.path, missing)
    except BaseException:
        kept.file.unlink(missing_ok=True)
        raise
    _LOG.warning(
        "%s was of an earlier version and has been upgraded; it is kept as it was in %s",
        store.path,
        kept.file,
    )


def _connect(path: Path, wait: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait
    while True:
        before = _identity(path)
        try:
            connection = connect(path, read_only=read_only)
        except duckdb.IOException as error:
            message = _first_line(error)
            if "lock" not in message.lower():
                raise StoreError(f"{path} cannot be opened: {message}") from error
            if time.monotonic() >= deadline:
                raise _in_use(path, message) from error
            time.sleep(_RETRY_SECONDS)
        except duckdb.Error as error:
            raise StoreError(f"{path} cannot be opened: {_first_line(error)}") from error
        else:
            if before in {None, _identity(path)}:
                return connection
            connection.close()  # another file was put in its place meanwhile


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever it is called; null when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _in_use(path: Path, message: str) -> StoreInUseError:
    found = re.search(r"PID (\d+)", message)
    pid = int(found[1]) if found else None
    holder = f"process {pid}" if pid else "another process"
    return StoreInUseError(
        f"{path} is in use by {holder}; wait for it to finish, or add --wait SECONDS", pid
    )
