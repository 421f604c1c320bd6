"""Looking after the store: backup, restore, compaction, verification, the published copy."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from crm_quality.engine.match_cache import MatchCache
from crm_quality.errors import NotFoundError, StoreError, UsageError
from crm_quality.store import open_store
from crm_quality.store.compact import drop_raw_rows, rewrite
from crm_quality.store.connection import hold_file
from crm_quality.store.export import EXPORTS
from crm_quality.store.invariants import violations
from crm_quality.store.snapshots import (
    Backup,
    back_up,
    backups_in,
    copy_file,
    copy_store,
    new_name,
    replace,
    replacement,
    require_room,
    rotate,
    set_aside,
)
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from crm_quality.engine.project import Project
    from crm_quality.store import Store

#: The copy that readers open without holding up a run.
PUBLISHED_FILE = "store.published.duckdb"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verified:
    """Whether everything is true that must be true of a store.

    Attributes:
        checks: ``check``, ``says`` (the sentence that should be true), ``violations`` (how often
            it is not) and ``examples`` (ids of some such cases); one row per check.
    """

    checks: pl.DataFrame

    @property
    def wrong(self) -> pl.DataFrame:
        """The checks that failed."""
        return self.checks.filter(pl.col("violations") > 0)

    @property
    def is_whole(self) -> bool:
        """Nothing is wrong."""
        return self.wrong.is_empty()


@dataclass(frozen=True)
class Restored:
    """A backup that has taken the place of the store.

    Attributes:
        file: The backup.
        run_id: The last run that the store holds now; 0 = none.
        kept: The store that was there before, under its new name; null = there was none.
    """

    file: Path
    run_id: int
    kept: Path | None


@dataclass(frozen=True)
class Compacted:
    """A store written anew.

    Attributes:
        size_before: Bytes.
        size_after: Bytes.
        raw_rows_dropped: Rows as they came that retention let go of.
    """

    size_before: int
    size_after: int
    raw_rows_dropped: int


class Upkeep:
    """The store of a project as a file; see `Project.upkeep`."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def backup_folder(self) -> Path:
        """Where backups go, as crmq.yml says."""
        return self._project.folder / self._project.config.backups.folder

    @property
    def published_path(self) -> Path:
        """The copy for readers that must not wait."""
        return self._project.folder / PUBLISHED_FILE

    def backup(self, folder: str | Path | None = None) -> Backup:
        """Copy the store as it is; the copy has been opened and compared before it has its name.

        Args:
            folder: Made if missing; null = as crmq.yml says, else ``backups/`` of the project.

        Raises:
            StoreError: There is no room, or the folder cannot be written.
        """
        with self._project.store() as store:
            return back_up(store, self.backup_folder if folder is None else Path(folder))

    def backups(self, folder: str | Path | None = None) -> list[Backup]:
        """The backups there are, the newest first."""
        return backups_in(self.backup_folder if folder is None else Path(folder))

    def restore(self, file: str | Path, *, reason: str) -> Restored:
        """Put a backup in the place of the store, and keep the store that is there now.

        The backup is copied, upgraded if it is of an earlier version, and verified before anything
        changes. What matching knows of a later state of the store is forgotten.

        Args:
            file: The backup.
            reason: Why, for the audit trail of the restored store.

        Raises:
            NotFoundError: There is no such file.
            StoreError: It is no whole store, or there is no room; the store is as before.
            UsageError: No reason was given.
        """
        file, path = Path(file), self._project.store_path
        if not reason.strip():
            raise UsageError("say why with --reason: it goes into the audit trail")
        if not file.is_file():
            raise NotFoundError(f"there is no backup {file}; see crmq store list")
        if path.exists() and file.samefile(path):
            raise UsageError(f"{file} is the store itself")
        with replacement(path, file.stat().st_size, "a restored store") as made:
            copy_file(file, made)
            run_id, tokens = self._made_ready(made, file, reason)
            with hold_file(path, wait=self._project.wait) as present:
                kept = self._kept_aside(path, present)
                replace(made, path)
        MatchCache(path.parent / "cache").keep_only(tokens)
        self._published_again()
        return Restored(file, run_id, kept)

    def compact(self) -> Compacted:
        """Write the store into a new file without holes, and let go of what retention says.

        Raises:
            StoreError: There is no room for a second copy; the store is as before.
        """
        days = self._project.config.retention.days
        with self._project.store() as store:
            size = store.path.stat().st_size
            require_room(store.path.parent, size, "rewriting the store")
            dropped = 0 if days is None else self._let_go(store, days)
            before, after = rewrite(
                store, lambda new: self._note(new, "store.compacted", {"bytes_before": size})
            )
        return Compacted(before, after, dropped)

    def verify(self) -> Verified:
        """Check the audit trail and everything that must be true of a store."""
        with self._project.store() as store:
            return Verified(violations(store))

    def publish(self) -> Path:
        """Make ``store.published.duckdb`` anew, in one step; who has it open keeps the old one.

        It holds what the store holds, and every export as a view of the schema ``bi``.
        """
        with self._project.store() as store:
            self._publish(store)
        return self.published_path

    def published_after(self, store: Store) -> None:
        """Publish what a command has committed; that it cannot is no failure of the command."""
        try:
            self._publish(store)
        except StoreError as error:
            _LOG.warning(
                "%s is not renewed: %s. `crmq store publish` makes it again",
                self.published_path,
                error,
            )

    def _publish(self, store: Store) -> None:
        copy_store(
            store, self.published_path, {name: query for name, (_, query) in EXPORTS.items()}
        )

    def before_run(self, store: Store) -> Backup | None:
        """Take the backup that crmq.yml asks for, and delete the oldest; null = none is asked for.

        Raises:
            StoreError: It cannot be taken, so the run must not begin.
        """
        asked = self._project.config.backups
        if not asked.before_runs:
            return None
        made = back_up(store, self.backup_folder, "before-run")
        rotate(self.backup_folder, asked.keep)
        return made

    def info(self) -> dict[str, Any]:
        """What the store is: size, room in it that is free, counts, versions, copies."""
        with self._project.store() as store:
            blocks = store.frame("SELECT * FROM pragma_database_size()").row(0, named=True)
            counts = {
                f"{schema}.{table}": store.value(
                    f'SELECT count(*) FROM "{schema}"."{table}"'  # noqa: S608 - from the catalogue
                )
                for schema, table in store.rows(
                    "SELECT schema_name, table_name FROM duckdb_tables()"
                    " WHERE schema_name <> 'main' ORDER BY ALL"
                )
            }
            last = store.frame(
                "SELECT run_id, finished_at, command, actor FROM audit.run"
                " ORDER BY run_id DESC LIMIT 1"
            ).to_dicts()
            migration = store.value("SELECT max(number) FROM main.migration")
        path, published = self._project.store_path, self.published_path
        return {
            "file": str(path),
            "bytes": path.stat().st_size,
            "bytes_free_within": int(blocks["free_blocks"]) * int(blocks["block_size"]),
            "migration": migration,
            "last_run": last[0] if last else None,
            "published": str(published) if published.exists() else None,
            "backups": len(self.backups()),
            "rows": {table: rows for table, rows in counts.items() if rows},
        }

    def _let_go(self, store: Store, days: int) -> int:
        """Drop the rows that retention does not keep; how many."""
        before = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
        with store.transaction():
            dropped = drop_raw_rows(store, before)
            if dropped:
                self._note(store, "store.rows_dropped", {"rows": dropped, "older_than_days": days})
        return dropped

    def _note(self, store: Store, kind: str, payload: dict[str, object]) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        record_event(store, kind, payload, actor=self._project.actor, occurred_at=now)

    def _made_ready(self, made: Path, file: Path, reason: str) -> tuple[int, dict[str, str]]:
        """Upgrade and verify the copy of a backup; its last run and its states of matching."""
        try:
            with open_store(made, keep_former=False) as store:
                _refuse_what_is_wrong(Verified(violations(store)))
                with store.transaction():
                    self._note(store, "store.restored", {"file": file.name, "reason": reason})
                store.execute("CHECKPOINT")
                run_id = int(store.value("SELECT coalesce(max(run_id), 0) FROM audit.run"))
                tokens = dict(store.rows("SELECT entity, token FROM matching.state"))
        except StoreError as error:
            told = str(error).replace(str(made), file.name)
            raise StoreError(
                f"{file} cannot be restored, and nothing was changed: {told}"
            ) from error
        return run_id, tokens

    def _kept_aside(self, path: Path, present: Store | None) -> Path | None:
        if not path.exists():
            return None
        run_id = 0
        if present is not None:
            with suppress(duckdb.Error):  # a DuckDB file, but no store
                run_id = int(present.value("SELECT coalesce(max(run_id), 0) FROM audit.run"))
        kept = new_name(self.backup_folder, run_id, "before-restore").file
        set_aside(path, kept)
        return kept

    def _published_again(self) -> None:
        if self._project.config.publish:
            with self._project.store() as store:
                self.published_after(store)


def _refuse_what_is_wrong(verified: Verified) -> None:
    if not verified.is_whole:
        raise StoreError(
            f"it fails {', '.join(verified.wrong['check'])}; in a project of its own, "
            "crmq store verify says more"
        )


__all__ = ["Backup", "Compacted", "Restored", "Upkeep", "Verified"]
