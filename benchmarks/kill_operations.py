"""The operations of `kill.py`: what writes the store, and where inside it is killed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from crm_quality import Project
from crm_quality.store.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXECUTE = "crm_quality.store.connection:Store.execute"


@dataclass(frozen=True)
class Place:
    """A function to be killed in.

    Attributes:
        function: ``module:name`` as the caller knows it.
        argument: Only calls whose first argument (after self) begins so; empty = every call.
        call: Which of these calls, from 1.
    """

    function: str
    argument: str = ""
    call: int = 1


@dataclass(frozen=True)
class Operation:
    """Something that writes.

    Attributes:
        prepare: Makes what it needs in a copy of the project.
        perform: Does it.
        places: Where it is killed.
        upgrades: The store is of an earlier version before it.
        once: It is refused where it was done already.
    """

    prepare: Callable[[Path], None]
    perform: Callable[[Path], None]
    places: tuple[Place, ...]
    upgrades: bool = False
    once: bool = False


def _nothing(folder: Path) -> None:
    """Every project has what is needed."""


def _people(folder: Path, first: int) -> pl.DataFrame:
    rows = json.loads((folder / "rows.json").read_text())
    numbers = range(first, first + rows)
    return pl.DataFrame(
        {
            "source": ["crm"] * rows,
            "source_key": [str(number) for number in numbers],
            "first_name": [f"First{number % 977}" for number in numbers],
            "last_name": [f"Family{number}" for number in numbers],
            "email": [f"p{number}@mail{number % 89}.example" for number in numbers],
            "lead_source": ["Werbung" if number % 7 else "PPC" for number in numbers],
        }
    )


def make_project(folder: Path, rows: int) -> Path:
    """A project with ``rows`` contacts, which are not matched: that is not what is tested."""
    project = Project.create(folder)
    (folder / "rules" / "matching" / "contact.yml").unlink()
    (folder / "rows.json").write_text(str(rows))
    Project.open(folder).run(_people(project.folder, 1))
    return folder


def _run(folder: Path) -> None:
    project = Project.open(folder)
    rows = project.golden().height
    project.run(_people(folder, rows // 2))


def _make_old(folder: Path) -> None:
    """A store that the version before the last migration could have left, with some rows."""
    (folder / "store.duckdb").unlink()
    with duckdb.connect(str(folder / "store.duckdb")) as old:
        old.execute(
            "CREATE TABLE main.migration (number BIGINT, name VARCHAR, applied_at TIMESTAMP)"
        )
        for number, name, script in migrations()[:-1]:
            old.execute(script)
            old.execute(
                "INSERT INTO main.migration VALUES (?, ?, now()::TIMESTAMP)", [number, name]
            )
        old.execute(
            "INSERT INTO audit.run (run_id, started_at, finished_at, command, actor, as_of,"
            " rules_fingerprint, product_version, changed, summary) VALUES (1, now()::TIMESTAMP,"
            " now()::TIMESTAMP, 'run', 'ann', DATE '2026-01-01', 'r', '0', true, '{}')"
        )
        old.execute(
            "INSERT INTO landing.batch (batch_id, run_id, entity, source, origin, rows_received,"
            " mapping, received_at) VALUES (1, 1, 'contact', 'crm', 'x', 1, '{}',"
            " now()::TIMESTAMP)"
        )
        rows = int((folder / "rows.json").read_text()) * 10
        old.execute(
            "INSERT INTO landing.record (record_id, entity, source, source_key, first_run,"
            " accepted_no, current_version) SELECT n, 'contact', 'crm', n::VARCHAR, 1, n, n"
            " FROM range(1, ?) t(n)",
            [rows],
        )
        old.execute(
            "INSERT INTO landing.contact_version (version_id, record_id, run_id, batch_id, status,"
            " content_hash, rules_hash, raw) SELECT n, n, 1, 1, 'accepted', 'h', 'r',"
            " md5(n::VARCHAR) FROM range(1, ?) t(n)",
            [rows],
        )
        old.execute("INSERT INTO matching.membership SELECT n, n, 1 FROM range(1, ?) t(n)", [rows])
        old.execute(
            "INSERT INTO crm.contact (entity_id, version, run_id, records, sources)"
            " SELECT n, 1, 1, 1, ['crm'] FROM range(1, ?) t(n)",
            [rows],
        )


def _open(folder: Path) -> None:
    with Project.open(folder).store():
        pass


def _compact(folder: Path) -> None:
    Project.open(folder).upkeep.compact()


def _backup(folder: Path) -> None:
    Project.open(folder).upkeep.backup(folder / "copies")


def _make_backup(folder: Path) -> None:
    """A backup, and a run after it that restoring takes back."""
    project = Project.open(folder)
    project.upkeep.backup(folder / "kept")
    _run(folder)


def _restore(folder: Path) -> None:
    project = Project.open(folder)
    project.upkeep.restore(project.upkeep.backups(folder / "kept")[0].file, reason="test")


def _publish(folder: Path) -> None:
    Project.open(folder).upkeep.publish()


def _accept(folder: Path) -> None:
    Project.open(folder).values.accept("lead_source", {"Werbung": "other"}, reason="test")


def _undo(folder: Path) -> None:
    project = Project.open(folder)
    project.undo(int(project.export("runs")["run_id"].max()), reason="test")


def _erase_one(folder: Path) -> None:
    """Somebody is erased before, so that the key of the digests is there."""
    Project.open(folder).privacy.erase("crm:2", reason="test")


def _erase(folder: Path) -> None:
    Project.open(folder).privacy.erase("crm:1", reason="test")


OPERATIONS: dict[str, Operation] = {
    "run": Operation(
        _nothing,
        _run,
        (
            Place(EXECUTE, "COMMIT"),
            Place(EXECUTE, "BEGIN"),
            Place("crm_quality.store.connection:Store.append", call=3),
            Place("crm_quality.store.connection:Store.append", call=8),
            Place("crm_quality.engine.golden:write_golden"),
            Place("crm_quality.engine.derive:write_membership"),
            Place("crm_quality.engine.run:execute_within"),
        ),
    ),
    "upgrade": Operation(
        _make_old,
        _open,
        (
            Place("crm_quality.store.connection:migrate"),
            Place("crm_quality.store.connection:migrate"),
            Place("crm_quality.store.connection:back_up"),
        ),
        upgrades=True,
    ),
    "compact": Operation(
        _nothing,
        _compact,
        (
            Place(EXECUTE, "COPY FROM DATABASE"),
            Place(EXECUTE, "DETACH"),
            Place("crm_quality.engine.upkeep:rewrite"),
            Place("crm_quality.store.compact:replace"),
        ),
    ),
    "backup": Operation(
        _nothing,
        _backup,
        (
            Place(EXECUTE, "CHECKPOINT"),
            Place("crm_quality.store.snapshots:copy_file"),
            Place("crm_quality.store.snapshots:replace"),
        ),
    ),
    "restore": Operation(
        _make_backup,
        _restore,
        (
            Place("crm_quality.engine.upkeep:copy_file"),
            Place(EXECUTE, "COMMIT"),
            Place("crm_quality.engine.upkeep:set_aside"),
            Place("crm_quality.engine.upkeep:replace"),
        ),
    ),
    "undo": Operation(
        _run,
        _undo,
        (Place("crm_quality.engine.project:undo"), Place(EXECUTE, "COMMIT")),
        once=True,
    ),
    "erasure": Operation(
        _erase_one,
        _erase,
        (
            Place("crm_quality.engine.privacy:erase_person"),
            Place(EXECUTE, "COMMIT"),
            Place("crm_quality.engine.upkeep:rewrite"),
            Place("crm_quality.store.compact:replace"),
        ),
        once=True,
    ),
    "publish": Operation(
        _nothing,
        _publish,
        (
            Place("crm_quality.store.snapshots:_add_views"),
            Place("crm_quality.store.snapshots:replace"),
        ),
    ),
    "vocabulary": Operation(
        _nothing,
        _accept,
        (
            Place("crm_quality.engine.values:replace_file"),
            Place("os:fsync"),
            Place("os:fsync", call=2),
            Place("pathlib:Path.replace"),
            Place(EXECUTE, "COMMIT"),
        ),
    ),
}
