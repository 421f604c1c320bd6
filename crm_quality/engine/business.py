"""What the business counts on some customers: named figures, each one query over their ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from crm_quality.store import Store


@dataclass(frozen=True)
class Figure:
    """A figure of some customers.

    Attributes:
        name: What others know it by.
        title: What it is called.
        entity: Of what.
        query: Gives the figure in one cell, or ``currency`` and figure in rows; the customers are
            in ``asked`` (``entity_id``).
        needs: Tables and views that it reads; where one is missing there is no such figure.
    """

    name: str
    title: str
    entity: str
    query: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reckoned:
    """A figure with its value.

    Attributes:
        name: What others know it by.
        title: What it is called.
        currency: Of amounts (``?`` = the rows do not say); null = a count.
        value: The count or amount.
    """

    name: str
    title: str
    currency: str | None
    value: int | float | Decimal

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells two of them apart."""
        return self.name, self.currency

    def nothing(self) -> Reckoned:
        """The same figure, 0."""
        return replace(self, value=0)


def _of_golden(name: str, title: str, entity: str, measure: str) -> Figure:
    query = f"SELECT {measure} FROM crm.{entity} SEMI JOIN asked USING (entity_id)"  # noqa: S608
    return Figure(name, title, entity, query)


def _of_points(name: str, title: str, entity: str, kind: str) -> Figure:
    return Figure(
        name,
        title,
        entity,
        f"""
        SELECT count(DISTINCT p.value) FROM landing.contact_point p
        JOIN landing.record r ON r.current_version = p.version_id AND r.record_id = p.record_id
        JOIN matching.membership m ON m.record_id = p.record_id
        WHERE p.kind = '{kind}' AND r.ended_at IS NULL AND r.entity = '{entity}'
          AND m.entity_id IN (FROM asked)
        """,  # noqa: S608
    )


def _of_rows(
    name: str,
    title: str,
    table: str,
    measure: str,
    where: str,
    *,
    money: bool = False,
    worth: bool = False,
) -> tuple[Figure, ...]:
    """A figure of rows that hang on customers, for contacts and for companies.

    With ``worth`` it is of deals, and may speak of what ``crm.deal_worth`` says of them.
    """
    joined = " JOIN (SELECT deal_id, outcome, weighted FROM crm.deal_worth) ON deal_id = entity_id"
    unit, group = ("currency, ", "GROUP BY currency ORDER BY currency") if money else ("", "")
    return tuple(
        Figure(
            name,
            title,
            entity,
            f"SELECT {unit}{measure} FROM crm.{table}{joined if worth else ''}"  # noqa: S608
            f" WHERE {entity}_id IN (FROM asked) AND {where} {group}",
            needs=(f"crm.{table}", *(("crm.deal_worth",) if worth else ())),
        )
        for entity in ("contact", "company")
    )


def _of_permissions(name: str, title: str, measure: str, where: str) -> Figure:
    return Figure(
        name,
        title,
        "contact",
        f"SELECT {measure} FROM crm.permission"  # noqa: S608
        f" WHERE contact_id IN (FROM asked) AND {where}",
        needs=("crm.permission",),
    )


#: Money that came in, and what was given back of it.
_PAID = """
coalesce(payment_status, 'succeeded') = 'succeeded' AND coalesce(kind, 'payment')
NOT IN ('invoice', 'booking')
"""
_OPEN_DEAL = "outcome = 'open'"
_OPEN_TICKET = "coalesce(ticket_status, 'open') NOT IN ('solved', 'closed')"
_MARKETING = "channel = 'email' AND purpose = 'marketing' AND status = 'granted'"
_MAILABLE = "email IS NOT NULL AND NOT coalesce(email_opt_out, false)"

#: In the order in which they are told.
FIGURES: tuple[Figure, ...] = (
    _of_golden("customers", "customers", "contact", "count(*)"),
    _of_golden("records", "source records", "contact", "coalesce(sum(records), 0)"),
    _of_golden(
        "mailings", "letters that a mailing sends", "contact", f"count(*) FILTER ({_MAILABLE})"
    ),
    _of_points("email_addresses", "e-mail addresses known", "contact", "email"),
    _of_points("phone_numbers", "phone numbers known", "contact", "phone"),
    _of_golden(
        "email_opt_outs", "opted out of e-mail", "contact", "count(*) FILTER (email_opt_out)"
    ),
    _of_golden("do_not_call", "not to be called", "contact", "count(*) FILTER (do_not_call)"),
    _of_permissions("consents", "consents in force", "count(*)", "status = 'granted'"),
    _of_permissions("blocked", "consents blocked or taken back", "count(*)", "status <> 'granted'"),
    _of_permissions(
        "marketing", "marketing may be mailed to", "count(DISTINCT contact_id)", _MARKETING
    ),
    _of_golden("customers", "companies", "company", "count(*)"),
    _of_golden("records", "source records", "company", "coalesce(sum(records), 0)"),
    *_of_rows("deals", "deals", "deal", "count(*)", "true"),
    *_of_rows("pipeline", "pipeline", "deal", "sum(amount)", _OPEN_DEAL, money=True, worth=True),
    *_of_rows(
        "forecast", "forecast by stage", "deal", "sum(weighted)", _OPEN_DEAL, money=True, worth=True
    ),
    *_of_rows("won", "won", "deal", "sum(amount)", "outcome = 'won'", money=True, worth=True),
    *_of_rows(
        "lifetime_value", "lifetime value", "transaction", "sum(amount - coalesce(refunded, 0))",
        _PAID, money=True,
    ),
    *_of_rows("open_tickets", "open tickets", "ticket", "count(*)", _OPEN_TICKET),
)  # fmt: skip


def reckon(store: Store, entity: str, entity_ids: Collection[int]) -> tuple[Reckoned, ...]:
    """Every figure of some customers, as far as the store has the data.

    Args:
        store: The open store.
        entity: What the customers are.
        entity_ids: Which; ids that are no customers count for nothing.
    """
    known = {
        f"{schema}.{name}"
        for schema, name in store.rows(
            "SELECT schema_name, table_name FROM duckdb_tables()"
            " UNION ALL SELECT schema_name, view_name FROM duckdb_views()"
        )
    }
    found = []
    asked = pl.DataFrame({"entity_id": sorted(entity_ids)}, schema={"entity_id": pl.Int64})
    with store.staged(asked, "asked"):
        for figure in FIGURES:
            if figure.entity != entity or not known.issuperset(figure.needs):
                continue
            for *currency, value in store.rows(figure.query):
                # an amount without a currency is told as such
                unit = str(currency[0] or "?") if currency else None
                found.append(Reckoned(figure.name, figure.title, unit, value or 0))
    return tuple(found)
