"""What is known of customers and what can be told from it; reached as ``project.insight``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb

from crm_quality.crm.audience import CHANNELS, Audience, audience
from crm_quality.crm.before_after import before_after
from crm_quality.crm.churn import Churn, churn
from crm_quality.crm.customer_page import CustomerPage, customer_page
from crm_quality.crm.kept import KEPT_CUSTOMERS, keep
from crm_quality.crm.lifetime import Lifetime, lifetime
from crm_quality.crm.questions import answer, question
from crm_quality.crm.scoring import scored
from crm_quality.crm.segments import (
    Snapshot,
    changes_between,
    members,
    members_then,
    take_snapshot,
)
from crm_quality.definitions import default_rules_dir, definition_file
from crm_quality.definitions.insight import fields_read
from crm_quality.definitions.text import parse
from crm_quality.engine.fitting import fit_store, usual_rules
from crm_quality.errors import NotFoundError, UsageError
from crm_quality.store.lookup import find_record
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from crm_quality.definitions import RuleSet
    from crm_quality.definitions.insight import Score, Segment
    from crm_quality.engine.project import Project
    from crm_quality.store import Store

MODELS = ("first", "last", "linear", "position", "decay")
_ATTRIBUTED = {
    "channel": "CASE WHEN touchpoint_id IS NULL THEN '(no touchpoint)'"
    " ELSE coalesce(lead_source, '(unknown)') END",
    "campaign": "CASE WHEN touchpoint_id IS NULL THEN '(no touchpoint)'"
    " ELSE coalesce((SELECT any_value(name) FROM crm.campaign_row c"
    " WHERE c.entity_id = campaign_id), '(no campaign)') END",
}
_SNAPSHOTS = """
SELECT * EXCLUDE (segment) FROM crm.segment_snapshot WHERE segment = ? ORDER BY snapshot_id
"""
_PAIRS = """
SELECT * FROM crm.kept_product_pair WHERE customers >= ?
ORDER BY lift DESC, confidence DESC, product, other
"""
_CURRENCIES = """
SELECT DISTINCT currency FROM crm.payment WHERE currency IS NOT NULL ORDER BY currency
"""
_BOUGHT = """
SELECT DISTINCT product FROM crm.payment
WHERE contact_id = ? AND amount > 0 AND product IS NOT NULL
"""
_FOR_CUSTOMER = """
SELECT other AS product, arg_max(p.product, (confidence, lift, p.product)) AS since_bought,
       max(confidence) AS confidence, arg_max(lift, (confidence, lift, p.product)) AS lift
FROM crm.kept_product_pair p
WHERE p.product IN (SELECT unnest($bought::VARCHAR[]))
  AND other NOT IN (SELECT unnest($bought::VARCHAR[]))
GROUP BY other ORDER BY confidence DESC, lift DESC, other
"""


class Insight:
    """Profiles, scores, attribution, segments, value, and the questions of a management.

    Everything is read when it is asked for, through views (``crm.*``) that say whose each row is,
    so merging, parting and undoing change the answers and lose no row. Amounts of different
    currencies are never added up. What cannot be told whose it is stands in a bucket of its own.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def rules(self) -> RuleSet:
        """The project's rules; one made before there were scores or segments has the usual ones."""
        own, usual = self._project.rules, usual_rules()
        return replace(
            own, scores=own.scores or usual.scores, segments=own.segments or usual.segments
        )

    # one customer ---------------------------------------------------------------------------------

    def profile(self, contact: str | int) -> CustomerPage:
        """All that is known of one customer.

        Args:
            contact: The number of the customer or of any of its records, or ``source:key``.

        Raises:
            NotFoundError: There is no such contact, or it waits in quarantine.
        """
        with self._reading() as store:
            return customer_page(store, _contact(store, contact))

    def timeline(self, contact: str | int) -> pl.DataFrame:
        """Everything that happened with one customer, the latest first; see `CustomerPage`."""
        return self.profile(contact).timeline

    # all customers --------------------------------------------------------------------------------

    def customers(self) -> pl.DataFrame:
        """The view ``crm.customer``: one row per customer, golden values and figures."""
        return self._frame("SELECT * FROM crm.customer ORDER BY entity_id")

    def buckets(self) -> pl.DataFrame:
        """Rows by whose they are: ``entity``, ``bucket``, ``events``, ``contacts``."""
        return self._frame("SELECT * FROM crm.kept_event_bucket ORDER BY entity, bucket")

    def scores(self, name: str = "lead", *, as_of: date | None = None) -> pl.DataFrame:
        """Every contact's score and its parts, see `crm_quality.crm.scoring.scored`.

        Raises:
            NotFoundError: There is no such score.
            DefinitionError: Its conditions are wrong.
        """
        score = self.rules.score(name)
        with self._reading() as store:
            self._fields_read(score, "scores", name, _columns(store, "crm.contact"))
            return scored(store, score, as_of=_day(as_of))

    def attribution(self, model: str = "linear", *, by: str | None = None) -> pl.DataFrame:
        """What brought the won deals.

        Args:
            model: first, last, linear, position (40/20/40) or decay (half-life seven days).
            by: ``channel`` or ``campaign``; null = every touchpoint of every deal.

        Returns:
            ``channel`` or ``campaign``, ``currency``, ``deals`` (credits added up) and
            ``revenue``; else ``deal_id, contact_id, bucket, touchpoint_id, occurred_at,
            lead_source, campaign_id, credit, revenue, currency, close_date``, of which credits
            add up to 1 for each deal.

        Raises:
            UsageError: There is no such model or grouping.
        """
        _one_of("model", model, MODELS)
        if by is None:
            return self._frame(
                "SELECT * EXCLUDE (model) FROM crm.kept_attribution WHERE model = ?"
                " ORDER BY deal_id, occurred_at, touchpoint_id",
                [model],
            )
        _one_of("grouping", by, tuple(_ATTRIBUTED))
        return self._frame(
            f"SELECT {_ATTRIBUTED[by]} AS {by}, currency, sum(credit) AS deals,"  # noqa: S608
            " sum(revenue) AS revenue FROM crm.kept_attribution WHERE model = ?"
            f" GROUP BY ALL ORDER BY revenue DESC NULLS LAST, {by}, currency",
            [model],
        )

    def rfm(self) -> pl.DataFrame:
        """The view ``crm.rfm``: parts by recency, frequency and money, the best customers first."""
        return self._frame(
            "SELECT * FROM crm.kept_rfm"
            " ORDER BY recency + frequency + money DESC, currency, contact_id"
        )

    def value(self) -> pl.DataFrame:
        """The view ``crm.contact_value``: what each customer has brought, by currency."""
        return self._frame(
            "SELECT * FROM crm.contact_value ORDER BY net DESC, currency, contact_id"
        )

    def lifetime(
        self, currency: str | None = None, *, days: int = 365, as_of: date | None = None
    ) -> Lifetime:
        """What customers will bring, see `crm_quality.crm.lifetime.lifetime`.

        Args:
            currency: Only payments in it; null = the one that there is.
            days: How far to look.
            as_of: The day that counts as today; null = today.

        Raises:
            UsageError: There are several currencies and none is named, too few customers have
                paid, or scipy is missing.
        """
        with self._reading() as store:
            return lifetime(
                store, as_of=_day(as_of), days=days, currency=_currency(store, currency)
            )

    def cohorts(self) -> pl.DataFrame:
        """The view ``crm.cohort``: who comes back, by the month of the first payment."""
        return self._frame("SELECT * FROM crm.kept_cohort ORDER BY cohort, months")

    def churn(self, *, days: int = 90, as_of: date | None = None) -> Churn:
        """Who may not buy again within so many days, see `crm_quality.crm.churn.churn`."""
        with self._reading() as store:
            return churn(store, as_of=_day(as_of), days=days)

    def recommend(self, contact: str | int | None = None, *, at_least: int = 2) -> pl.DataFrame:
        """What is bought together.

        Args:
            contact: Recommend to this customer what they have not bought: ``product``,
                ``since_bought``, ``confidence``, ``lift``; null = all of ``crm.product_pair``.
            at_least: Pairs that so many customers bought.
        """
        if contact is None:
            return self._frame(_PAIRS, [at_least])
        with self._reading(kept=True) as store:
            bought = store.rows(_BOUGHT, [_contact(store, contact)])
            return store.named(_FOR_CUSTOMER, {"bought": [product for (product,) in bought]})

    def overview(self, name: str, *, as_of: date | None = None) -> pl.DataFrame:
        """The answer to one of `crm_quality.crm.questions.QUESTIONS`, whole.

        Raises:
            NotFoundError: There is no such question.
        """
        asked = question(name)
        with self._reading(kept=True) as store:
            return answer(store, asked, as_of=_day(as_of))

    def before_after(self) -> pl.DataFrame:
        """What deduplication changed, see `crm_quality.crm.before_after.before_after`."""
        with self._reading() as store:
            return before_after(store)

    # segments -------------------------------------------------------------------------------------

    def segment(self, name: str, *, as_of: date | None = None) -> pl.DataFrame:
        """Who is in a segment: ``contact_id`` and what its condition reads.

        Raises:
            NotFoundError: There is no such segment.
            DefinitionError: Its condition is wrong.
        """
        with self._reading(kept=True) as store:
            segment, reads = self._checked(store, name)
            return members(
                store,
                segment,
                as_of=_day(as_of),
                columns=sorted(reads),
                customers=KEPT_CUSTOMERS,
            )

    def snapshot(self, name: str, *, as_of: date | None = None) -> Snapshot:
        """Keep who is in a segment now, with the reasons why it differs from last time."""
        now = datetime.now(UTC).replace(tzinfo=None)
        actor = self._project.actor
        personal = {
            field
            for field, definition in self._project.rules.entity("contact").fields.items()
            if definition.personal
        }
        with self._reading(kept=True) as store, store.transaction():
            segment, reads = self._checked(store, name)
            taken = take_snapshot(
                store,
                segment,
                as_of=_day(as_of),
                taken_at=now,
                actor=actor,
                reads=reads - personal,
                customers=KEPT_CUSTOMERS,
            )
            payload = {"segment": name, "snapshot_id": taken.snapshot_id, "members": taken.members}
            record_event(store, "segment.snapshot", payload, actor=actor, occurred_at=now)
            return taken

    def snapshots(self, name: str) -> pl.DataFrame:
        """``snapshot_id, condition, as_of, taken_at, actor, run_id, members`` of a segment."""
        return self._frame(_SNAPSHOTS, [name])

    def members_at(self, name: str, snapshot_id: int) -> pl.DataFrame:
        """``contact_id`` of who was in a segment at a snapshot."""
        with self._reading() as store:
            _snapshot_of(store, name, snapshot_id)
            return members_then(store, name, snapshot_id)

    def segment_changes(
        self, name: str, since: int | None = None, until: int | None = None
    ) -> pl.DataFrame:
        """Who came and went between two snapshots, see `crm_quality.crm.segments`.

        Args:
            name: The segment.
            since: A snapshot; null = the one before ``until``.
            until: A later one; null = the last.

        Raises:
            NotFoundError: There are no such snapshots.
        """
        with self._reading() as store:
            last = _snapshot_of(store, name, until)
            first = _snapshot_of(store, name, last - 1 if since is None else since)
            return changes_between(store, name, first, last)

    def audience(
        self,
        name: str,
        *,
        channel: str = "email",
        purpose: str = "marketing",
        topic: str | None = None,
        as_of: date | None = None,
    ) -> Audience:
        """Whom of a segment a message may go to, see `crm_quality.crm.audience.audience`.

        Raises:
            UsageError: Nothing is sent by such a channel.
        """
        _one_of("channel", channel, tuple(CHANNELS))
        with self._reading(kept=True) as store:
            segment, _ = self._checked(store, name)
            meant = members(store, segment, as_of=_day(as_of), customers=KEPT_CUSTOMERS)
            return audience(store, meant, channel=channel, purpose=purpose, topic=topic)

    def _checked(self, store: Store, name: str) -> tuple[Segment, frozenset[str]]:
        """A segment, and what its condition reads."""
        segment = self.rules.segment(name)
        columns = _columns(store, "crm.customer")
        return segment, self._fields_read(segment, "segments", name, columns)

    def _fields_read(
        self, definition: Score | Segment, kind: str, name: str, columns: Mapping[str, str]
    ) -> frozenset[str]:
        """What the conditions read; their faults are told at the line where they are written."""
        rules = self._project.folder / "rules"
        place = rules if (rules / kind).is_dir() else default_rules_dir()
        file = definition_file(place, kind, name)
        return fields_read(definition, columns, parse(file.read_text(encoding="utf-8"), file))

    def _frame(self, query: str, parameters: list[object] | None = None) -> pl.DataFrame:
        with self._reading(kept="crm.kept_" in query) as store:
            return store.frame(query, parameters or [])

    @contextmanager
    def _reading(self, *, kept: bool = False) -> Iterator[Store]:
        """The store, fitted to the rules as they are now, and with what is kept as it is now."""
        with self._project.store() as store:
            with store.transaction():
                fit_store(store, self._project.rules)
                if kept:
                    keep(store)
            try:
                yield store
            except duckdb.CatalogException as error:
                raise UsageError(
                    "the rules of this project lack an entity that this is told from: "
                    f"{str(error).splitlines()[0]}"
                ) from error


def _contact(store: Store, contact: str | int) -> int:
    _, record = find_record(store, contact, entity="contact")
    found = store.value("SELECT entity_id FROM matching.membership WHERE record_id = ?", [record])
    if found is None:
        raise NotFoundError(
            f"contact {record} waits in quarantine and is no customer yet; see it with "
            f"`crmq quarantine show {record}`"
        )
    return int(found)


def _columns(store: Store, table: str) -> dict[str, str]:
    rows = store.rows(f"DESCRIBE {table}")
    return {str(name): str(kind) for name, kind, *_ in rows}


def _snapshot_of(store: Store, name: str, number: int | None) -> int:
    found = [
        int(one)
        for (one,) in store.rows(
            "SELECT snapshot_id FROM crm.segment_snapshot WHERE segment = ? ORDER BY ALL", [name]
        )
    ]
    if not found or (number is not None and number not in found):
        listed = ", ".join(map(str, found)) or "none"
        raise NotFoundError(
            f"there is no such snapshot of the segment {name!r} (there are: {listed}); take one "
            f"with `crmq crm segment {name} --snapshot`"
        )
    return found[-1] if number is None else number


def _currency(store: Store, currency: str | None) -> str:
    found = [str(one) for (one,) in store.rows(
        _CURRENCIES)]  # fmt: skip
    if currency is None and len(found) == 1:
        return found[0]
    if currency is None or currency.upper() not in found:
        raise UsageError(
            f"name the currency: {', '.join(found) or 'nothing was paid yet'} "
            "(amounts of several are never added up)"
        )
    return currency.upper()


def _one_of(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"there is no {what} {given!r}; choose from {', '.join(known)}")


def _day(as_of: date | None) -> date:
    return as_of or datetime.now(UTC).date()
