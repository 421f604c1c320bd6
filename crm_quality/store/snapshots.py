"""Copies of the store's file: made whole or not at all, put in place in one step."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb

from crm_quality.duck import connect
from crm_quality.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from crm_quality.store.connection import Store

#: Folder of backups beside the store, where crmq.yml names no other.
BACKUPS = "backups"

_NAME = re.compile(
    r"store-(?P<taken>\d{8}T\d{6}Z)-run(?P<run>\d+)(?:-(?P<why>[a-z-]+))?(?:-\d+)?\.duckdb"
)
_MOMENT = "%Y%m%dT%H%M%SZ"
_PARTIAL = ".partial"
_WRITER = re.compile(r"\.(\d+)-[0-9a-f]{32}\.partial")
# Closing any handle on a file ends every POSIX lock that the process holds on it, DuckDB's among
# them; so another process reads the file.
_COPY = """
import os, shutil, sys
try:
    shutil.copyfile(sys.argv[1], sys.argv[2])
    handle = os.open(sys.argv[2], os.O_RDWR)
    os.fsync(handle)
except OSError as error:
    sys.exit(error.strerror or str(error))
"""


@dataclass(frozen=True)
class Backup:
    """A copy of the store's file.

    Attributes:
        file: Where it is.
        taken_at: When it was made, UTC.
        run_id: The last run that it holds; 0 = none.
        why: ``before-run``, ``before-upgrade``, ``before-restore``; empty = it was asked for.
        size: Bytes.
    """

    file: Path
    taken_at: datetime
    run_id: int
    why: str
    size: int


def backups_in(folder: Path) -> list[Backup]:
    """The backups of a folder, the newest first; a folder that is missing has none."""
    found = []
    for file in folder.glob("store-*.duckdb"):
        name = _NAME.fullmatch(file.name)
        if name is not None:
            taken = datetime.strptime(name["taken"], _MOMENT)  # noqa: DTZ007 - UTC as in the store
            size = file.stat().st_size
            found.append(Backup(file, taken, int(name["run"]), name["why"] or "", size))
    return sorted(found, key=lambda backup: (backup.taken_at, backup.file.name), reverse=True)


def new_name(folder: Path, run_id: int, why: str = "") -> Backup:
    """What a backup made now is called; its size is 0 until it is made."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    stem = f"store-{now.strftime(_MOMENT)}-run{run_id}" + (f"-{why}" if why else "")
    file, again = folder / f"{stem}.duckdb", 1
    while file.exists():
        again += 1
        file = folder / f"{stem}-{again}.duckdb"
    return Backup(file, now, run_id, why, 0)


def back_up(store: Store, folder: Path, why: str = "") -> Backup:
    """Copy the store as it is into ``folder``; the copy has its name only when it is whole.

    Args:
        store: Open for writing, outside a transaction: nobody else can change it meanwhile.
        folder: Made if missing.
        why: See `Backup`; it becomes a part of the name.

    Raises:
        StoreError: There is no room, or the folder cannot be written; nothing was left behind.
    """
    run_id = int(store.value("SELECT coalesce(max(run_id), 0) FROM audit.run"))
    backup = new_name(folder, run_id, why)
    copy_store(store, backup.file)
    return dataclasses.replace(backup, size=backup.file.stat().st_size)


def rotate(folder: Path, keep: int, why: str = "before-run") -> list[Backup]:
    """Delete all but the newest ``keep`` backups that were made for ``why``.

    Returns:
        What was deleted.
    """
    old = [backup for backup in backups_in(folder) if backup.why == why][keep:]
    for backup in old:
        backup.file.unlink(missing_ok=True)
    return old


def set_aside(path: Path, kept: Path) -> None:
    """Give the file at ``path`` a second name, or a copy where the disk cannot do that.

    Its log goes with it: it must not be applied to another file.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, kept)
    except OSError:
        copy_file(path, kept)
    log = path.with_name(f"{path.name}.wal")
    if log.exists():
        log.replace(kept.with_name(f"{kept.name}.wal"))


def copy_store(store: Store, target: Path, views: Mapping[str, str] | None = None) -> None:
    """Put a copy of the store as it is in place of ``target``, in one step.

    Args:
        store: Open for writing, outside a transaction.
        target: The file to make or to replace; its folder is made if missing.
        views: Name → query, of views that the copy has in a schema ``bi``.

    Raises:
        StoreError: It cannot be done; ``target`` is as it was.
    """
    try:
        store.execute("CHECKPOINT")
    except duckdb.Error as error:
        raise StoreError(f"{store.path} cannot be written: {error}") from error
    with replacement(target, store.path.stat().st_size, "a copy of the store") as made:
        copy_file(store.path, made)
        if views:
            _add_views(made, views)
        _check_copy(store, made)
        replace(made, target)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file that this process may have open, and see it safely on the disk.

    Raises:
        StoreError: It cannot be read or written.
    """
    command = [sys.executable, "-I", "-S", "-c", _COPY, str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise StoreError(f"{target.parent} takes no copy of {source.name}: {_last_line(done)}")


@contextmanager
def replacement(target: Path, size: int, what: str) -> Iterator[Path]:
    """A hidden name beside ``target`` to write its new content under; removed at the end.

    Args:
        target: The file that is to be made or replaced.
        size: Bytes that the new content will have, about.
        what: What messages call it.

    Raises:
        StoreError: The folder cannot be written, or has no room; nothing was changed.
    """
    made = target.parent / f".{target.name}.{os.getpid()}-{uuid4().hex}{_PARTIAL}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_up(target.parent)
        require_room(target.parent, size, what)
        yield made
    except OSError as error:
        raise StoreError(
            f"{target.parent} takes no {what.removeprefix('a ')}: {error.strerror or error}; "
            "nothing was changed"
        ) from error
    finally:
        with suppress(OSError):  # the folder is none, or takes nothing
            made.unlink(missing_ok=True)
            made.with_name(f"{made.name}.wal").unlink(missing_ok=True)


def _clear_up(folder: Path) -> None:
    """Delete what processes that were killed have left half written."""
    for left in folder.glob(f".store*{_PARTIAL}*"):
        writer = _WRITER.search(left.name)
        if writer is not None and not _is_alive(int(writer[1])):
            left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True


def replace(new: Path, target: Path) -> None:
    """Give ``new`` the name of ``target``, whose content is gone then; lasting."""
    new.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_room(folder: Path, size: int, what: str) -> None:
    """Refuse work for which the disk has no room.

    Raises:
        StoreError: Fewer than ``size`` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise StoreError(
            f"{folder} has {_megabytes(free)} free, and {what} needs about {_megabytes(size)}; "
            "nothing was changed: make room, or move the project to a larger disk"
        )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def _add_views(copy: Path, views: Mapping[str, str]) -> None:
    with connect(copy) as opened:
        opened.execute("CREATE SCHEMA IF NOT EXISTS bi").fetchall()
        for name, query in views.items():
            opened.execute(f'CREATE OR REPLACE VIEW bi."{name}" AS {query}').fetchall()


def _check_copy(store: Store, copy: Path) -> None:
    """The copy opens, and holds the last event of the store."""
    last = "SELECT event_id, hash FROM audit.event ORDER BY event_id DESC LIMIT 1"
    try:
        with connect(copy, read_only=True) as opened:
            found = opened.execute(last).fetchall()
    except duckdb.Error as error:
        raise StoreError(f"the copy in {copy.parent} cannot be read: {error}") from error
    if found != store.rows(last):
        raise StoreError(f"the copy in {copy.parent} is not the store as it is; nothing was kept")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"the copy ended with {done.returncode}"
