"""The quarantine of a project: what waits, and what a steward does about it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import polars as pl

from crm_quality.engine.fixing import (
    WISHES,
    changes_only,
    check_fields,
    correct,
    refuse,
    texts_in_force,
)
from crm_quality.engine.second_look import VERDICTS
from crm_quality.engine.set_aside_record import RecordPage, record_page
from crm_quality.engine.summary import Clock, Summary
from crm_quality.engine.underway import run_underway
from crm_quality.engine.waiting import Among, Filters, waiting
from crm_quality.engine.waiving import check_again, waive, withdraw
from crm_quality.engine.workbook import MOST_RECORDS, Workbook, write_workbooks
from crm_quality.engine.workbook_return import judged, read_workbook, wishes_of, with_verdicts
from crm_quality.engine.workbook_rows import lines_to_mend
from crm_quality.errors import RefusedError, UsageError
from crm_quality.store.lookup import find_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from crm_quality.engine.project import Project
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store


@dataclass(frozen=True)
class Decided:
    """What became of the records that somebody decided about.

    Attributes:
        verdicts: One row per record: ``entity``, ``record_id``, ``source``, ``source_key``,
            ``outcome`` (``released``, ``waived``, ``accepted``: it was before, ``waiting``,
            ``unchanged``: nothing new was said), and lists: ``rules`` and ``reasons`` of the errors
            that hold it still.
        summary: The run that did it; null = nothing was new, so nothing was written.
    """

    verdicts: pl.DataFrame
    summary: Summary | None = None

    @property
    def waiting(self) -> pl.DataFrame:
        """The records that wait on."""
        return self.verdicts.filter(pl.col("outcome") == "waiting")


@dataclass(frozen=True)
class Returned:
    """What became of the lines of a workbook.

    Attributes:
        lines: One row per line: ``line`` (its place, from 1), ``entity``, ``record_id``,
            ``source``, ``source_key``, ``field``, ``outcome`` (``applied``: its record is accepted;
            ``still failing``: the correction is kept and the record waits on; ``unchanged``;
            ``stale``: the record has changed since; ``refused``), ``reasons``.
        summary: The run that did it; null = nothing was applied, so nothing was written.
    """

    lines: pl.DataFrame
    summary: Summary | None = None


class Quarantine:
    """The records of a project that wait, reached as ``project.quarantine``.

    Every change is one run: one transaction, recorded with its author and reason.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def waiting(self, *, as_of: date | None = None, **among: Unpack[Filters]) -> pl.DataFrame:
        """The records that wait, see `crm_quality.engine.waiting.waiting`.

        Args:
            as_of: The day that counts as today; null = today.
            **among: Which of them, by ``entity``, ``source``, ``owner`` and ``rule`` (that holds
                them) and ``days`` (at least); without any, all.

        Raises:
            NotFoundError: There is no such entity, rule or owner.
        """
        with self._project.store() as store:
            return waiting(store, self._project.rules, Among(**among), as_of=_day(as_of))

    def show(self, record: str | int, *, entity: str | None = None) -> RecordPage:
        """Everything about one record: values, the row as it came, issues, history.

        Args:
            record: A record id, or ``source:key``.
            entity: Where records of several entities have that key.

        Raises:
            NotFoundError: There is no such record.
        """
        with self._project.store() as store:
            kind, number = find_record(store, record, entity=entity)
            return record_page(store, self._project.rules, kind, number)

    def fix(
        self,
        record: str | int,
        corrections: Mapping[str, str | None],
        *,
        reason: str,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Decided:
        """Say what fields of a record should be; if it passes then, it goes the whole way.

        A correction is kept also where it is not enough. It holds for the very row that the source
        sent: the same row again changes nothing, a changed row counts as the source sent it.

        Args:
            record: A record id, or ``source:key``.
            corrections: Field → text; null or blank = the field is to be empty.
            reason: Why.
            entity: Where records of several entities have that key.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such record or field.
            RefusedError: The record is not in quarantine and was not.
            UsageError: Nothing is corrected, or no reason is given.
        """
        if not corrections:
            raise UsageError("say which field is to be what: field=value")
        why = _stated(reason)
        project = self._project
        with project.store() as store:
            kind, number = find_record(store, record, entity=entity)
            definition = project.rules.entity(kind)
            check_fields(definition, corrections)
            texts = texts_in_force(store, definition, [number])
            refusal = refuse(texts.row(0, named=True), kind)
            if refusal:
                raise RefusedError(refusal)
            wishes = pl.DataFrame(
                [(number, field, text, why) for field, text in corrections.items()],
                schema=WISHES,
                orient="row",
            )
            changes = changes_only(texts, wishes)
            if changes.is_empty():
                return Decided(_unchanged(kind, texts))
            with self._run(store, "fix", as_of) as run:
                verdicts = correct(run, definition, changes)
            return Decided(verdicts, run.outcome.summary)

    def release(
        self,
        records: Sequence[str | int] | None = None,
        *,
        reason: str = "checked again",
        as_of: date | None = None,
        progress: Callable[[str], None] | None = None,
        **among: Unpack[Filters],
    ) -> Decided:
        """Check what waits by the rules of today, and release what passes them.

        Args:
            records: Record ids, or ``source:key``; null = all that wait.
            reason: Why.
            as_of: The day that counts as today; null = today.
            progress: Called with the name of each stage as it begins.
            **among: Of these only, as for `waiting`.

        Raises:
            NotFoundError: There is no such record, entity, rule or owner.
            RefusedError: A record does not wait.
        """
        project, why = self._project, _stated(reason)
        with project.store() as store:
            found = waiting(store, project.rules, Among(**among), as_of=_day(as_of))
            if records is not None:
                asked = [find_record(store, name, entity=among.get("entity")) for name in records]
                found = _those(found, asked)
            if found.is_empty():
                return Decided(VERDICTS.to_frame())
            with self._run(store, "release", as_of, progress) as run:
                verdicts = check_again(run, found, reason=why)
            return Decided(verdicts, run.outcome.summary)

    def waive(
        self,
        record: str | int,
        *,
        until: date,
        reason: str,
        rules: Sequence[str] | None = None,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Decided:
        """Accept a record in spite of rules that it breaks, up to and including a day.

        A waiver is kept by the record's key: it holds for whatever its source sends, for these
        rules alone. After its day the next run sets the record aside again.

        Args:
            record: A record id, or ``source:key``.
            until: The last day on which it holds.
            reason: Why.
            rules: Codes of the rules; null = every error that it has now.
            entity: Where records of several entities have that key.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such record, or it does not break such a rule.
            RefusedError: Nothing is to be waived, or the source has deleted the record.
            UsageError: The day is past, or no reason is given.
        """
        why, day = _stated(reason), _day(as_of)
        if until < day:
            raise UsageError(f"the waiver would have expired already: {until} is before {day}")
        with self._project.store() as store:
            kind, number = find_record(store, record, entity=entity)
            with self._run(store, "waive", as_of) as run:
                verdicts = waive(run, kind, number, until=until, reason=why, rules=rules)
            return Decided(verdicts, run.outcome.summary)

    def withdraw_waiver(
        self,
        record: str | int,
        *,
        reason: str,
        rules: Sequence[str] | None = None,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Decided:
        """Take back a waiver before its day; a record that still fails waits again at once.

        Args:
            record: A record id, or ``source:key``.
            reason: Why.
            rules: Codes of the rules; null = every waiver of the record.
            entity: Where records of several entities have that key.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such record, or no such waiver in force.
            UsageError: No reason is given.
        """
        why = _stated(reason)
        with self._project.store() as store:
            kind, number = find_record(store, record, entity=entity)
            with self._run(store, "waive --withdraw", as_of) as run:
                verdicts = withdraw(run, kind, number, reason=why, rules=rules)
            return Decided(verdicts, run.outcome.summary)

    def write_workbooks(
        self, folder: str | Path, *, as_of: date | None = None, **among: Unpack[Filters]
    ) -> list[Workbook]:
        """Write one workbook (.xlsx) for each owner of what waits, to be filled in and read back.

        They show values as they are: a steward who corrects them has to see them.

        Args:
            folder: Where to; made if missing.
            as_of: The day that counts as today; null = today.
            **among: Which records, as for `waiting`; with an owner, only the workbook of that one.

        Returns:
            What was written; a workbook has the `MOST_RECORDS` that have waited longest.

        Raises:
            NotFoundError: There is no such entity, rule or owner.
            RefusedError: A workbook stands there already.
            InputError: The folder cannot be written to.
        """
        project, only = self._project, among.get("owner")
        with project.store() as store:
            found = waiting(store, project.rules, Among(**among), as_of=_day(as_of))
            owners = found["owners"].explode().drop_nulls().unique().sort().to_list()
            lines, counts = {}, {}
            for owner in owners if only is None else [only]:
                own = found.filter(pl.col("owners").list.contains(owner))
                every = lines_to_mend(store, project.rules, own.head(MOST_RECORDS))
                lines[owner] = [line for line in every if line.owner == owner]
                counts[owner] = own.height
        lines = {owner: own for owner, own in lines.items() if own}
        return write_workbooks(lines, project.rules, Path(folder), counts)

    def fix_from(
        self, workbook: str | Path, *, reason: str | None = None, as_of: date | None = None
    ) -> Returned:
        """Apply the corrections of a workbook, in one run.

        Args:
            workbook: A file that `write_workbooks` wrote.
            reason: Why, for corrections that give no reason themselves.
            as_of: The day that counts as today; null = today.

        Raises:
            InputError: It cannot be read, or is no such workbook.
            UsageError: Corrections have no reason.
        """
        project = self._project
        filled = read_workbook(Path(workbook), reason=reason)
        with project.store() as store:
            lines = judged(store, project.rules, filled)
            wishes = wishes_of(lines)
            if not wishes:
                return Returned(with_verdicts(lines, VERDICTS.to_frame()))
            verdicts = []
            with self._run(store, "fix", as_of) as run:
                for entity, wanted in wishes.items():
                    definition = project.rules.entity(entity)
                    ids = wanted["record_id"].unique().to_list()
                    texts = texts_in_force(store, definition, ids)
                    verdicts.append(correct(run, definition, changes_only(texts, wanted)))
            return Returned(with_verdicts(lines, pl.concat(verdicts)), run.outcome.summary)

    @contextmanager
    def _run(
        self,
        store: Store,
        verb: str,
        as_of: date | None,
        progress: Callable[[str], None] | None = None,
    ) -> Iterator[RunUnderway]:
        project = self._project
        with run_underway(
            store,
            project.rules,
            project.config,
            Clock(progress),
            actor=project.actor,
            command=f"crmq quarantine {verb}",
            as_of=_day(as_of),
        ) as run:
            yield run


def _day(as_of: date | None) -> date:
    return as_of or datetime.now(UTC).date()


def _stated(reason: str | None) -> str:
    text = (reason or "").strip()
    if not text:
        raise UsageError("say why: --reason TEXT; it is kept with the decision")
    return text


def _unchanged(entity: str, texts: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, pl.List(pl.String))
    return texts.select(
        pl.lit(entity).alias("entity"),
        "record_id",
        "source",
        "source_key",
        pl.lit("unchanged").alias("outcome"),
        nothing.alias("rules"),
        nothing.alias("reasons"),
    )


def _those(found: pl.DataFrame, asked: Sequence[tuple[str, int]]) -> pl.DataFrame:
    waits = set(found.select("entity", "record_id").iter_rows())
    for kind, number in asked:
        if (kind, number) not in waits:
            raise RefusedError(
                f"{kind} {number} does not wait in quarantine, or is not among those asked for; "
                "`crmq quarantine list` shows what waits"
            )
    wanted = pl.DataFrame(asked, schema={"entity": pl.String, "record_id": pl.Int64}, orient="row")
    return found.join(wanted, on=["entity", "record_id"], how="semi", maintain_order="left")


__all__ = ["Decided", "Quarantine", "RecordPage", "Returned", "Workbook"]
