"""Acting on whole customers: merge, unmerge, split, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.acting import Intent, merging, splitting, unmerging
from crm_quality.engine.entity_history import EntityHistory, entity_history
from crm_quality.engine.objections import mind_decisions
from crm_quality.engine.preview import Preview, previewed
from crm_quality.engine.run import RunRequest, execute_within
from crm_quality.engine.summary import Clock
from crm_quality.errors import MatchError, RefusedError, UsageError
from crm_quality.match.decided import DIFFERENT, SAME
from crm_quality.store.acts import Act, all_acts, keep_act, next_act, take_back
from crm_quality.store.changes import call_unmerged
from crm_quality.store.decisions import withdraw_decisions, write_decisions
from crm_quality.store.golden import golden_of
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.store import Store

_PAST = {"merge": "merged", "unmerge": "unmerged", "split": "split"}
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Acted:
    """What was done to customers, or would be.

    Attributes:
        kind: merge, unmerge or split.
        entity: What the customers are.
        act_id: The number of the act; null = it was a dry run, nothing was written.
        preview: Ids and golden records before and after; of a dry run also what the business
            counts.
        outcome: The run that applied it; of a dry run, what it would have done.
    """

    kind: str
    entity: str
    act_id: int | None
    preview: Preview
    outcome: RunOutcome

    def to_dict(self, rules: RuleSet, *, show_personal: bool = False) -> dict[str, Any]:
        """As JSON tells it."""
        summary = self.outcome.summary
        return {
            "schema_version": SCHEMA_VERSION,
            "act": self.kind,
            "act_id": self.act_id,
            "run_id": None if self.act_id is None else summary.run_id,
            "entity": self.entity,
            "applied": self.act_id is not None,
            **self.preview.to_dict(rules, show_personal=show_personal),
        }


class Entities:
    """Whole customers, and what stewards do to them; reached as ``project.entities``.

    Every act needs a reason, is one run and one row of its own, and rests on decisions that every
    later run applies. With ``dry_run`` it is done, looked at and taken back: nothing is written.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Store]],
        rules: RuleSet,
        config: ProjectConfig,
        actor: str,
    ) -> None:
        self._opened, self._rules, self._config, self._actor = opened, rules, config, actor

    def merge(
        self,
        *customers: str | int,
        reason: str,
        entity: str | None = None,
        expected: Mapping[int, int] | None = None,
        dry_run: bool = False,
    ) -> Acted:
        """Join customers into one, whatever the evidence weighs.

        The one accepted first keeps its id; the other ids go on resolving to it.

        Args:
            *customers: Two or more, each by one of its records (number or ``source:key``).
            reason: Why.
            entity: What they are, where a key stands for several.
            expected: Customer → the version that the caller has seen.
            dry_run: Only say what it would do.

        Raises:
            NotFoundError: There is no such record.
            RefusedError: Decisions in force say they are different, or a version is stale.
        """
        return self._act(
            lambda store: merging(store, [str(one) for one in customers], entity),
            reason,
            expected,
            dry_run=dry_run,
        )

    def unmerge(
        self,
        customer: str | int,
        *,
        reason: str,
        entity: str | None = None,
        expected: Mapping[int, int] | None = None,
        dry_run: bool = False,
    ) -> Acted:
        """Take the last merge of a customer back, exactly; what was edited since is kept.

        The parts are decided to be different, so that nothing joins them again.

        Args:
            customer: One of its records, or ``act:NUMBER`` of the merge.
            reason: Why.
            entity: What it is, where a key stands for several.
            expected: Customer → the version that the caller has seen.
            dry_run: Only say what it would do.

        Raises:
            RefusedError: It was not a merge that joined it, later decisions hold it together, or a
                version is stale.
        """
        return self._act(
            lambda store: unmerging(store, str(customer), entity),
            reason,
            expected,
            dry_run=dry_run,
        )

    def split(
        self,
        customer: str | int,
        *records: str | int,
        reason: str,
        entity: str | None = None,
        expected: Mapping[int, int] | None = None,
        dry_run: bool = False,
    ) -> Acted:
        """Let records leave their customer together, whoever or whatever joined them.

        They become one customer. What stays is joined as the evidence says. The two are decided to
        be different.

        Args:
            customer: One of its records.
            *records: Those that leave.
            reason: Why.
            entity: What it is, where a key stands for several.
            expected: Customer → the version that the caller has seen.
            dry_run: Only say what it would do.

        Raises:
            UsageError: A record is none of the customer's, or nobody would stay.
            RefusedError: Decisions in force hold them together, or a version is stale.
        """
        return self._act(
            lambda store: splitting(store, str(customer), [str(one) for one in records], entity),
            reason,
            expected,
            dry_run=dry_run,
        )

    def history(self, customer: str | int, *, entity: str | None = None) -> EntityHistory:
        """What became of a customer, by whom, when and why, also of ids that went into it."""
        with self._opened() as store:
            return entity_history(store, str(customer), entity)

    def acts(self) -> pl.DataFrame:
        """Every merge, unmerge and split: the columns of `crm_quality.store.acts.Act`."""
        with self._opened() as store:
            return all_acts(store)

    def _act(
        self,
        wanted: Callable[[Store], Intent],
        reason: str,
        expected: Mapping[int, int] | None,
        *,
        dry_run: bool,
    ) -> Acted:
        if not reason.strip() and not dry_run:
            raise UsageError("acting on a customer needs a reason: --reason TEXT")
        with self._opened() as store, store.rehearsal() if dry_run else store.transaction():
            intent = wanted(store)
            if not self._rules.entity(intent.entity).is_customer:
                raise UsageError(
                    f"{intent.customers[0]} is a {intent.entity}: rows that hang on customers are "
                    "never merged or split; name a contact or a company"
                )
            if expected:
                mind_versions(store, intent.entity, expected)
            mind_decisions(store, intent)
            done = self._done(store, intent, reason, reckoned=dry_run)
        return (
            done if not dry_run else Acted(done.kind, done.entity, None, done.preview, done.outcome)
        )

    def _done(self, store: Store, intent: Intent, reason: str, *, reckoned: bool) -> Acted:
        moment = datetime.now(UTC).replace(tzinfo=None)
        made: list[int] = []

        def do() -> RunOutcome:
            withdraw_decisions(store, intent.withdraw, moment=moment)
            pairs = _pairs(intent, reason)
            made.extend(
                write_decisions(store, intent.entity, pairs, actor=self._actor, moment=moment)
            )
            today = datetime.now(UTC).date()
            request = RunRequest(
                [], self._actor, f"crmq {intent.kind}", today, homes=intent.homes, few=True
            )
            return execute_within(store, self._rules, self._config, request, Clock())

        preview, outcome, went = previewed(
            store, intent.entity, intent.members, do, reckoned=reckoned
        )
        _check(intent, went)
        run_id = int(outcome.summary.run_id or 0)
        after_ids = went["entity_after"].unique().sort().to_list()
        act = Act(
            act_id=next_act(store),
            run_id=run_id,
            entity=intent.entity,
            kind=intent.kind,
            entity_id=min(after_ids) if intent.kind == "merge" else intent.customers[0],
            actor=self._actor,
            reason=reason,
            acted_at=moment,
            takes_back=None if intent.takes_back is None else intent.takes_back.act_id,
            taken_back_run=None,
        )
        effects = [("made", made), ("withdrawn", intent.withdraw)]
        decisions = pl.DataFrame(
            [(one, effect) for effect, numbers in effects for one in numbers],
            schema={"decision_id": pl.Int64, "effect": pl.String},
            orient="row",
        )
        keep_act(store, act, went, decisions)
        if intent.takes_back is not None:
            take_back(store, intent.takes_back.act_id, run_id=run_id)
            call_unmerged(store, intent.entity, run_id)
        record_event(
            store,
            f"entity.{_PAST[intent.kind]}",
            {
                "act_id": act.act_id,
                "entity": intent.entity,
                "before": intent.customers,
                "after": after_ids,
                "decisions_made": len(made),
                "decisions_withdrawn": len(intent.withdraw),
                "takes_back": act.takes_back,
                "reason": reason,
            },
            actor=self._actor,
            occurred_at=moment,
            run_id=run_id,
        )
        return Acted(intent.kind, intent.entity, act.act_id, preview, outcome)


def mind_versions(store: Store, entity: str, expected: Mapping[int, int]) -> None:
    """Refuse an act of somebody who has seen earlier versions of the customers.

    Raises:
        RefusedError: One is of another version now, or is no more.
    """
    rows = golden_of(store, entity, list(expected)).select("entity_id", "version").iter_rows()
    now = dict(rows)
    for entity_id, version in expected.items():
        if now.get(entity_id) != version:
            is_now = f"is of version {now[entity_id]} now" if entity_id in now else "is no more"
            raise RefusedError(
                f"customer {entity_id} {is_now}, not of version {version}: somebody else has "
                f"changed it meanwhile; nothing was done; look again: crmq history {entity_id}"
            )


def _pairs(intent: Intent, reason: str) -> pl.DataFrame:
    """The decisions of an intent as `write_decisions` takes them."""
    wanted = [(*pair, SAME) for pair in intent.same] + [
        (*pair, DIFFERENT) for pair in intent.different
    ]
    pairs = pl.DataFrame(
        wanted,
        schema={"record_id_l": pl.Int64, "record_id_r": pl.Int64, "verdict": pl.String},
        orient="row",
    )
    keys = intent.members.select("record_id", "source", "source_key")
    for side in "lr":
        named = {name: f"{name}_{side}" for name in keys.columns}
        pairs = pairs.join(
            keys.rename(named), on=f"record_id_{side}", how="left", maintain_order="left"
        )
    return pairs.with_columns(pl.lit(reason).alias("reason"))


def _check(intent: Intent, went: pl.DataFrame) -> None:
    """An act that does not do what it says is not kept."""
    home = dict(went.select("record_id", "entity_after").iter_rows())
    homes = [{home[one] for one in part} for part in intent.parts]
    together = intent.kind == "merge" and len(homes[0]) > 1
    away = intent.kind == "split" and len(homes[0]) > 1
    mixed = any(one & other for place, one in enumerate(homes) for other in homes[place + 1 :])
    if together or away or mixed:
        raise MatchError(
            f"the {intent.kind} cannot be done as asked: other decisions move its records; nothing "
            "was written; crmq review decisions lists what is in force"
        )
