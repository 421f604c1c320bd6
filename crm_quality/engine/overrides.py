"""Pins: values that a steward puts in the golden record, in spite of what its records say."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.entry import check_stored, judge_entries
from crm_quality.engine.golden import Policy, rewrite_golden
from crm_quality.engine.summary import Clock, GoldenCounts, MatchCounts
from crm_quality.engine.underway import run_within
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store.customers import customer_named, golden_record
from crm_quality.store.golden import golden_of
from crm_quality.store.overrides import (
    PINNED,
    overrides,
    withdraw_overrides,
    write_overrides,
)
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.project import Project
    from crm_quality.engine.summary import Summary
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store


@dataclass(frozen=True)
class Pinned:
    """What pinning or unpinning did, or would do.

    Attributes:
        entity: What the customer is.
        entity_id: Who.
        made: Ids of the pins that are new.
        withdrawn: Ids of the pins that are in force no longer.
        before: The golden record before, with its ``version``.
        after: The golden record after.
        hints: What was found about the values that forbids nothing.
        summary: The run that did it; null = nothing was written.
    """

    entity: str
    entity_id: int
    made: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    summary: Summary | None = None

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Field → its golden value before and after, of fields that change."""
        return {
            name: (self.before.get(name), value)
            for name, value in self.after.items()
            if name != "version" and self.before.get(name) != value
        }


class _DryRun(Exception):  # noqa: N818 - nothing went wrong: it takes a transaction back
    """What was tried is not to be kept."""


class Overrides:
    """Values of a project that people put in place of what records say: ``project.overrides``.

    A pin is kept by the record that the customer is known by when it is made, and goes where that
    record goes. It stands in the golden record until its day is past or it is withdrawn, whatever
    arrives.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def pin(
        self,
        customer: str | int,
        values: Mapping[str, str | None],
        *,
        reason: str,
        until: date | None = None,
        expect_version: int | None = None,
        dry_run: bool = False,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Pinned:
        """Pin values of a customer; they are read and checked as an entry would be.

        Args:
            customer: ``entity:NUMBER``, or any of its records as number or ``source:key``.
            values: Field → text; null or blank = the field is to be empty.
            reason: Why.
            until: The last day on which they hold; null = until they are withdrawn.
            expect_version: Refuse if the golden record has another ``version`` by now.
            dry_run: Write nothing; say what would change.
            entity: Where records of several entities have that key.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such customer or field.
            RefusedError: A value cannot be taken, or the customer has changed meanwhile.
            UsageError: No value or no reason is given, or the day is past.
        """
        why, day = _stated(reason), as_of or datetime.now(UTC).date()
        if not values:
            raise UsageError("say which field is to be what: FIELD=VALUE")
        if until is not None and until < day:
            raise UsageError(f"the pin would have expired already: {until} is before {day}")
        with self._project.store() as store:
            kind, number = customer_named(store, customer, entity)
            definition = self._project.rules.entity(kind)
            check_stored(definition, values)
            before = _expected(store, kind, number, expect_version)
            canonical, hints = self._judged(store, definition, number, values, day)
            pins = _pins_of(store, kind, number, day)
            same = {
                one["field"]
                for one in pins.iter_rows(named=True)
                if one["state"] == "in force"
                and one["field"] in canonical
                and (one["value"], one["expires_on"]) == (canonical[one["field"]], until)
            }
            wanted = {name: text for name, text in canonical.items() if name not in same}
            if not wanted:
                return Pinned(kind, number, before=before, after=before, hints=hints)
            # a steward who pins anew on the same record means it in place of the earlier pin
            earlier = pins.filter(pl.col("record_id") == number, pl.col("field").is_in([*wanted]))
            made: list[int] = []

            def write(run: RunUnderway) -> None:
                rows = [
                    {"entity": kind, "record_id": number, "field": name, "kind": PINNED,
                     "value": text, "actor": run.actor, "reason": why, "expires_on": until}
                    for name, text in wanted.items()
                ]  # fmt: skip
                new = pl.DataFrame(rows, schema=_ROW)
                made.extend(write_overrides(store, new, run_id=run.run_id, moment=run.started))
                _withdraw(run, earlier, f"pinned anew: {why}")
                told = {"entity": kind, "entity_id": number, "fields": sorted(wanted),
                        "override_ids": made, "reason": why, "until": until}  # fmt: skip
                _event(run, "pin.made", told)

            after, summary = self._done(store, definition, number, "crmq pin", day, write, dry_run)
            gone = tuple(earlier["override_id"])
            new = () if dry_run else tuple(made)
            return Pinned(kind, number, new, gone, before, after, hints, summary)

    def unpin(
        self,
        customer: str | int,
        fields: Sequence[str] = (),
        *,
        reason: str,
        expect_version: int | None = None,
        dry_run: bool = False,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Pinned:
        """Withdraw the pins in force of a customer; its records' values count again.

        Args:
            customer: ``entity:NUMBER``, or any of its records as number or ``source:key``.
            fields: Of these fields; empty = of all.
            reason: Why.
            expect_version: Refuse if the golden record has another ``version`` by now.
            dry_run: Write nothing; say what would change.
            entity: Where records of several entities have that key.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such customer, or no such pin in force.
            RefusedError: The customer has changed meanwhile.
            UsageError: No reason is given.
        """
        why, day = _stated(reason), as_of or datetime.now(UTC).date()
        with self._project.store() as store:
            kind, number = customer_named(store, customer, entity)
            definition = self._project.rules.entity(kind)
            check_stored(definition, fields)
            before = _expected(store, kind, number, expect_version)
            pins = _pins_of(store, kind, number, day)
            for name in fields:
                if pins.filter(pl.col("field") == name).is_empty():
                    raise NotFoundError(
                        f"{kind} {number} has no pin of {name} in force; see crmq pins"
                    )
            gone = pins.filter(pl.col("field").is_in([*fields])) if fields else pins
            if gone.is_empty():
                raise NotFoundError(f"{kind} {number} has no pin in force; see crmq pins")

            def write(run: RunUnderway) -> None:
                _withdraw(run, gone, why)
                told = {"entity": kind, "entity_id": number, "reason": why,
                        "override_ids": gone["override_id"].to_list()}  # fmt: skip
                _event(run, "pin.withdrawn", told)

            after, summary = self._done(
                store, definition, number, "crmq unpin", day, write, dry_run
            )
            return Pinned(kind, number, (), tuple(gone["override_id"]), before, after, (), summary)

    def pins(self, *, everything: bool = False, as_of: date | None = None) -> pl.DataFrame:
        """Pins that are not withdrawn, the first made first.

        Args:
            everything: Withdrawn ones, too.
            as_of: The day that counts as today; null = today.

        Returns:
            See `crm_quality.store.overrides.overrides`.
        """
        with self._project.store() as store:
            found = overrides(store, as_of or datetime.now(UTC).date())
        found = found.filter(pl.col("kind") == PINNED).drop("kind", "proposal_id")
        return found if everything else found.filter(pl.col("state") != "withdrawn")

    def _judged(
        self,
        store: Store,
        definition: EntityDefinition,
        number: int,
        values: Mapping[str, str | None],
        day: date,
    ) -> tuple[dict[str, str | None], tuple[str, ...]]:
        """Field → canonical text, and hints; refuses what cannot be taken."""
        ids = pl.DataFrame({"line": [1], "entity_id": [number]})
        said = ids.with_columns(pl.lit(text or "").alias(name) for name, text in values.items())
        judged = judge_entries(
            said,
            golden_of(store, definition.entity, [number]),
            definition,
            source="steward",
            sources={},
            country=self._project.config.country,
            as_of=day,
        )
        faulty = judged.values.drop_nulls("fault")
        if faulty.height:
            told = "; ".join(
                f"{name}: {fault}" for name, fault in faulty.select("field", "fault").iter_rows()
            )
            raise RefusedError(f"{told}; nothing was pinned")
        texts = dict(judged.values.select("field", "value").iter_rows())
        hints = judged.hints.select("field", "message").iter_rows()
        return texts, tuple(f"{name}: {message}" for name, message in hints)

    def _done(
        self,
        store: Store,
        definition: EntityDefinition,
        number: int,
        command: str,
        day: date,
        write: Any,  # noqa: ANN401 - a function of the run
        dry_run: bool,
    ) -> tuple[dict[str, Any], Summary | None]:
        """The golden record after ``write``, and the run that wrote it."""
        touched = pl.DataFrame({"entity_id": [number]}, schema={"entity_id": pl.Int64})
        after: dict[str, Any] = {}
        try:
            with overriding(self._project, store, command, day) as run:
                run.fit_tables(definition)
                write(run)
                rewrite_touched(run, definition, touched)
                after = golden_record(store, definition.entity, number) or {}
                if dry_run:
                    raise _DryRun  # noqa: TRY301 - takes the transaction back
        except _DryRun:
            return after, None
        return after, run.outcome.summary


@contextmanager
def overriding(project: Project, store: Store, command: str, day: date) -> Iterator[RunUnderway]:
    """A run that changes overrides and nothing else: nobody is matched again."""
    with (
        store.transaction(),
        run_within(
            store,
            project.rules,
            project.config,
            Clock(),
            actor=project.actor,
            command=command,
            as_of=day,
            few=True,
        ) as run,
    ):
        run.changed = True
        yield run


def rewrite_touched(run: RunUnderway, definition: EntityDefinition, touched: pl.DataFrame) -> None:
    """Derive golden records (``entity_id``) again, and say which have changed."""
    none = pl.DataFrame(schema={"entity_id": pl.Int64})
    rewritten = rewrite_golden(
        run.store,
        definition,
        touched,
        none,
        run_id=run.run_id,
        clock=run.clock,
        policy=Policy(run.rules.sources, run.as_of),
    )
    run.store.append(
        "audit.change",
        rewritten.changed.with_columns(
            pl.lit(run.run_id, pl.Int64).alias("run_id"),
            pl.lit(definition.entity).alias("entity"),
            pl.lit("changed").alias("kind"),
        ),
    )
    run.count_store(definition)
    run.add_counts(MatchCounts(), GoldenCounts(changed=rewritten.changed.height))


_ROW = {
    "entity": pl.String,
    "record_id": pl.Int64,
    "field": pl.String,
    "kind": pl.String,
    "value": pl.String,
    "actor": pl.String,
    "reason": pl.String,
    "expires_on": pl.Date,
}


def _pins_of(store: Store, entity: str, number: int, day: date) -> pl.DataFrame:
    """Pins of a customer's records that are in force, or outdone by others that are."""
    return overrides(store, day).filter(
        pl.col("kind") == PINNED,
        pl.col("entity") == entity,
        pl.col("entity_id") == number,
        pl.col("state").is_in(["in force", "outdone"]),
    )


def _expected(store: Store, entity: str, number: int, version: int | None) -> dict[str, Any]:
    """The golden record; refused where it is not of the version that somebody saw."""
    found = golden_record(store, entity, number) or {}
    if version is not None and found.get("version") != version:
        raise RefusedError(
            f"{entity} {number} is at version {found.get('version')} by now, not {version}: "
            "somebody has changed it; look at it again"
        )
    return found


def _withdraw(run: RunUnderway, gone: pl.DataFrame, why: str) -> None:
    withdraw_overrides(
        run.store, gone["override_id"], actor=run.actor, reason=why, moment=run.started
    )


def _event(run: RunUnderway, kind: str, told: Mapping[str, object]) -> None:
    record_event(run.store, kind, told, actor=run.actor, occurred_at=run.started, run_id=run.run_id)


def _stated(reason: str) -> str:
    text = (reason or "").strip()
    if not text:
        raise UsageError("say why: --reason TEXT; it is kept with the pin")
    return text
