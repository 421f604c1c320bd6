"""A project: a folder with crmq.yml, rules/ and the store."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_quality.audit import Choice, FigureRows, Scorecard
from crm_quality.audit.usage import Usage, usage
from crm_quality.definitions import RuleSet, load_rules
from crm_quality.engine.actor import user
from crm_quality.engine.audit import audit, audit_rows
from crm_quality.engine.check import Reading, Run, as_run, check
from crm_quality.engine.config import ProjectConfig, check_figures, read_config
from crm_quality.engine.creation import STORE_FILE, create_project
from crm_quality.engine.decide import Author
from crm_quality.engine.enrichment import Enrichment
from crm_quality.engine.evaluation import Evaluation, are_pairs, evaluate_pairs, evaluate_records
from crm_quality.engine.explain import Explanation, explain
from crm_quality.engine.lookup import Lookup, Matcher
from crm_quality.engine.overrides import Overrides
from crm_quality.engine.profiling import profile
from crm_quality.engine.quarantine import Quarantine
from crm_quality.engine.recheck import RecheckRequest, recheck
from crm_quality.engine.review import Review
from crm_quality.engine.rules_at import rules_at
from crm_quality.engine.rules_diff import RulesDiff, diff_rules
from crm_quality.engine.run import RunRequest, execute
from crm_quality.engine.store_rules import StoreFindings, store_findings
from crm_quality.engine.summary import Clock
from crm_quality.engine.train import Training, train
from crm_quality.engine.values import Values
from crm_quality.engine.warm import WarmMatchers
from crm_quality.errors import NotFoundError
from crm_quality.intake import read
from crm_quality.store import Store, open_store
from crm_quality.store.export import EXPORTS, export_frame

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
    def store_path(self) -> Path:
        """The DuckDB file."""
        return self.folder / STORE_FILE

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
        day = as_of or datetime.now(UTC).date()
        request = RunRequest(intakes, self.actor, command, day)
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

    def check_store(self, *, as_of: date | None = None) -> StoreFindings:
        """Check the store against the rules about many records; nothing is written.

        Args:
            as_of: The day that counts as today; null = today.

        Returns:
            Issues in force and how each check ended; `crmq run` keeps the same.
        """
        with self.store() as store:
            return store_findings(store, self.rules, as_of=as_of or datetime.now(UTC).date())

    def usage(self) -> Usage:
        """Which fields, accepted values and rules do anything in the store, see `Usage`."""
        with self.store() as store:
            return usage(store.connection, self.rules)

    def apply_rules(
        self,
        *,
        requarantine: bool = False,
        everything: bool = False,
        as_of: date | None = None,
        command: str = "Project.apply_rules",
        progress: Callable[[str], None] | None = None,
    ) -> Run:
        """Judge what the store holds by today's rules, without its files, see `recheck`.

        Args:
            requarantine: Records in force that break a rule of severity error are set aside; else
                they get an issue and stay.
            everything: Also records that today's rules have judged already.
            as_of: The day that counts as today; null = today.
            command: How the run is recorded.
            progress: Called with the name of each stage as it begins.
        """
        request = RecheckRequest(
            user(self.config.actor),
            command,
            as_of or datetime.now(UTC).date(),
            requarantine=requarantine,
            everything=everything,
        )
        with self.store() as store:
            outcome = recheck(store, self.rules, self.config, request, Clock(progress))
        return as_run(outcome, [])

    def diff_rules(
        self,
        old: str | Path | RuleSet = "last",
        new: str | Path | RuleSet | None = None,
        *,
        as_of: date | None = None,
    ) -> RulesDiff:
        """What other rules would do to the store; nothing is written.

        Args:
            old: The rules before: ``last`` (of the last run), ``default``, a folder, a git
                revision of the project's rules, or a rule set.
            new: The rules after, in the same words; null = the project's.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There are no such rules.
            DefinitionError: They are wrong; every fault with line and column.
        """
        with self.store() as store:
            before, after = (
                one
                if isinstance(one, RuleSet)
                else rules_at(str(one), project=self.folder, store=store)
                for one in (old, self.rules if new is None else new)
            )
            return diff_rules(
                store,
                before,
                after,
                country=self.config.country,
                as_of=as_of or datetime.now(UTC).date(),
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
