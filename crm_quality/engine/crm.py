"""The CRM model as a business works with it: pipeline, tickets, tasks, campaigns, leads."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.crm import declare_service
from crm_quality.crm.calendar import calendar_of
from crm_quality.crm.reports import (
    LEADS_BY,
    PIPELINE_BY,
    TASKS_BY,
    TICKETS_BY,
    forecast_verdict,
    report,
)
from crm_quality.engine.business_report import business_report
from crm_quality.engine.conversion import CONVERTED, OWN_SOURCE, Converted, Wanted, converted
from crm_quality.engine.fitting import fit_store
from crm_quality.engine.leads import ACCEPTED, RETURNED, Step, answer, hand_over, move
from crm_quality.engine.outbox import notifications, send
from crm_quality.engine.summary import Clock
from crm_quality.engine.underway import run_within
from crm_quality.engine.workflow_values import COMMAND, keep_values
from crm_quality.engine.workflows import chosen, due_actions, keep_actions
from crm_quality.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

    from crm_quality.audit.business import Business
    from crm_quality.engine.project import Project
    from crm_quality.store import Store


class Crm:
    """What a business does with its customers; reached as ``project.crm``.

    Everything is read through views of the store (``crm.*``), so that a merge or its undoing moves
    nothing. Amounts of different currencies are never added up: every sum has its currency beside
    it. ``as_of`` is the day that counts as today: what is known by noon of it, UTC; a moment (UTC)
    may be given instead, and null = now.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def pipeline(self, by: str = "stage", *, as_of: date | None = None) -> pl.DataFrame:
        """Deals in force.

        Args:
            by: ``stage``, ``owner`` or ``month`` of closing: counts and sums per currency;
                ``deal``: one row each; ``conversion``: time in each stage and what became of the
                deals in it; ``move``: steps from stage to stage; ``history``: each stay of each
                deal; ``double``: pairs that look like one deal that came twice, with what the
                second adds to the forecast.
            as_of: The day that counts as today.

        Returns:
            The view behind it (``crm.pipeline``, ``pipeline_owner``, ``pipeline_month``,
            ``pipeline_deal``, ``stage_conversion``, ``stage_move``, ``deal_stage_event``,
            ``deal_double``); amounts are decimal, days and rates (percent) numbers, null = not
            known.

        Raises:
            UsageError: There is no such report.
        """
        return self._report(PIPELINE_BY, by, as_of)

    def forecast(self, *, as_of: date | None = None) -> pl.DataFrame:
        """What open deals will bring, per month and currency.

        Returns:
            ``month`` (its first day; null = no day is expected), ``currency``, ``deals``,
            ``amount`` and the forecasts ``stage`` (declared chances), ``history`` (shares won in
            the past) and ``plain`` (the average of the last three months). Null = the way knows
            nothing to go by.
        """
        with self._reading(as_of) as store:
            store.execute("SET VARIABLE crm_only_now = true")
            return store.frame("FROM crm.forecast ORDER BY month NULLS LAST, currency")

    def forecast_past(self, *, as_of: date | None = None) -> pl.DataFrame:
        """The forecasts of the last twelve months, each of its first moment, and what was won."""
        return self._frame("FROM crm.forecast_past ORDER BY month, currency", as_of)

    def forecast_error(self, *, as_of: date | None = None) -> pl.DataFrame:
        """By how much each way of forecasting was off, per month on average.

        Returns:
            ``currency``, ``months``, the mean absolute errors ``stage``, ``history``, ``plain``,
            ``best`` and ``says``, see `crm_quality.crm.reports.forecast_verdict`.
        """
        errors = self._frame("FROM crm.forecast_error ORDER BY currency", as_of)
        return forecast_verdict(errors)

    def tickets(self, by: str = "priority", *, as_of: date | None = None) -> pl.DataFrame:
        """Tickets in the company's working time.

        Args:
            by: ``priority``: medians in working hours and missed promises; ``customer``: open
                tickets of each; ``ticket``: one row each, times in working seconds.
            as_of: The day that counts as today.
        """
        return self._report(TICKETS_BY, by, as_of)

    def tasks(
        self,
        by: str = "task",
        *,
        owner: str | None = None,
        overdue: bool = False,
        as_of: date | None = None,
    ) -> pl.DataFrame:
        """Open tasks; late ones first.

        Args:
            by: ``task`` or ``owner``.
            owner: Only this person's, as tasks name them.
            overdue: Only those that are late where their owner is.
            as_of: The day that counts as today.
        """
        found = self._report(TASKS_BY, by, as_of)
        if owner is not None:
            name = owner.strip().lower()
            found = found.filter(pl.col("owner").str.strip_chars().str.to_lowercase() == name)
        if overdue:
            late = pl.col("is_overdue") if by == "task" else pl.col("overdue") > 0
            found = found.filter(late)
        return found

    def campaigns(self, *, as_of: date | None = None) -> pl.DataFrame:
        """Campaigns: one row each and currency, see the view ``crm.campaign_result``."""
        return self._frame("FROM crm.campaign_result ORDER BY campaign_id, currency", as_of)

    def renewals(self, *, as_of: date | None = None) -> pl.DataFrame:
        """Contracts to be renewed within 90 days, and before them those whose day has passed."""
        return self._frame(
            "FROM crm.contract_due WHERE is_overdue OR contract_id IN"
            " (SELECT contract_id FROM crm.renewal) ORDER BY renews_on, contract_id",
            as_of,
        )

    def leads(self, by: str = "stage", *, as_of: date | None = None) -> pl.DataFrame:
        """Contacts on their way to being customers.

        Args:
            by: ``stage``: how many are where; ``customer``: where each stands; ``role``: what
                each is to us (a person may be several things); ``history``: every step;
                ``fault``: steps that the rules do not allow, or back without a reason;
                ``handover``: leads given to sales; ``reason``: why they were returned.
            as_of: The day that counts as today.
        """
        return self._report(LEADS_BY, by, as_of)

    def attention(self, kind: str | None = None, *, as_of: date | None = None) -> pl.DataFrame:
        """What somebody should look at.

        Returns:
            ``kind`` (no_next_step, stale, slow_deal, past_close, double_deal, renewal_passed,
            owner_inactive, owner_unknown, unknown_caller), ``entity``, ``entity_id``, ``owner``,
            ``says``.
        """
        found = self._frame("FROM crm.attention ORDER BY kind, entity, entity_id", as_of)
        return found if kind is None else found.filter(pl.col("kind") == kind)

    def business(self, *, as_of: date | None = None) -> Business | None:
        """All of it for the page of the audit; null where nothing hangs on customers.

        See `crm_quality.engine.business_report.business_report`.
        """
        return business_report(self._project, as_of=as_of)

    def workflows(
        self,
        name: str | None = None,
        *,
        apply: bool = False,
        skip: bool = False,
        as_of: date | None = None,
    ) -> pl.DataFrame:
        """What the workflows of ``rules/workflows`` have to do now.

        An event that was answered is not answered again: a record for which a workflow holds is
        one event for ever, or one for each value of the fields that it names as ``once_per``.

        Args:
            name: Only this workflow.
            apply: Do it; tasks come into the store from the source ``crmq``, values by a run that
                can be undone, see `crm_quality.engine.workflow_values`. Else nothing is done.
            skip: Note it as answered and do nothing, as for what happened before a workflow was
                thought of.
            as_of: The day that counts as today.

        Returns:
            ``workflow``, ``entity``, ``record_id``, ``event``, ``place`` (of the action), ``kind``
            (task, tag, set, notify; skipped = a steward has pinned the field), ``name`` and
            ``value``.

        Raises:
            NotFoundError: There is no such workflow.
            UsageError: Both ``apply`` and ``skip``.
            RefusedError: A task cannot be taken in, or a value is none that the record could have;
                nothing is noted.
        """
        if apply and skip:
            raise UsageError("do what is due, or skip it, not both")
        project, rules = self._project, self._project.rules
        moment = _moment(as_of)
        with self._reading(as_of) as store:
            due, tasks = due_actions(store, rules, chosen(rules, name), moment=moment)
        if not (apply or skip) or due.is_empty():
            return due
        if apply and tasks.height:
            run = project.run(tasks, source=OWN_SOURCE, entity="task", command=COMMAND)
            if run.summary.records.quarantined:
                reasons = "; ".join(dict.fromkeys(run.issues["message"]))
                raise RefusedError(f"tasks wait in quarantine: {reasons}")
        with project.store() as store, store.transaction():
            if not apply or due.filter(pl.col("kind") == "set").is_empty():
                keep_actions(store, due, actor=project.actor, moment=moment, skipped=skip)
                return due
            with run_within(
                store,
                rules,
                project.config,
                Clock(),
                actor=project.actor,
                command=COMMAND,
                as_of=moment.date(),
                few=True,
            ) as underway:
                done = keep_values(underway, due)
                keep_actions(
                    store, done, actor=project.actor, moment=moment, run_id=underway.run_id
                )
        return done

    def workflow_log(self) -> pl.DataFrame:
        """What workflows have done: `workflows` with ``entity_id``, ``actor`` and ``fired_at``."""
        return self._frame(
            "FROM crm.workflow_log ORDER BY fired_at, workflow, record_id, place", None
        )

    def notifications(self, *, everything: bool = False) -> pl.DataFrame:
        """What workflows tell people and nobody has taken yet, the oldest first.

        Args:
            everything: What was taken, too.

        Returns:
            ``notification_id`` (text; always the same for the same event), ``workflow``,
            ``entity``, ``entity_id``, ``record_id``, ``event``, ``place``, ``recipient``, ``text``
            (personal), ``noted_at``, ``sent_at`` (UTC; null = it waits) and ``sent_by``.
        """
        with self._reading(None) as store:
            return notifications(store, everything=everything)

    def send_notifications(self, file: Path) -> int:
        """Add what waits to a file of JSON lines and note it as sent: each is taken once.

        Returns:
            How many.

        Raises:
            RefusedError: The file takes none; all wait on.
        """
        with self._writing() as (store, moment):
            return send(store, file, actor=self._project.actor, moment=moment)

    def calendar(
        self, *, owner: str | None = None, overdue: bool = False, as_of: date | None = None
    ) -> str:
        """Open tasks as the text of an ``.ics`` file, see `crm_quality.crm.calendar`."""
        tasks = self.tasks(owner=owner, overdue=overdue, as_of=as_of)
        return calendar_of(tasks, project=self._project.config.name, moment=_moment(as_of))

    def move(self, contact: str | int, stage: str, *, reason: str = "") -> Step:
        """Take a step in the life of a contact; see `crm_quality.engine.leads.move`.

        The step is kept with the contact's record. The golden ``lifecycle_stage`` stays what the
        sources say; ``crm.lifecycle_state`` says where the contact stands.
        """
        with self._writing() as (store, moment):
            return move(
                store, str(contact), stage, reason, actor=self._project.actor, moment=moment
            )

    def convert(
        self,
        contact: str | int,
        name: str | None = None,
        *,
        amount: Decimal | None = None,
        currency: str | None = None,
        stage: str = "qualification",
        company: str | None = None,
    ) -> Converted:
        """Make a lead an opportunity at its company; what was converted before is left alone.

        The company is the one at which the contact works; where none is known, one is made of the
        name that the contact gives.

        Args:
            contact: By any of its records.
            name: What its deal is called; null = no deal is opened.
            amount: What the deal would bring.
            currency: Of the amount.
            stage: Where the deal begins.
            company: A company, as ``source:key``; null = as the contact says.

        Raises:
            NotFoundError: There is no such contact or company.
            RefusedError: Several companies may be meant, or the rules quarantine the company or
                the deal.
        """
        wanted = Wanted(name, amount, currency, stage, company)
        moment = _moment(None)
        done = converted(
            self._project, str(contact), wanted, moment=moment, store_as="crmq crm lead convert"
        )
        try:
            self.move(f"{done.contact_id}", CONVERTED, reason="converted")
        except RefusedError:  # it stands there, or further on, already
            return done
        return replace(done, is_new=True)

    def hand_over(self, contact: str | int, to: str) -> int:
        """Give a lead to somebody in sales; the number of the handover."""
        with self._writing() as (store, moment):
            return hand_over(store, str(contact), to, actor=self._project.actor, moment=moment)

    def answer(self, handover_id: int, outcome: str, *, reason: str = "") -> None:
        """Accept a lead (``accepted``) or return it with a reason (``returned``)."""
        if outcome not in {ACCEPTED, RETURNED}:
            raise UsageError(f"{outcome!r}: say accepted or returned")
        with self._writing() as (store, moment):
            answer(store, handover_id, outcome, reason, actor=self._project.actor, moment=moment)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Store, datetime]]:
        """The store inside a transaction, and the moment."""
        moment = _moment(None)
        with self._reading(moment) as store, store.transaction():
            yield store, moment

    def _report(self, reports: Mapping[str, str], by: str, as_of: date | None) -> pl.DataFrame:
        with self._reading(as_of) as store:
            return report(store, reports, by)

    def _frame(self, query: str, as_of: date | None) -> pl.DataFrame:
        with self._reading(as_of) as store:
            return store.frame(query)

    @contextmanager
    def _reading(self, as_of: date | None) -> Iterator[Store]:
        """The store, fitted to what rules and crmq.yml say now, at the moment asked about."""
        moment, config = _moment(as_of), self._project.config
        with self._project.store() as store:
            with store.transaction():
                fit_store(store, self._project.rules)
                declare_service(store, config.service, config.stale_after.items(), moment)
            store.execute("SET VARIABLE crm_now = ?::TIMESTAMP", [moment])
            store.execute("SET VARIABLE crm_zone = ?", [config.service.time_zone])
            yield store


def _moment(as_of: date | None) -> datetime:
    if as_of is None:
        return datetime.now(UTC).replace(tzinfo=None)
    if isinstance(as_of, datetime):
        return as_of if as_of.tzinfo is None else as_of.astimezone(UTC).replace(tzinfo=None)
    # at noon (UTC) it is that day nearly everywhere
    return datetime.combine(as_of, time(12))
