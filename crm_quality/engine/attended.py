"""A run that tells its operator how it ended, is done once, and does not start without room."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from crm_quality.engine.check import Run
from crm_quality.engine.outcome import RunOutcome
from crm_quality.engine.summary import Summary
from crm_quality.errors import LimitError
from crm_quality.store.run_keys import run_of_key
from crm_quality.store.snapshots import require_room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from crm_quality.engine.project import Project
    from crm_quality.store import Store

#: Beside the store: how the last run ended.
LAST_RUN_FILE = "last_run.json"

#: A store grows by so many times the size of a CSV, its working files included.
_GROWTH = 4
#: Columns in files are so much smaller than the same in a CSV.
_PACKED = 4
_PACKED_KINDS = {".parquet", ".xlsx"}


class Attended:
    """One run of a project, from before its files are read; a context manager.

    ``last_run.json`` has ``schema_version``, ``status`` (``running``, ``ok``, ``failed``,
    ``stopped`` by a limit), ``command``, ``run_key``, ``pid``, ``started_at``, ``finished_at``
    (UTC), ``run_id``, ``summary`` (as ``crmq run --format json`` prints it) and ``error``
    (``kind``, ``message``). It is replaced in one step. A run that was killed leaves ``running``
    with a process id that is no more.
    """

    def __init__(self, project: Project, command: str, run_key: str | None = None) -> None:
        self._project, self._run_key = project, run_key
        self._told: dict[str, Any] = {
            "schema_version": 1,
            "status": "running",
            "command": command,
            "run_key": run_key,
            "pid": os.getpid(),
            "started_at": _now(),
            "finished_at": None,
            "run_id": None,
            "summary": None,
            "error": None,
        }

    def __enter__(self) -> Self:
        write_last_run(self._project.folder, self._told)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._told["finished_at"] = _now()
        if error is None:
            self._told["status"] = "ok"
        else:
            self._told |= failure(error)
        write_last_run(self._project.folder, self._told)

    def earlier(self, store: Store | None = None) -> Run | None:
        """What the run did that was given the same key before; null when there was none.

        Args:
            store: Where it is open already; null = it is opened.
        """
        if self._run_key is None:
            return None
        if store is None:
            with self._project.store() as opened:
                found = run_of_key(opened, self._run_key)
        else:
            found = run_of_key(store, self._run_key)
        if found is None:
            return None
        run_id, finished, text = found
        summary = Summary.model_validate_json(text)
        summary.notes.append(
            f"the run {self._run_key!r} was done before, as run {run_id} on "
            f"{finished:%Y-%m-%d %H:%M} UTC; nothing was done now"
        )
        outcome = RunOutcome(summary)
        return self.done(Run(summary, outcome.all_issues(), outcome.all_quarantined()))

    def require_room(self, data: Sequence[object]) -> None:
        """Refuse to begin what the disk has no room for.

        Raises:
            StoreError: The disk is too full; the message says how much is missing.
        """
        config, path = self._project.config, self._project.store_path
        size = path.stat().st_size if path.is_file() else 0
        copies = int(config.backups.before_runs) + int(config.publish)
        need = _GROWTH * sum(map(_size_of, data)) + copies * size
        require_room(
            self._project.folder, need, "this run, with the copies that crmq.yml asks for,"
        )

    def done(self, run: Run) -> Run:
        """Note what the run did, and give it back."""
        self._told["run_id"] = run.summary.run_id
        self._told["summary"] = run.summary.model_dump()
        return run


def write_last_run(folder: Path, told: dict[str, Any]) -> None:
    """Replace ``last_run.json`` in one step; a folder that takes none has no part in the run."""
    target = folder / LAST_RUN_FILE
    made = folder / f".{LAST_RUN_FILE}.{os.getpid()}"
    try:
        with made.open("w", encoding="utf-8") as file:
            json.dump(told, file, indent=2, default=str)
            file.flush()
            os.fsync(file.fileno())
        made.replace(target)
    except OSError:
        try:
            made.unlink(missing_ok=True)
        except OSError:
            return


def note_failure(folder: Path, command: str, error: BaseException) -> None:
    """Say in ``last_run.json`` that a run did not come to its beginning."""
    now = _now()
    head = {"schema_version": 1, "command": command, "run_key": None, "pid": os.getpid()}
    times = {"started_at": now, "finished_at": now}
    nothing = {"run_id": None, "summary": None}
    write_last_run(folder, {**head, **times, **nothing, **failure(error)})


def failure(error: BaseException) -> dict[str, Any]:
    """How ``last_run.json`` tells of an error."""
    return {
        "status": "stopped" if isinstance(error, LimitError) else "failed",
        "error": {"kind": type(error).__name__, "message": str(error) or "interrupted"},
    }


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _size_of(data: object) -> int:
    """Bytes that something to be read would have as a CSV, about; 0 when nobody knows."""
    if isinstance(data, str | Path):
        path = Path(data)
        size = path.stat().st_size if path.is_file() else 0
        return size * _PACKED if path.suffix.lower() in _PACKED_KINDS else size
    if isinstance(data, pl.DataFrame):
        return int(data.estimated_size())
    return 0
