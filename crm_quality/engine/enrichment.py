"""Enrichment: what others say of customers arrives as proposals, which a steward decides on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.overrides import overriding, rewrite_touched
from crm_quality.engine.proposing import LINES, Enriching, lines_of, standing
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.intake import read
from crm_quality.merge import kept_text
from crm_quality.store.golden import golden_of
from crm_quality.store.overrides import ENRICHED, outlived, withdraw_overrides, write_overrides
from crm_quality.store.proposals import (
    ACCEPTED,
    OPEN,
    REJECTED,
    STATUSES,
    SUPERSEDED,
    decide_proposals,
    proposals,
    write_proposals,
)
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.engine.project import Project
    from crm_quality.engine.summary import Summary
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store

_NAMED = 5
_NONE_LEFT = pl.Schema(
    {"proposal_id": pl.Int64(), "entity_id": pl.Int64(), "field": pl.String(),
     "reason": pl.String()}
)  # fmt: skip


@dataclass(frozen=True)
class Proposed:
    """What became of a file.

    Attributes:
        rows: How many rows it has.
        lines: Frame of `LINES`: one row per filled cell of a row that names a customer, and one per
            row that names nobody. ``outcome``: ``proposed``, ``known`` (the golden record or an
            earlier proposal says so), ``pinned``, ``newer`` (the golden value is), ``outdone`` (by
            a later row), ``refused`` (no entry could have it) or ``nobody``, with the ``reason``.
        proposal_ids: The proposals that are new.
        notes: What people should know.
    """

    rows: int
    lines: pl.DataFrame
    proposal_ids: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Outcome → how many lines."""
        return dict(self.lines.group_by("outcome").len().sort("outcome").iter_rows())


@dataclass(frozen=True)
class Decided:
    """What became of proposals that somebody decided on.

    Attributes:
        decided: Ids that are accepted, or rejected, now.
        left: ``proposal_id``, ``entity_id``, ``field``, ``reason`` of those that stay open because
            what the golden record says stands.
        summary: The run that put values into golden records or took them out; null = none was
            needed.
    """

    decided: tuple[int, ...]
    left: pl.DataFrame = field(default_factory=_NONE_LEFT.to_frame)
    summary: Summary | None = None


class Enrichment:
    """Proposals for golden values, reached as ``project.enrichment``.

    A proposal never replaces a value that is pinned or newer. One that is accepted stands in the
    golden record, with who accepted it, until a record of the customer's own says something of
    the field that came later.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def propose(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        *,
        source: str | None = None,
        entity: str = "contact",
        as_of: date | None = None,
    ) -> Proposed:
        """Read what a file says of customers; what is new becomes proposals.

        Args:
            data: A path or frame. Its rows name a customer by ``source`` and ``source_key``, by
                ``entity_id``, or by an e-mail address that one customer has, in this order; a
                column ``updated_at`` says as of when a row is true, else it is as of now.
            source: Who says so; null = the file's name.
            entity: What the rows are about.
            as_of: The day that counts as today.

        Raises:
            InputError: It cannot be read, names nobody, or has no column that is a field.
            NotFoundError: There is no such entity.
        """
        project = self._project
        table = read(data)
        how = Enriching(
            rules=project.rules,
            country=project.config.country,
            entity=project.rules.entity(entity).entity,
            source=source or PurePath(table.name).stem,
            moment=_now(),
            as_of=as_of or datetime.now(UTC).date(),
        )
        with project.store() as store:
            lines, notes = lines_of(store, table, how)
            notes = [*table.warnings, *notes]
            fresh = lines.filter(pl.col("outcome") == "proposed")
            if fresh.is_empty():
                return Proposed(table.frame.height, lines, (), tuple(notes))
            with store.transaction():
                ids = self._keep(store, fresh, table.name, how)
        return Proposed(table.frame.height, lines, tuple(ids), tuple(notes))

    def proposals(
        self,
        status: str | None = OPEN,
        *,
        field: str | None = None,
        source: str | None = None,
        entity: str | None = None,
    ) -> pl.DataFrame:
        """Proposals, the first made first.

        Args:
            status: ``open``, ``accepted``, ``rejected`` or ``superseded``; null = all.
            field: Of this field only.
            source: Of this source only.
            entity: Of this entity only.

        Raises:
            UsageError: There is no such status.
        """
        if status is not None and status not in STATUSES:
            raise UsageError(f"there is no status {status!r}; choose from {', '.join(STATUSES)}")
        with self._project.store() as store:
            found = proposals(store, entity=entity, status=status)
        return _among(found, field, source)

    def accept(
        self,
        proposal_ids: Sequence[int] | None = None,
        *,
        reason: str,
        field: str | None = None,
        source: str | None = None,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Decided:
        """Put proposed values into golden records, as one run.

        Args:
            proposal_ids: Which; null = all that are open, of ``field``, ``source`` and ``entity``.
            reason: Why.
            field: Of this field only, where none is named.
            source: Of this source only, where none is named.
            entity: Of this entity only, where none is named.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There is no such proposal.
            RefusedError: A proposal that was named is not open, or the golden record's value
                stands. Nothing was accepted.
            UsageError: No reason is given.
        """
        why = _stated(reason)
        with self._project.store() as store:
            wanted = _chosen(store, proposal_ids, (OPEN,), field, source, entity)
            told = [_standing(store, kind, own) for kind, own in _by_entity(wanted)]
            left = pl.concat([_NONE_LEFT.to_frame(), *told])
            if left.height and proposal_ids is not None:
                first = "; ".join(
                    f"proposal {one['proposal_id']}: {one['reason']}"
                    for one in left.head(_NAMED).iter_rows(named=True)
                )
                raise RefusedError(f"{first}; nothing was accepted")
            good = wanted.join(left, on="proposal_id", how="anti", maintain_order="left")
            if good.is_empty():
                return Decided((), left)
            day = as_of or datetime.now(UTC).date()
            with overriding(self._project, store, "crmq enrich accept", day) as run:
                self._accept(run, good, why)
        return Decided(tuple(good["proposal_id"]), left, run.outcome.summary)

    def reject(
        self,
        proposal_ids: Sequence[int] | None = None,
        *,
        reason: str,
        field: str | None = None,
        source: str | None = None,
        entity: str | None = None,
        as_of: date | None = None,
    ) -> Decided:
        """Turn proposals down; one that was accepted is taken out of the golden record again.

        The same file does not make them again. Arguments as for `accept`; without ids, all that are
        open.

        Raises:
            NotFoundError: There is no such proposal.
            RefusedError: One that was named is rejected or superseded already.
            UsageError: No reason is given.
        """
        why, day = _stated(reason), as_of or datetime.now(UTC).date()
        with self._project.store() as store:
            states = (OPEN, ACCEPTED)
            wanted = _chosen(store, proposal_ids, states, field, source, entity)
            if wanted.is_empty():
                return Decided(())
            accepted = wanted.filter(pl.col("status") == ACCEPTED)
            ids = tuple(wanted["proposal_id"])
            if accepted.is_empty():
                with store.transaction():
                    self._reject(store, wanted, why, _now(), None)
                return Decided(ids)
            with overriding(self._project, store, "crmq enrich reject", day) as run:
                self._reject(store, wanted, why, run.started, run.run_id)
                for kind, own in _by_entity(accepted):
                    withdraw_overrides(
                        store,
                        _overrides_of(store, own),
                        actor=run.actor,
                        reason=why,
                        moment=run.started,
                    )
                    rewrite_touched(run, run.rules.entity(kind), own.select("entity_id").unique())
        return Decided(ids, summary=run.outcome.summary)

    def _keep(self, store: Store, fresh: pl.DataFrame, origin: str, how: Enriching) -> list[int]:
        actor = self._project.actor
        earlier = proposals(store, entity=how.entity, status=OPEN).filter(
            pl.col("source") == how.source
        )
        overtaken = earlier.join(fresh, on=["entity_id", "field"], how="semi")
        made = fresh.select(
            pl.lit(how.entity).alias("entity"),
            pl.col("entity_id").alias("record_id"),
            "field",
            "old_value",
            pl.col("value").alias("new_value"),
            pl.lit(how.source).alias("source"),
            pl.lit(origin).alias("origin"),
            "row_number",
            "updated_at",
            pl.lit(how.moment).alias("proposed_at"),
            pl.lit(actor).alias("proposed_by"),
        )
        ids = write_proposals(store, made)
        decide_proposals(
            store,
            overtaken["proposal_id"],
            SUPERSEDED,
            actor=actor,
            reason=f"{how.source} says otherwise now",
            moment=how.moment,
        )
        told = {"entity": how.entity, "source": how.source, "origin": origin,
                "proposals": len(ids), "superseded": overtaken.height}  # fmt: skip
        record_event(store, "enrichment.proposed", told, actor=actor, occurred_at=how.moment)
        return ids

    def _accept(self, run: RunUnderway, good: pl.DataFrame, why: str) -> None:
        earlier = run.store.frame(
            "SELECT override_id, entity, record_id, field FROM crm.override"
            " WHERE kind = ? AND withdrawn_at IS NULL",
            [ENRICHED],
        ).join(good, on=["entity", "record_id", "field"], how="semi")
        withdraw_overrides(
            run.store,
            earlier["override_id"],
            actor=run.actor,
            reason="a later proposal was accepted",
            moment=run.started,
        )
        made = good.select(
            "entity",
            "record_id",
            "field",
            pl.lit(ENRICHED).alias("kind"),
            pl.col("new_value").alias("value"),
            pl.lit(run.actor).alias("actor"),
            pl.lit(why).alias("reason"),
            pl.col("proposed_at").alias("arrived_at"),
            "proposal_id",
        )
        write_overrides(run.store, made, run_id=run.run_id, moment=run.started)
        decide_proposals(
            run.store,
            good["proposal_id"],
            ACCEPTED,
            actor=run.actor,
            reason=why,
            moment=run.started,
        )
        for kind, own in _by_entity(good):
            run.fit_tables(run.rules.entity(kind))
            rewrite_touched(run, run.rules.entity(kind), own.select("entity_id").unique())
        told = {"proposal_ids": good["proposal_id"].to_list(), "reason": why}
        record_event(
            run.store,
            "enrichment.accepted",
            told,
            actor=run.actor,
            occurred_at=run.started,
            run_id=run.run_id,
        )

    def _reject(
        self, store: Store, wanted: pl.DataFrame, why: str, moment: datetime, run_id: int | None
    ) -> None:
        actor = self._project.actor
        ids = wanted["proposal_id"]
        decide_proposals(store, ids, REJECTED, actor=actor, reason=why, moment=moment)
        told = {"proposal_ids": ids.to_list(), "reason": why}
        record_event(
            store, "enrichment.rejected", told, actor=actor, occurred_at=moment, run_id=run_id
        )


def _chosen(
    store: Store,
    proposal_ids: Sequence[int] | None,
    states: tuple[str, ...],
    field: str | None,
    source: str | None,
    entity: str | None,
) -> pl.DataFrame:
    """The proposals that were named; without names, those that are open."""
    every = proposals(store, entity=entity)
    if proposal_ids is None:
        return _among(every.filter(pl.col("status") == OPEN), field, source)
    status = dict(every.select("proposal_id", "status").iter_rows())
    for number in proposal_ids:
        if number not in status:
            raise NotFoundError(f"there is no proposal {number}; see crmq enrich list")
        if status[number] not in states:
            raise RefusedError(f"proposal {number} is {status[number]} already")
    return every.filter(pl.col("proposal_id").is_in(list(proposal_ids)))


def _among(found: pl.DataFrame, field: str | None, source: str | None) -> pl.DataFrame:
    if field is not None:
        found = found.filter(pl.col("field") == field)
    return found if source is None else found.filter(pl.col("source") == source)


def _by_entity(found: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    return [(str(kind), own) for (kind,), own in found.group_by("entity", maintain_order=True)]


def _standing(store: Store, entity: str, wanted: pl.DataFrame) -> pl.DataFrame:
    """Frame of `_NONE_LEFT`: proposals that what the golden record says goes before."""
    golden = golden_of(store, entity, wanted["entity_id"].unique())
    fields = [name for name in wanted["field"].unique() if name in golden.columns]
    now = golden.select("entity_id", *(kept_text(golden[name]).alias(name) for name in fields))
    now = now.unpivot(fields, index="entity_id", variable_name="field", value_name="old_value")
    lines = wanted.drop("old_value").join(
        now, on=["entity_id", "field"], how="left", maintain_order="left"
    )
    lines = standing(store, lines, entity)
    late = outlived(store, entity, lines.with_columns(pl.col("proposed_at").alias("arrived_at")))
    alive = pl.col("entity_id").is_in(golden["entity_id"].implode())
    newest = (
        pl.col("proposal_id").sort_by("updated_at", "proposal_id").last().over("entity_id", "field")
    )
    why = (
        pl.when(~alive)
        .then(pl.lit("the customer has no golden record any more"))
        .when(pl.col("is_pinned"))
        .then(pl.lit("a steward has pinned the value"))
        .when(pl.col("is_newer"))
        .then(pl.lit("the golden value is newer"))
        .when(pl.col("proposal_id").is_in(late["proposal_id"].implode()))
        .then(pl.lit("a record of the customer's own has said something of it since"))
        .when(pl.col("proposal_id") != newest)
        .then(pl.format("proposal {} says it later", newest))
    )
    told = lines.select("proposal_id", "entity_id", "field", why.alias("reason"))
    return told.drop_nulls("reason")


def _overrides_of(store: Store, accepted: pl.DataFrame) -> list[int]:
    with store.staged(accepted.select("proposal_id"), "accepted"):
        rows = store.rows(
            "SELECT override_id FROM crm.override WHERE withdrawn_at IS NULL"
            " AND proposal_id IN (FROM accepted) ORDER BY 1"
        )
    return [row[0] for row in rows]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _stated(reason: str) -> str:
    text = (reason or "").strip()
    if not text:
        raise UsageError("say why: --reason TEXT; it is kept with the decision")
    return text


__all__ = ["LINES", "Decided", "Enrichment", "Proposed"]
