"""Kill what writes the store, inside what it does, and look at what is left.

    python benchmarks/kill.py [--moments 50] [--seed 7] [--rows 300]

A child process does one operation and is ended by SIGKILL while it is inside one function: a part
of the way through (by a timer, measured against a child that was let live), or at the latest when
the function returns. Afterwards the store must open, pass every check of ``crmq store verify``, and
hold the state before or after; YAML files must be whole; and the operation must succeed when it is
done again.

To add an operation, write a function that does it and put it into `OPERATIONS` (in
`kill_operations.py`) with the functions
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


from benchmarks.kill_operations import OPERATIONS, Place, make_project
from crm_quality import Project

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
    parser.add_argument("--rows", type=int, default=300)
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
