"""A project: a folder with crmq.yml, rules/ and the store."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_quality.audit import Choice, FigureRows, Scorecard
from crm_quality.definitions import RuleSet, load_rules
from crm_quality.engine.actor import user
from crm_quality.engine.attended import Attended
from crm_quality.engine.audit import audit, audit_rows
from crm_quality.engine.check import Reading, Run, as_run, check
from crm_quality.engine.config import ProjectConfig, check_figures, read_config
from crm_quality.engine.creation import STORE_FILE, create_project
from crm_quality.engine.crm import Crm
from crm_quality.engine.decide import Author
from crm_quality.engine.enrichment import Enrichment
from crm_quality.engine.entities import Entities
from crm_quality.engine.evaluation import Evaluation, are_pairs, evaluate_pairs, evaluate_records
from crm_quality.engine.exchange import Exchange
from crm_quality.engine.explain import Explanation, explain
from crm_quality.engine.fitting import fit_store, is_fitted
from crm_quality.engine.insight import Insight
from crm_quality.engine.lookup import Lookup, Matcher
from crm_quality.engine.overrides import Overrides
from crm_quality.engine.plan import Plan, plan
from crm_quality.engine.privacy import Privacy
from crm_quality.engine.profiling import profile
from crm_quality.engine.quarantine import Quarantine
from crm_quality.engine.review import Review
from crm_quality.engine.rulebook import Rulebook
from crm_quality.engine.run import RunRequest, execute
from crm_quality.engine.sources import Sources
from crm_quality.engine.summary import Clock
from crm_quality.engine.train import Training, train
from crm_quality.engine.undo import Undone, undo
from crm_quality.engine.upkeep import Upkeep
from crm_quality.engine.values import Values
from crm_quality.engine.warm import WarmMatchers
from crm_quality.errors import NotFoundError
from crm_quality.intake import read
from crm_quality.store import Store, open_store
from crm_quality.store.export import EXPORTS, export_frame
from crm_quality.store.run_keys import last_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import polars as pl

    from crm_quality.audit.file_profile import FileProfile


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
        self._warm = WarmMatchers(
            self.store_path, self.rules, self.store, country=self.config.country
        )

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
        create_project(folder, name)
        return cls(folder)

    @property
    def actor(self) -> str:
        """Who is recorded: as crmq.yml says, else the user of the operating system."""
        return user(self.config.actor)

    @property
    def values(self) -> Values:
        """Values outside their vocabulary: what there is, and making it accepted."""
        return Values(self)

    @property
    def rulebook(self) -> Rulebook:
        """The rules and what the store holds: judging it by them, comparing, what is used."""
        return Rulebook(self)

    @property
    def sources(self) -> Sources:
        """The exports that are known: listing them, trying one on a file."""
        return Sources(self.rules, country=self.config.country)

    @property
    def store_path(self) -> Path:
        """The DuckDB file."""
        return self.folder / STORE_FILE

    @property
    def upkeep(self) -> Upkeep:
        """The store as a file: backup, restore, compaction, verification, the published copy."""
        return Upkeep(self)

    @property
    def exchange(self) -> Exchange:
        """What goes out to other systems: the change feed, merges, updates, all exports."""
        return Exchange(self)

    @property
    def privacy(self) -> Privacy:
        """What people may ask for: to be forgotten, and to be told what is known of them."""
        return Privacy(self)

    @property
    def crm(self) -> Crm:
        """The CRM model: pipeline, tickets, tasks, campaigns, leads."""
        return Crm(self)

    @property
    def insight(self) -> Insight:
        """Profiles, scores, attribution, segments, value, and the management's questions."""
        return Insight(self)

    @property
    def quarantine(self) -> Quarantine:
        """The records that wait, and what can be done about them."""
        return Quarantine(self)

    @property
    def enrichment(self) -> Enrichment:
        """What others say of customers: proposals, and deciding on them."""
        return Enrichment(self)

    @property
    def overrides(self) -> Overrides:
        """Values that stewards have pinned in golden records."""
        return Overrides(self)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Hold the store for the time of the block.

        Raises:
            StoreInUseError: Another process holds it for longer than ``wait``.
            StoreError: It is missing, broken, not writable or of a later version.
        """
        with open_store(self.store_path, wait=self.wait) as store:
            if not is_fitted(store):
                with store.transaction():
                    fit_store(store, self.rules)
            before = last_change(store) if self.config.publish else None
            yield store
            if before is not None and last_change(store) != before:
                self.upkeep.published_after(store)

    def run(  # noqa: PLR0913 - as many options as its users need
        self,
        *data: Any,  # noqa: ANN401 - paths or any frames
        source: str | Path | None = None,
        entity: str = "contact",
        key: Sequence[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        as_of: date | None = None,
        run_key: str | None = None,
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
            run_key: A name that a scheduler gives this run. A run that was given it before is
                told again, and nothing is done.
            command: How the run is recorded.
            progress: Called with the name of each stage as it begins.

        Returns:
            What was done; ``last_run.json`` beside the store says it too, of a failed run as well.

        Raises:
            InputError: Something cannot be read; nothing was stored.
            StoreError: The store cannot be opened or written; it is as before.
        """
        clock = Clock(progress)
        with Attended(self, command, run_key) as attended:
            if earlier := attended.earlier():
                return earlier
            attended.require_room(data)
            reading = Reading(source, entity, key, encoding, delimiter)
            rules, request = self._asked(data, reading, clock, command, as_of, run_key)
            with self.store() as store:
                if earlier := attended.earlier(store):
                    return earlier
                self.upkeep.before_run(store)
                outcome = execute(store, rules, self.config, request, clock)
            return attended.done(as_run(outcome, request.intakes))

    def plan(
        self,
        *data: Any,  # noqa: ANN401 - paths or any frames
        source: str | Path | None = None,
        entity: str = "contact",
        key: Sequence[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        as_of: date | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Plan:
        """What `run` would do with the same arguments; nothing is written."""
        clock = Clock(progress)
        reading = Reading(source, entity, key, encoding, delimiter)
        rules, request = self._asked(data, reading, clock, "plan", as_of)
        with self.store() as store:
            found = plan(store, rules, self.config, request, clock)
        as_run(found.outcome, request.intakes)
        return found

    def _asked(
        self,
        data: Sequence[Any],
        reading: Reading,
        clock: Clock,
        command: str,
        as_of: date | None,
        run_key: str | None = None,
    ) -> tuple[RuleSet, RunRequest]:
        """The rules and the request of a run over ``data``, which is read."""
        rules = reading.rules(self.rules)
        with clock.stage("intake"):
            intakes = [one for item in data for one in reading.read(item, rules)]
        day = as_of or datetime.now(UTC).date()
        return rules, RunRequest(intakes, self.actor, command, day, run_key=run_key)

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

    def profile(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        *,
        entity: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> FileProfile:
        """What is in a file or frame, by the rules of this project; see `crm_quality.profile`."""
        return profile(
            data, rules=self.rules, entity=entity, encoding=encoding, delimiter=delimiter
        )

    def undo(self, run_id: int, *, reason: str, dry_run: bool = False) -> Undone:
        """Withdraw what a run brought, and keep later ones; a dry run only says what it would do.

        See `crm_quality.engine.undo.undo`; it need not be the last run.
        """
        author = Author(self.actor, "crmq undo")
        with self.store() as store, store.rehearsal() if dry_run else store.transaction():
            return undo(store, self.rules, self.config, run_id, reason, author, Clock())

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
        """Measure what was joined against labels: the scores of `evaluation`."""
        return self.evaluation(labels, entity=entity, label=label).scores

    def evaluation(
        self,
        labels: Any,  # noqa: ANN401 - a path or any frame
        *,
        entity: str = "contact",
        label: str | None = None,
    ) -> Evaluation:
        """What was joined against labelled records or pairs.

        Args:
            labels: A path or frame: records with ``source``, ``source_key`` and who they are; or
                pairs with the keys or numbers of two records and whether they are the same.
            entity: What the records are.
            label: The column with the label; null = guessed by its name.

        Raises:
            InputError: A column is missing, or nothing of it is in the store.
        """
        table = read(labels)
        definition = self.rules.entity(entity)
        how = evaluate_pairs if are_pairs(table.frame) else evaluate_records
        with self.store() as store:
            return how(store, definition, table.frame, label)

    def lookup(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        entity: str = "contact",
        top: int = 5,
        **fields: Any,  # noqa: ANN401 - values as typed
    ) -> Lookup:
        """Who is this half-typed record? Candidates with the weights that a run would give them.

        The first lookup reads all records of the entity into memory, which takes as long as a run
        takes to make features and blocks; later ones take milliseconds, until the store changes.

        Args:
            values: Field → value, as typed.
            entity: What is looked for.
            top: So many candidates at most.
            **fields: More values, by field.

        Raises:
            UsageError: A field is not one of the entity's, or there is no value.
            MatchError: The entity is not matched.
        """
        return self._warm.of(entity).lookup({**(values or {}), **fields}, top=top)

    def matcher(self, entity: str = "contact", *, near: Mapping[str, Any] | None = None) -> Matcher:
        """The records of ``entity`` in memory as they are now, to be looked up without the store.

        Use it as a context manager, or close it. `lookup` keeps one by itself.

        Args:
            entity: What is looked for.
            near: Read only what may have to do with these values, for a single lookup in a large
                store; null = all records.
        """
        with self.store() as store:
            return Matcher(store, self.rules, entity, country=self.config.country, near=near)

    def explain(
        self, left: str | int, right: str | int, *, entity: str | None = None
    ) -> Explanation:
        """Why two records are one customer, or are not.

        Args:
            left: A record by its number or as ``source:key``, or ``entity:number`` for a customer,
                of whose records the one that fits best is taken.
            right: The other.
            entity: What they are, where a key stands for several.

        Raises:
            NotFoundError: There is no such record.
            UsageError: The two are one record, or of two entities.
        """
        with self.store() as store:
            return explain(
                store,
                self.rules,
                str(left),
                str(right),
                entity=entity,
                proposing=self.config.merging == "propose",
            )

    def train(
        self,
        entity: str = "contact",
        *,
        apply: bool = False,
        command: str = "Project.train",
        progress: Callable[[str], None] | None = None,
    ) -> Training:
        """Learn a new match model and say what it changes, see `crm_quality.engine.train.train`."""
        author = Author(user(self.config.actor), command)
        with self.store() as store:
            clock = Clock(progress)
            return train(store, self.rules, self.config, entity, author, clock, apply=apply)

    @property
    def entities(self) -> Entities:
        """Merge, unmerge and split whole customers, and see what became of them."""
        return Entities(self.store, self.rules, self.config, self.actor)

    @property
    def review(self) -> Review:
        """The steward's desk: questions, decisions, samples."""
        return Review(self.store, self.rules, self.config, user(self.config.actor))

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
