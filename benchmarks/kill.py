"""Kill what writes the store, inside what it does, and look at what is left.

    python benchmarks/kill.py [--moments 50] [--seed 7] [--rows 2000]

A child process does one operation and is ended by SIGKILL while it is inside one function: a part
of the way through (by a timer, measured against a child that was let live), or at the latest when
the function returns. Afterwards the store must open, pass every check of ``crmq store verify``, and
hold the state before or after; YAML files must be whole; and the operation must succeed when it is
done again.

To add an operation, write a function that does it and put it into `OPERATIONS` with the functions
inside which it is to be killed.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

import duckdb
import polars as pl

from crm_quality import Project
from crm_quality.store.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Callable

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
            "INSERT INTO audit.run VALUES (1, now()::TIMESTAMP, now()::TIMESTAMP, 'run', 'ann',"
            " DATE '2026-01-01', 'r', '0', true, '{}')"
        )
        old.execute(
            "INSERT INTO landing.batch (batch_id, run_id, entity, source, origin, rows_received,"
            " mapping, received_at) VALUES (1, 1, 'contact', 'crm', 'x', 1, '{}',"
            " now()::TIMESTAMP)"
        )
        rows = int((folder / "rows.json").read_text()) * 10
        old.execute(
            "INSERT INTO landing.record SELECT n, 'contact', 'crm', n::VARCHAR, 1, n, n, NULL, NULL"
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


# in the child -------------------------------------------------------------------------------------


def _watch(place: Place, *, delay: float | None, told: Path | None) -> None:
    """Let the function of ``place`` end this process, or write how long it took."""
    module_name, _, path = place.function.partition(":")
    owner = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original = getattr(owner, name)
    calls = 0

    @functools.wraps(original)
    def watched(*arguments: object, **options: object) -> object:
        nonlocal calls
        first = arguments[1] if parents and len(arguments) > 1 else (arguments or ("",))[0]
        if not str(first).startswith(place.argument):
            return original(*arguments, **options)
        calls += 1
        if calls != place.call:
            return original(*arguments, **options)
        if delay is not None:
            threading.Timer(delay, os.kill, [os.getpid(), signal.SIGKILL]).start()
        start = time.perf_counter()
        result = original(*arguments, **options)
        if told is not None:
            told.write_text(str(time.perf_counter() - start))
        if delay is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, watched)


def _child(name: str, folder: Path, place: Place, *, delay: float | None, told: Path | None) -> int:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from benchmarks import kill;"
        "kill.be_child(sys.argv[2])"
    )
    asked = {
        "name": name,
        "folder": str(folder),
        "place": [place.function, place.argument, place.call],
        "delay": delay,
        "told": None if told is None else str(told),
    }
    root = str(Path(__file__).resolve().parent.parent)
    return subprocess.run(
        [sys.executable, "-c", code, root, json.dumps(asked)], check=False, stderr=subprocess.PIPE
    ).returncode


def be_child(text: str) -> None:
    """Do what a parent asks for in JSON."""
    asked = json.loads(text)
    told = asked["told"]
    _watch(Place(*asked["place"]), delay=asked["delay"], told=None if told is None else Path(told))
    OPERATIONS[asked["name"]].perform(Path(asked["folder"]))


# in the parent ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What one kill left.

    Attributes:
        state: ``before`` or ``after``.
        problem: What is wrong; empty = nothing.
    """

    state: str
    problem: str = ""


class Stage:
    """One operation, made ready once, with the states before and after it."""

    def __init__(self, name: str, template: Path, folder: Path) -> None:
        self._name, self._folder = name, folder
        self._operation = OPERATIONS[name]
        self._ready = Path(shutil.copytree(template, folder / f"{name}-ready"))
        self._operation.prepare(self._ready)
        self._before = None if self._operation.upgrades else fingerprint(self._ready)
        self._done = Path(shutil.copytree(self._ready, folder / f"{name}-done"))
        self._operation.perform(self._done)
        self._after = fingerprint(self._done)

    def duration(self, place: Place) -> float:
        """Seconds that the function of ``place`` takes in a child that is let live."""
        folder = Path(shutil.copytree(self._ready, self._folder / f"{self._name}-timed"))
        told = self._folder / "told"
        told.unlink(missing_ok=True)
        code = _child(self._name, folder, place, delay=None, told=told)
        shutil.rmtree(folder)
        if code or not told.exists():
            raise SystemExit(f"{self._name} was never in {place}; exit {code}")
        return float(told.read_text())

    def kill(self, place: Place, delay: float, *, again: bool = True) -> Result:
        """End a child ``delay`` seconds into ``place``, or when that returns; what is left?

        Args:
            place: Where.
            delay: Seconds.
            again: Do it again afterwards.
        """
        folder = Path(shutil.copytree(self._ready, self._folder / f"{self._name}-killed"))
        try:
            code = _child(self._name, folder, place, delay=delay, told=None)
            left = self._left(folder, code)
            return self._again(folder, left) if again and not left.problem else left
        finally:
            shutil.rmtree(folder)

    def _left(self, folder: Path, code: int) -> Result:
        if code != -signal.SIGKILL:
            return Result("?", f"the child was not killed but ended with {code}")
        if yaml_files(folder) not in (yaml_files(self._ready), yaml_files(self._done)):
            return Result("?", "a YAML file is neither as before nor as after")
        if self._before is None:
            with Project.open(folder).store():
                state = "after" if fingerprint(folder) == self._after else "?"
        else:
            found = fingerprint(folder)
            state = {self._before: "before", self._after: "after"}.get(found, "?")
        wrong = Project.open(folder).upkeep.verify().wrong
        if state == "?" or wrong.height:
            return Result(state, f"{', '.join(wrong['check'])} and the state is {state}")
        return Result(state)

    def _again(self, folder: Path, left: Result) -> Result:
        """Do it again: it succeeds, and clears up what was left half written."""
        state = left.state
        if self._operation.once and state == "after":
            return left
        try:
            self._operation.perform(folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return Result(state, f"done again: {error}")
        if not Project.open(folder).upkeep.verify().is_whole:
            return Result(state, "not whole when done again")
        partial = [file.name for file in folder.rglob("*.partial*")]
        return Result(state, f"left behind: {partial}" if partial else "")


def yaml_files(folder: Path) -> str:
    """Names and contents of the rules, as one hash."""
    digest = hashlib.sha256()
    for file in sorted((folder / "rules").rglob("*.yml")):
        digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()


#: Differ from one time to the other.
_VOLATILE = {"summary", "payload", "salt", "payload_digest", "previous_hash", "hash", "token"}


def fingerprint(folder: Path) -> str:
    """A hash over every table of the store, without times and what is drawn by chance."""
    digest = hashlib.sha256()
    with Project.open(folder).store() as store:
        for schema, table in store.rows(
            "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
        ):
            columns = [
                name
                for name, kind in store.rows(
                    "SELECT column_name, data_type FROM duckdb_columns()"
                    " WHERE schema_name = ? AND table_name = ? ORDER BY column_name",
                    [schema, table],
                )
                if kind != "TIMESTAMP" and name not in _VOLATILE
            ]
            shown = ", ".join(f'"{name}"' for name in columns)
            digest.update(f"{schema}.{table}".encode())
            # a store may be compacted after an erasure was kept, or not any more
            only = " WHERE kind <> 'store.compacted'" if table == "event" else ""
            query = f'SELECT {shown} FROM "{schema}"."{table}"{only} ORDER BY ALL'
            for row in store.rows(query):
                digest.update(repr(row).encode())
    return digest.hexdigest()


def main() -> int:
    """Kill at many moments and report; 1 = something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", help="operations; all when left out")
    parser.add_argument("--results", type=Path, help="folder to write kill.md into")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    chosen = options.only or OPERATIONS
    places = [(name, place) for name in chosen for place in OPERATIONS[name].places]
    wanted = [places[number % len(places)] for number in range(options.moments)]
    lines, wrong = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = make_project(folder / "template", options.rows)
        stages: dict[str, Stage] = {}
        durations: dict[tuple[str, Place], float] = {}
        for operation, place in sorted(wanted, key=lambda one: one[0]):
            if operation not in stages:
                stages[operation] = Stage(operation, template, folder)
            stage, key = stages[operation], (operation, place)
            if key not in durations:
                durations[key] = stage.duration(place)
            delay = draw.random() * durations[key]
            left = stage.kill(place, delay)
            wrong += bool(left.problem)
            where = f"{place.function.partition(':')[2]} {place.argument}".strip()
            line = f"| {operation} | {where} | {delay * 1e3:.1f} of {durations[key] * 1e3:.1f} |"
            lines.append(f"{line} {left.state} | {left.problem or 'whole'} |")
            print(lines[-1], flush=True)
    head = f"# Killed at {options.moments} moments\n\n{options.moments - wrong} left a whole store."
    table = "| operation | killed in | ms | state | store |\n|---|---|---:|---|---|"
    text = f"{head}\n\n{table}\n" + "\n".join(lines) + "\n"
    print(head)
    if options.results:
        (options.results / "kill.md").write_text(text, encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
