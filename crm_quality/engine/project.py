"""A project: a folder with crmq.yml, rules/ and the store."""

from __future__ import annotations

import getpass
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_quality.audit import Choice, FigureRows, Scorecard
from crm_quality.definitions import RuleSet, default_rules_dir, load_rules, write_json_schemas
from crm_quality.engine.audit import audit, audit_rows
from crm_quality.engine.check import Reading, Run, as_run, check
from crm_quality.engine.config import (
    CONFIG_FILE,
    ProjectConfig,
    check_figures,
    default_config,
    read_config,
)
from crm_quality.engine.labels import evaluate_store
from crm_quality.engine.run import RunRequest, execute
from crm_quality.engine.summary import Clock
from crm_quality.errors import NotFoundError, ProjectError
from crm_quality.intake import read
from crm_quality.store import Store, open_store
from crm_quality.store.export import EXPORTS, export_frame
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

STORE_FILE = "store.duckdb"


class Project:
    """A customer store and the rules it is kept by.

    The store is opened for each operation and let go of after it, so that several processes can
    take turns.

    Attributes:
        folder: Where the project lives.
        config: Its crmq.yml.
        rules: Its rules, as they were when the project was opened.
        wait: Seconds to wait for another process to let go of the store.
    """

    def __init__(self, folder: Path, *, wait: float = 0.0) -> None:
        self.folder = folder
        self.wait = wait
        self.config: ProjectConfig = read_config(folder)
        self.rules: RuleSet = load_rules(folder / "rules")
        check_figures(folder, self.config, self.rules)

    @classmethod
    def open(cls, folder: str | Path = ".", *, wait: float = 0.0) -> Project:
        """Open the project in ``folder``.

        Raises:
            ProjectError: The folder is no project.
            DefinitionError: crmq.yml or a rule file is wrong; every fault with line and column.
        """
        return cls(Path(folder), wait=wait)

    @classmethod
    def create(cls, folder: str | Path, *, name: str | None = None) -> Project:
        """Make a project with the default rules and an empty store; files of yours are kept.

        Args:
            folder: Made if missing; may hold other files.
            name: What reports call it; null = the folder's name.

        Raises:
            ProjectError: The folder is a project already, or cannot be written.
        """
        folder = Path(folder)
        if (folder / CONFIG_FILE).exists():
            raise ProjectError(f"{folder} is a crm-quality project already; nothing was changed")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            rules = folder / "rules"
            if not rules.exists():
                shutil.copytree(default_rules_dir(), rules)
            write_json_schemas(rules / "schemas")
            text = default_config(name or folder.resolve().name or "customers")
            with open_store(folder / STORE_FILE, create=True) as store, store.transaction():
                record_event(
                    store, "project.created", {}, actor=_user(None), occurred_at=_utc_now()
                )
            (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
        except OSError as error:
            raise ProjectError(
                f"no project could be made in {folder}: {error.strerror or error}; "
                "choose a folder that you may write to"
            ) from error
        return cls(folder)

    @property
    def store_path(self) -> Path:
        """The DuckDB file."""
        return self.folder / STORE_FILE

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Hold the store for the time of the block.

        Raises:
            StoreInUseError: Another process holds it for longer than ``wait``.
            StoreError: It is missing, broken, not writable or of a later version.
        """
        with open_store(self.store_path, wait=self.wait) as store:
            yield store

    def run(
        self,
        *data: Any,  # noqa: ANN401 - paths or any frames
        source: str | Path | None = None,
        entity: str = "contact",
        key: Sequence[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        as_of: date | None = None,
        command: str = "Project.run",
        progress: Callable[[str], None] | None = None,
    ) -> Run:
        """Take data the whole way to golden records, in one transaction.

        Args:
            *data: Paths (.csv .tsv .parquet .xlsx .json .jsonl), ``-`` for standard input, Polars,
                pandas or Arrow frames, or DuckDB relations.
            source: Name of a source or preset, or a mapping file (.yml); null = recognised from
                the header, or named in a ``source`` column. It applies to all of ``data``.
            entity: What a row of an unknown source is.
            key: Columns that together identify a record; null = as the source declares.
            encoding: Of text files; null = detected.
            delimiter: Of text files; null = detected.
            as_of: The day that counts as today; null = today.
            command: How the run is recorded.
            progress: Called with the name of each stage as it begins.

        Raises:
            InputError: Something cannot be read; nothing was stored.
            StoreError: The store cannot be opened or written; it is as before.
        """
        clock = Clock(progress)
        reading = Reading(source, entity, key, encoding, delimiter)
        rules = reading.rules(self.rules)
        with clock.stage("intake"):
            intakes = [reading.read(item, rules) for item in data]
        request = RunRequest(
            intakes, _user(self.config.actor), command, as_of or datetime.now(UTC).date()
        )
        with self.store() as store:
            outcome = execute(store, rules, self.config, request, clock)
        return as_run(outcome, intakes)

    def check(
        self,
        *data: Any,  # noqa: ANN401 - paths or any frames
        source: str | Path | None = None,
        entity: str = "contact",
        key: Sequence[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        as_of: date | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Run:
        """Standardise and validate without touching the store; arguments as for `run`."""
        return check(
            self.rules,
            data,
            Reading(source, entity, key, encoding, delimiter),
            country=self.config.country,
            as_of=as_of,
            progress=progress,
        )

    def golden(self, entity: str = "contact") -> pl.DataFrame:
        """Golden records: ``entity_id``, ``version``, ``records``, ``sources`` and the fields.

        Times are UTC without a zone; null = no record knows the value.
        """
        self.rules.entity(entity)
        with self.store() as store:
            return store.frame(
                f'SELECT * EXCLUDE (run_id) FROM crm."{entity}" ORDER BY entity_id'  # noqa: S608
            )

    def crosswalk(self) -> pl.DataFrame:
        """Which source record is which entity, see `export`."""
        return self.export("crosswalk")

    def export(self, what: str) -> pl.DataFrame:
        """One of the tables that others read, such as crosswalk, contacts or issues.

        Raises:
            NotFoundError: There is no such export; the message lists them.
        """
        if what not in EXPORTS:
            raise NotFoundError(f"there is no export {what!r}; choose from {', '.join(EXPORTS)}")
        with self.store() as store:
            return export_frame(store, what)

    def evaluate(
        self,
        labels: Any,  # noqa: ANN401 - a path or any frame
        *,
        entity: str = "contact",
        label: str | None = None,
    ) -> dict[str, float]:
        """Measure what was joined against labelled records, see `evaluate_store`.

        Args:
            labels: A path or frame with ``source``, ``source_key`` and a label.
            entity: What the records are.
            label: The column that says who a record is; null = guessed by its name.
        """
        table = read(labels)
        with self.store() as store:
            return evaluate_store(store, table.frame, entity=entity, label=label)

    def audit(
        self,
        *,
        as_of: date | None = None,
        show_personal: bool = False,
        fail_under: float | None = None,
    ) -> Scorecard:
        """The scorecard of the store as it is, see `crm_quality.engine.audit.audit`."""
        return audit(self, as_of=as_of, show_personal=show_personal, fail_under=fail_under)

    def audit_rows(
        self,
        figure: str,
        choice: Choice | None = None,
        *,
        as_of: date | None = None,
        show_personal: bool = False,
        limit: int | None = None,
    ) -> FigureRows:
        """The rows behind a figure of the scorecard, see `crm_quality.engine.audit.audit_rows`."""
        return audit_rows(
            self,
            figure,
            choice or Choice(),
            as_of=as_of,
            show_personal=show_personal,
            limit=limit,
        )


def _user(declared: str | None) -> str:
    if declared:
        return declared
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
