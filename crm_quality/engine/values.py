"""Values outside their vocabulary: what there is, what it means, and making it accepted."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
from rapidfuzz import process

from crm_quality.definitions import (
    EntityDefinition,
    RuleSet,
    Vocabulary,
    default_rules,
    definition_file,
    fold,
    load_rules,
    replace_file,
    with_spellings,
)
from crm_quality.engine.acceptance import planned
from crm_quality.errors import NotFoundError, StoreError, UsageError
from crm_quality.standardise.text import clean_text
from crm_quality.standardise.vocabulary import standardise_vocabulary
from crm_quality.store.trail import record_event
from crm_quality.store.values import holders, unknown_values
from crm_quality.validate import METHODS, note_rule, suggest_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from crm_quality.engine.check import Run
    from crm_quality.engine.project import Project
    from crm_quality.store import Store

#: Score from which a suggestion is accepted when nobody says otherwise.
SURE_ENOUGH = 90.0


@dataclass(frozen=True)
class Acceptance:
    """Words that a vocabulary accepts from now on.

    Attributes:
        vocabulary: Its name.
        file: Its file.
        synonyms: Accepted value → the words that mean it from now on.
        new_values: Accepted value that is new → its label.
        already: Words that meant what was asked for already.
        diff: What changes in the file, as a unified diff; empty when nothing does.
        records: Live records that hold one of the words, or a new value.
        written: False for a dry run, and when there was nothing to write.
    """

    vocabulary: str
    file: Path
    synonyms: dict[str, list[str]] = field(default_factory=dict)
    new_values: dict[str, str] = field(default_factory=dict)
    already: tuple[str, ...] = ()
    diff: str = ""
    records: int = 0
    written: bool = False


class Values:
    """The vocabularies of a project against what its records hold; see `Project.values`."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def fields(self) -> pl.DataFrame:
        """The fields that have a vocabulary.

        Returns:
            ``entity``, ``field``, ``vocabulary``, ``accepted`` (number of accepted values),
            ``unknown`` (different texts that are none, as they came), ``records`` (live ones that
            hold these) and ``waiting`` (live records whose text is accepted by now, and that were
            not standardised again yet). Those with most records first.
        """
        rows = []
        with self._project.store() as store:
            for definition, name, vocabulary in _fields(self._project.rules):
                known = _with_meaning(_seen(store, definition, name), vocabulary)
                unknown = known.filter(~pl.col("is_accepted"))
                rows.append(
                    (
                        definition.entity,
                        name,
                        vocabulary.vocabulary,
                        len(vocabulary.values),
                        unknown.height,
                        unknown["records"].sum(),
                        known.filter("is_accepted")["records"].sum(),
                    )
                )
        schema = {"entity": pl.String, "field": pl.String, "vocabulary": pl.String}
        counts = dict.fromkeys(("accepted", "unknown", "records", "waiting"), pl.Int64)
        found = pl.DataFrame(rows, schema={**schema, **counts}, orient="row")
        return found.sort("records", "waiting", descending=True, maintain_order=True)

    def unknown(self, name: str, *, entity: str | None = None, method: str = "all") -> pl.DataFrame:
        """The values of a field that are not in its vocabulary.

        Args:
            name: The field.
            entity: Whose field; null = of contacts, else of the only entity that has it.
            method: What finds clusters and suggestions, one of
                `crm_quality.validate.METHODS`; ``all`` = each in turn, the strictest first.

        Returns:
            ``value`` (cleaned text), ``records`` (live ones that hold it), ``sources``,
            ``first_seen``, ``last_seen`` (UTC), ``cluster`` (from 1, that with most records
            first), ``suggestion`` (an accepted value, null = nothing is near), ``method``,
            ``score`` (0 to 100) and ``is_accepted`` (the vocabulary knows it by now, but its
            records were not standardised again).

        Raises:
            NotFoundError: There is no such entity or field, or it has no vocabulary.
            UsageError: There is no such method.
        """
        _known_method(method)
        definition, vocabulary = _place(self._project.rules, name, entity)
        with self._project.store() as store:
            seen = _seen(store, definition, name)
        return _suggested(seen, vocabulary, method)

    def accept(
        self,
        name: str,
        meanings: Mapping[str, str],
        *,
        reason: str,
        entity: str | None = None,
        new_values: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Acceptance:
        """Write synonyms into the project's rules, and who did it into the audit trail.

        Args:
            name: The field whose vocabulary it is.
            meanings: Text → the accepted value that it means.
            reason: Why, for the audit trail.
            entity: Whose field; null = of contacts, else of the only entity that has it.
            new_values: Accepted value to add → its label, which may be empty.
            dry_run: Write nothing.

        Returns:
            What was, or would be, accepted. The file keeps comments and layout; it is replaced in
            one step. Records in the store change when they arrive again, or by `apply`.

        Raises:
            RefusedError: A text means another value already, or a value does not exist; every
                such mistake is in the message, and nothing was written.
            UsageError: No reason was given.
            ProjectError: The file cannot be written.
        """
        if not reason.strip() and not dry_run:
            raise UsageError("say why with --reason: it goes into the audit trail")
        project = self._project
        folder = project.folder / "rules"
        with project.store() as store:
            # read again, because somebody may have changed them since the project was opened
            rules = load_rules(folder)
            definition, vocabulary = _place(rules, name, entity)
            plan = planned(vocabulary, meanings, dict(new_values or {}))
            file = definition_file(folder, "vocabularies", vocabulary.vocabulary)
            before = file.read_bytes().decode("utf-8")
            after = with_spellings(before, plan.synonyms, plan.new_values, file)
            changed = load_rules(folder, instead={file: after})
            done = Acceptance(
                vocabulary.vocabulary,
                file,
                plan.synonyms,
                plan.new_values,
                tuple(plan.already),
                _diff(before, after, str(file.relative_to(project.folder))),
                _holding(store, changed, vocabulary.vocabulary, plan.words),
                written=not dry_run and after != before,
            )
            if done.written:
                self._write(store, done, before, after, f"{definition.entity}.{name}", reason)
        if done.written:
            project.rules = changed
        return done

    def sure(
        self,
        name: str,
        *,
        at_least: float = SURE_ENOUGH,
        entity: str | None = None,
        method: str = "all",
    ) -> dict[str, str]:
        """Value → suggestion, of those that `unknown` gives a score of ``at_least``.

        To be handed to `accept`.
        """
        found = self.unknown(name, entity=entity, method=method)
        sure = found.filter((pl.col("score") >= at_least) & ~pl.col("is_accepted"))
        return dict(sure.select("value", "suggestion").iter_rows())

    def place(self, name: str, *, entity: str | None = None) -> str:
        """``<entity>.<field>`` that a field name stands for; errors as for `unknown`."""
        definition, _ = _place(self._project.rules, name, entity)
        return f"{definition.entity}.{name}"

    def apply(
        self,
        *,
        as_of: date | None = None,
        command: str = "Project.values.apply",
        progress: Callable[[str], None] | None = None,
    ) -> Run:
        """Let the store's records take the values that are accepted by now, without their files.

        As `Project.apply_rules`: all rules of today apply, to all records that were last judged
        by others.

        Args:
            as_of: The day that counts as today; null = today.
            command: How the run is recorded.
            progress: Called with the name of each stage as it begins.

        Returns:
            What was done.
        """
        return self._project.rulebook.apply(as_of=as_of, command=command, progress=progress)

    def _write(
        self, store: Store, done: Acceptance, before: str, after: str, place: str, reason: str
    ) -> None:
        """The event and the file: the file last, so that a stop before it leaves neither."""
        replaced = False
        try:
            with store.transaction():
                record_event(
                    store,
                    "vocabulary.accepted",
                    {
                        "vocabulary": done.vocabulary,
                        "field": place,
                        "synonyms": done.synonyms,
                        "new_values": done.new_values,
                        "reason": reason,
                        "records": done.records,
                        "file": str(done.file.relative_to(self._project.folder)),
                        "sha256_before": hashlib.sha256(before.encode()).hexdigest(),
                        "sha256_after": hashlib.sha256(after.encode()).hexdigest(),
                    },
                    actor=self._project.actor,
                    occurred_at=datetime.now(UTC).replace(tzinfo=None),
                )
                replace_file(done.file, after)
                replaced = True
        except StoreError:
            if replaced:
                replace_file(done.file, before)
            raise


def _place(rules: RuleSet, name: str, entity: str | None) -> tuple[EntityDefinition, Vocabulary]:
    """The entity and vocabulary that a field name stands for."""
    places = {d.entity: (d, v) for d, field_name, v in _fields(rules) if field_name == name}
    if entity is not None:
        definition = rules.entity(entity)
        if entity in places:
            return places[entity]
    elif "contact" in places or len(places) == 1:
        return places.get("contact") or next(iter(places.values()))
    else:
        if places:
            raise UsageError(f"{name} is a field of {', '.join(places)}; choose with --entity")
        definition = rules.entities.get("contact") or next(iter(rules.entities.values()))
    having = [field_name for d, field_name, _ in _fields(rules) if d.entity == definition.entity]
    best = process.extractOne(name, having, score_cutoff=60)
    hint = f"did you mean {best[0]}?" if best else f"these have one: {', '.join(having)}"
    what = "has no vocabulary" if name in definition.fields else "does not exist"
    raise NotFoundError(f"the field {name!r} of {definition.entity} {what} ({hint})")


def _fields(rules: RuleSet) -> Iterator[tuple[EntityDefinition, str, Vocabulary]]:
    for definition in rules.entities.values():
        for name, declared in definition.fields.items():
            vocabulary = definition.vocabularies.get(declared.vocabulary or "")
            if vocabulary is not None and name in definition.columns:
                yield definition, name, vocabulary


def _known_method(method: str) -> None:
    if method != "all" and method not in METHODS:
        raise UsageError(f"there is no method {method!r}; choose from all, {', '.join(METHODS)}")


def _seen(store: Store, definition: EntityDefinition, name: str) -> pl.DataFrame:
    """``value``, ``records``, ``sources``, ``first_seen``, ``last_seen``: one row per text."""
    found = unknown_values(store, definition.entity, note_rule(definition, name, "unknown").code)
    return (
        found.with_columns(_cleaned(found["value"]))
        .drop_nulls("value")
        .group_by("value")
        .agg(
            pl.col("records").sum(),
            pl.col("source").unique().sort().alias("sources"),
            pl.col("first_seen").min(),
            pl.col("last_seen").max(),
        )
        .sort("records", "value", descending=[True, False])
    )


def _cleaned(texts: pl.Series) -> pl.Series:
    """Texts as the standardiser compares them: without odd blanks and broken letters."""
    return clean_text(texts)["text"].alias("value")


def _with_meaning(seen: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    meant = standardise_vocabulary(seen["value"], vocabulary)["value"]
    return seen.with_columns(meant.is_not_null().alias("is_accepted"))


def _suggested(seen: pl.DataFrame, vocabulary: Vocabulary, method: str) -> pl.DataFrame:
    shipped = default_rules().vocabularies.get(vocabulary.vocabulary)
    counted = seen.select("value", pl.col("records").alias("count"))
    found = suggest_targets(counted, vocabulary, method=method, shipped=shipped)
    return (
        found.join(_with_meaning(seen, vocabulary), on="value", maintain_order="left")
        .select(
            *("value", "records", "sources", "first_seen", "last_seen"),
            *("cluster", "suggestion", "method", "score", "is_accepted"),
        )
    )  # fmt: skip


def _holding(store: Store, rules: RuleSet, vocabulary: str, words: frozenset[str]) -> int:
    """How many live records hold one of the words in any field that has the vocabulary."""
    records: set[tuple[str, int]] = set()
    for definition, name, own in _fields(rules):
        if own.vocabulary != vocabulary:
            continue
        held = holders(store, definition.entity, note_rule(definition, name, "unknown").code)
        texts = _cleaned(held["value"])
        for record_id, text in zip(held["record_id"], texts, strict=True):
            if text is not None and fold(text) in words:
                records.add((definition.entity, record_id))
    return len(records)


def _diff(before: str, after: str, file: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), file, file, n=1
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
